//! Scores of blocks, plans, and removing blocks.
use crate::call::{borrowed, c_path, c_text, make, slice, text, Result};
use crate::monitor::watched;
use crate::{sys, Calib, Context, Model, Monitor, PrunerOptions};
use std::os::raw::c_char;
use std::path::PathBuf;
use std::ptr::null;

handle!(/// Finds out how important each block is.
        Scorer, dp_scorer, dp_scorer_free);
handle!(/// How important each block is.
        Scores: Sync, dp_scores, dp_scores_free);
handle!(/// Chooses blocks and removes them.
        Pruner, dp_pruner, dp_pruner_free);
handle!(/// Which blocks to remove.
        Plan: Sync, dp_plan, dp_plan_free);

/// `Default` is the library's; `criterion` None is "ppl".
#[derive(Clone)]
pub struct ScorerOptions {
    pub criterion: Option<String>,
    pub norm_power: i32,
    pub weight_reduction: i32,
    pub block_reduction: i32,
    pub projections_only: bool,
    pub protect_first: i32,
    pub protect_last: i32,
    pub group_samples: i32,
    /// Where finished work is kept; it stays when the run ends.
    pub journal: Option<PathBuf>,
    /// Go on from the journal.
    pub resume: bool,
}

impl Default for ScorerOptions {
    fn default() -> Self {
        let raw = sys::dp_scorer_options::default();
        ScorerOptions {
            criterion: None,
            norm_power: raw.norm_power,
            weight_reduction: raw.weight_reduction,
            block_reduction: raw.block_reduction,
            projections_only: raw.projections_only != 0,
            protect_first: raw.protect_first,
            protect_last: raw.protect_last,
            group_samples: raw.group_samples,
            journal: None,
            resume: false,
        }
    }
}

impl Scorer {
    pub fn new(context: &Context, options: &ScorerOptions) -> Result<Scorer> {
        let criterion = options.criterion.as_ref().map(|name| c_text("criterion", name)).transpose()?;
        let journal = options.journal.as_ref().map(|path| c_path(path)).transpose()?;
        let mut raw = sys::dp_scorer_options {
            norm_power: options.norm_power,
            weight_reduction: options.weight_reduction,
            block_reduction: options.block_reduction,
            projections_only: options.projections_only as i32,
            protect_first: options.protect_first,
            protect_last: options.protect_last,
            group_samples: options.group_samples,
            resume: options.resume as i32,
            ..Default::default()
        };
        if let Some(name) = &criterion {
            raw.criterion = name.as_ptr();
        }
        raw.journal = journal.as_ref().map_or(null(), |path| path.as_ptr());
        make(|out, error| unsafe { sys::dp_scorer_new(context.0.as_ptr(), &raw, out, error) }).map(Scorer)
    }

    /// `calib` is needed by "ppl" and "bi".
    pub fn run(&mut self, model: &Model, calib: Option<&Calib>, monitor: Option<&mut Monitor>) -> Result<Scores> {
        let calib = calib.map_or(null(), |calib| calib.0.as_ptr() as *const _);
        watched(monitor, |monitor| {
            make(|out, error| unsafe {
                sys::dp_scorer_run(self.0.as_ptr(), model.0.as_ptr(), calib, monitor, out, error)
            })
            .map(Scores)
        })
    }
}

/// What scores say.
#[derive(Clone, Debug)]
pub struct ScoresInfo<'a> {
    pub criterion: &'a str,
    /// By block; lower is less important.
    pub scores: &'a [f64],
    /// All blocks, least important first.
    pub order: &'a [i32],
    /// The criterion on the whole model, where it has one.
    pub dense: Option<f64>,
    pub protect_first: i32,
    pub protect_last: i32,
}

impl Scores {
    pub fn info(&self) -> Result<ScoresInfo<'_>> {
        let info = described!(dp_scores_info, dp_scores_describe, self);
        Ok(ScoresInfo {
            criterion: borrowed(info.criterion),
            scores: unsafe { slice(info.scores, info.blocks as usize) },
            order: unsafe { slice(info.order, info.blocks as usize) },
            dense: if info.dense.is_nan() { None } else { Some(info.dense) },
            protect_first: info.protect_first,
            protect_last: info.protect_last,
        })
    }

    /// The document "depthprune.scores/1".
    pub fn to_json(&self) -> Result<String> {
        text(|to, capacity, needed, error| unsafe {
            sys::dp_scores_write(self.0.as_ptr(), to, capacity, needed, error)
        })
    }

    /// `name` is for errors: where the text came from.
    pub fn from_json(context: &Context, text: &str, name: &str) -> Result<Scores> {
        let name = c_text("name", name)?;
        make(|out, error| unsafe {
            let data = text.as_ptr() as *const c_char;
            sys::dp_scores_read(context.0.as_ptr(), data, text.len(), name.as_ptr(), out, error)
        })
        .map(Scores)
    }
}

impl Pruner {
    pub fn new(context: &Context, options: &PrunerOptions) -> Result<Pruner> {
        let options = sized!(options, dp_pruner_options);
        make(|out, error| unsafe { sys::dp_pruner_new(context.0.as_ptr(), options, out, error) }).map(Pruner)
    }

    pub fn plan(&mut self, model: &Model, scores: &Scores) -> Result<Plan> {
        make(|out, error| unsafe {
            sys::dp_pruner_plan(self.0.as_ptr(), model.0.as_ptr(), scores.0.as_ptr(), out, error)
        })
        .map(Plan)
    }

    /// The kept weights are shared with `model`, not copied.
    pub fn run(&mut self, model: &Model, plan: &Plan) -> Result<Model> {
        make(|out, error| unsafe {
            sys::dp_pruner_run(self.0.as_ptr(), model.0.as_ptr(), plan.0.as_ptr(), out, error)
        })
        .map(Model)
    }
}

/// What a plan says.
#[derive(Clone, Debug)]
pub struct PlanInfo<'a> {
    pub blocks: i32,
    pub removed: &'a [i32],
    pub kept: &'a [i32],
}

impl Plan {
    pub fn from_list(context: &Context, model: &Model, remove: &[i32]) -> Result<Plan> {
        make(|out, error| unsafe {
            let (context, model) = (context.0.as_ptr(), model.0.as_ptr());
            sys::dp_plan_from_list(context, model, remove.as_ptr(), remove.len(), out, error)
        })
        .map(Plan)
    }

    pub fn info(&self) -> Result<PlanInfo<'_>> {
        let info = described!(dp_plan_info, dp_plan_describe, self);
        Ok(PlanInfo {
            blocks: info.blocks,
            removed: unsafe { slice(info.removed, info.n_removed as usize) },
            kept: unsafe { slice(info.kept, info.n_kept as usize) },
        })
    }

    /// The document "depthprune.plan/1".
    pub fn to_json(&self) -> Result<String> {
        text(|to, capacity, needed, error| unsafe {
            sys::dp_plan_write(self.0.as_ptr(), to, capacity, needed, error)
        })
    }

    pub fn from_json(context: &Context, text: &str, name: &str) -> Result<Plan> {
        let name = c_text("name", name)?;
        make(|out, error| unsafe {
            let data = text.as_ptr() as *const c_char;
            sys::dp_plan_read(context.0.as_ptr(), data, text.len(), name.as_ptr(), out, error)
        })
        .map(Plan)
    }
}
