//! The context.
use crate::call::{borrowed, c_path, c_text, make, text, Result};
use crate::sys;
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::PathBuf;
use std::ptr::null;

handle!(/// Memory, threads, log and device of everything made with it.
        Context: Sync, dp_context, dp_context_free);

/// Receives a severity (`sys::DP_LOG_*`) and one line.
pub type Log = Box<dyn Fn(i32, &str) + Send + Sync>;

/// `Default` is the library's own choice of everything.
#[derive(Default)]
pub struct ContextOptions {
    pub threads: i32,
    pub memory_limit: u64,
    pub backend: Option<String>,
    pub gemm: Option<String>,
    pub kernels: Option<String>,
    pub plugin: Option<PathBuf>,
    /// Kept as long as the process lives, because any handle made with the context may log.
    pub log: Option<Log>,
}

unsafe extern "C" fn log(user: *mut c_void, level: i32, line: *const c_char) {
    let log = &*(user as *const Log);
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| log(level, borrowed(line)))) {
        std::mem::forget(panic); // no caller to go on in, and dropping it might panic again
    }
}

impl Context {
    pub fn new() -> Result<Context> {
        make(|out, error| unsafe { sys::dp_context_new(null(), out, error) }).map(Context)
    }

    pub fn with(options: ContextOptions) -> Result<Context> {
        let texts = [("backend", &options.backend), ("gemm", &options.gemm), ("kernels", &options.kernels)];
        let mut kept = Vec::new();
        for (name, value) in texts {
            kept.push(value.as_ref().map(|value| c_text(name, value)).transpose()?);
        }
        let plugin = options.plugin.as_ref().map(|path| c_path(path)).transpose()?;
        let mut raw = sys::dp_context_options { threads: options.threads, ..Default::default() };
        raw.memory_limit = options.memory_limit;
        for (place, value) in [&mut raw.backend, &mut raw.gemm, &mut raw.kernels].iter_mut().zip(&kept) {
            if let Some(value) = value {
                **place = value.as_ptr();
            }
        }
        raw.plugin = plugin.as_ref().map_or(null(), |path| path.as_ptr());
        if let Some(receiver) = options.log {
            raw.log = Some(log);
            raw.log_user = Box::into_raw(Box::new(receiver)) as *mut c_void;
        }
        make(|out, error| unsafe { sys::dp_context_new(&raw, out, error) }).map(Context)
    }

    /// What the context runs on, as JSON.
    pub fn describe(&self) -> Result<String> {
        text(|to, capacity, needed, error| unsafe {
            sys::dp_context_describe(self.0.as_ptr(), to, capacity, needed, error)
        })
    }
}
