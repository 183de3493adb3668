//! libdepthprune in Rust: safe handles over the C interface in [`sys`]; standard library only, Rust 1.63 or newer.
//!
//! Every handle frees itself and keeps alive what it needs, in any order.  Models, tokenizers, calibration sets, scores
//! and plans are immutable and may be shared by threads; a scorer, pruner or evaluator serves one thread at a time, which
//! `&mut self` says.  A panic in a closure stops the call and goes on in the caller; it never unwinds through C.
//! The headers of the library say what each option and number means.
#[macro_use]
mod call;
mod context;
mod evaluate;
mod model;
mod monitor;
mod prune;
#[rustfmt::skip]
pub mod sys;
mod texts;

pub use call::{Error, Result};
pub use context::{Context, ContextOptions, Log};
pub use evaluate::{Evaluator, Perplexity};
pub use model::{Model, ModelBuilder, ModelInfo, SaveReport, Weight};
pub use monitor::{Monitor, Progress};
pub use prune::{Plan, PlanInfo, Pruner, Scorer, ScorerOptions, Scores, ScoresInfo};
pub use texts::{Calib, CalibInfo, Tokenizer, TokenizerInfo};

pub use sys::dp_calib_options as CalibOptions;
pub use sys::dp_evaluator_options as EvaluatorOptions;
pub use sys::dp_model_options as ModelOptions;
pub use sys::dp_pruner_options as PrunerOptions;
pub use sys::dp_save_options as SaveOptions;

/// "0.1.0": the version of the library that is loaded.
pub fn version() -> &'static str {
    call::borrowed(unsafe { sys::dp_version_text() })
}

/// How the library was built, as JSON.
pub fn build_info() -> &'static str {
    call::borrowed(unsafe { sys::dp_build_info() })
}

/// The name of an element type, such as "bf16".
pub fn type_name(element: i32) -> &'static str {
    call::borrowed(unsafe { sys::dp_type_name(element) })
}

// These options are plain numbers: with a pointer among them (which is not Send) they would not be safe to fill.
const _: fn() = || {
    fn plain<T: Send>() {}
    plain::<(CalibOptions, EvaluatorOptions, ModelOptions, PrunerOptions, SaveOptions)>()
};
