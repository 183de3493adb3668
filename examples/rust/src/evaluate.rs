//! Perplexity, logits and hidden states.
use crate::call::{c_path, check, make, owned, Error, Result};
use crate::monitor::watched;
use crate::{sys, Context, EvaluatorOptions, Model, Monitor, Tokenizer};
use std::mem::{size_of, zeroed};
use std::os::raw::c_int;
use std::path::Path;

handle!(/// Measures what a model predicts.
        Evaluator, dp_evaluator, dp_evaluator_free);

/// A measured perplexity and what it was measured with.
#[derive(Clone, Debug)]
pub struct Perplexity {
    pub window: i32,
    pub mode: i32,
    pub bos: i32,
    pub windows: i64,
    pub tokens: i64,
    pub nll: f64,
    pub perplexity: f64,
    pub digest: String,
}

impl Evaluator {
    pub fn new(context: &Context, options: &EvaluatorOptions) -> Result<Evaluator> {
        let options = sized!(options, dp_evaluator_options);
        make(|out, error| unsafe { sys::dp_evaluator_new(context.0.as_ptr(), options, out, error) }).map(Evaluator)
    }

    pub fn perplexity(
        &mut self,
        model: &Model,
        tokenizer: &Tokenizer,
        path: impl AsRef<Path>,
        monitor: Option<&mut Monitor>,
    ) -> Result<Perplexity> {
        let path = c_path(path.as_ref())?;
        self.measure(monitor, |evaluator, monitor, found, error| unsafe {
            let (model, tokenizer) = (model.0.as_ptr(), tokenizer.0.as_ptr());
            sys::dp_evaluator_perplexity(evaluator, model, tokenizer, path.as_ptr(), monitor, found, error)
        })
    }

    pub fn perplexity_ids(
        &mut self,
        model: &Model,
        ids: &[i32],
        monitor: Option<&mut Monitor>,
    ) -> Result<Perplexity> {
        self.measure(monitor, |evaluator, monitor, found, error| unsafe {
            let model = model.0.as_ptr();
            sys::dp_evaluator_perplexity_ids(evaluator, model, ids.as_ptr(), ids.len(), monitor, found, error)
        })
    }

    fn measure<F>(&mut self, monitor: Option<&mut Monitor>, call: F) -> Result<Perplexity>
    where
        F: FnOnce(
            *mut sys::dp_evaluator,
            *const sys::dp_monitor,
            *mut sys::dp_perplexity,
            *mut sys::dp_error,
        ) -> c_int,
    {
        let mut found: sys::dp_perplexity = unsafe { zeroed() };
        found.size = size_of::<sys::dp_perplexity>() as u32;
        watched(monitor, |monitor| check(|error| call(self.0.as_ptr(), monitor, &mut found, error)))?;
        Ok(Perplexity {
            window: found.window,
            mode: found.mode,
            bos: found.bos,
            windows: found.windows,
            tokens: found.tokens,
            nll: found.nll,
            perplexity: found.perplexity,
            digest: owned(found.digest.as_ptr()),
        })
    }

    /// Logits after each of the last `rows` positions: rows × vocab_size of them.
    pub fn logits(
        &mut self,
        model: &Model,
        ids: &[i32],
        rows: usize,
        monitor: Option<&mut Monitor>,
    ) -> Result<Vec<f32>> {
        if rows == 0 || rows > ids.len() {
            return Err(Error::argument("rows", "not between 1 and the number of ids"));
        }
        let mut out = floats(rows, model.info()?.vocab_size)?;
        watched(monitor, |monitor| {
            check(|error| unsafe {
                let (evaluator, model) = (self.0.as_ptr(), model.0.as_ptr());
                let to = out.as_mut_ptr();
                sys::dp_evaluator_logits(evaluator, model, ids.as_ptr(), ids.len(), rows, monitor, to, error)
            })
        })?;
        Ok(out)
    }

    /// The residual stream before block `block`: ids × hidden_size.
    pub fn hidden(
        &mut self,
        model: &Model,
        ids: &[i32],
        block: i32,
        monitor: Option<&mut Monitor>,
    ) -> Result<Vec<f32>> {
        let mut out = floats(ids.len(), model.info()?.hidden_size)?;
        watched(monitor, |monitor| {
            check(|error| unsafe {
                let (evaluator, model) = (self.0.as_ptr(), model.0.as_ptr());
                let to = out.as_mut_ptr();
                sys::dp_evaluator_hidden(evaluator, model, ids.as_ptr(), ids.len(), block, monitor, to, error)
            })
        })?;
        Ok(out)
    }
}

fn floats(rows: usize, columns: i32) -> Result<Vec<f32>> {
    let columns = usize::try_from(columns).unwrap_or(0);
    let count = rows.checked_mul(columns).ok_or_else(|| Error::argument("rows", "larger than memory"))?;
    Ok(vec![0.0; count])
}
