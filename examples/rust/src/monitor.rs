//! Watching and stopping long calls, with closures that may panic.
use crate::call::{borrowed, Result};
use crate::sys;
use std::any::Any;
use std::mem::size_of;
use std::ops::ControlFlow;
use std::os::raw::c_void;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::ptr::null;
use std::sync::atomic::AtomicI32;

/// How far a long call has come.
pub struct Progress<'a> {
    pub phase: &'a str,
    pub done: u64,
    pub total: u64,
    pub elapsed: f64,
    /// Estimated seconds to the end, where they are known.
    pub left: Option<f64>,
}

type Report<'a> = Box<dyn FnMut(&Progress) -> ControlFlow<()> + 'a>;

/// Watches and stops a long call; reusable.
#[derive(Default)]
pub struct Monitor<'a> {
    progress: Option<Report<'a>>,
    cancel: Option<&'a AtomicI32>,
    interval_ms: u32,
}

impl<'a> Monitor<'a> {
    pub fn new() -> Self {
        Self::default()
    }

    /// Called on the thread that made the call; `ControlFlow::Break(())` stops it.
    pub fn progress(mut self, report: impl FnMut(&Progress) -> ControlFlow<()> + 'a) -> Self {
        self.progress = Some(Box::new(report));
        self
    }

    /// Nonzero, set by any thread or signal handler, stops the call.
    pub fn cancel(mut self, flag: &'a AtomicI32) -> Self {
        self.cancel = Some(flag);
        self
    }

    /// Least time between two reports; 0 means 100.
    pub fn interval_ms(mut self, interval: u32) -> Self {
        self.interval_ms = interval;
        self
    }
}

struct Watch<'m, 'a> {
    report: Option<&'m mut Report<'a>>,
    panic: Option<Box<dyn Any + Send>>,
}

unsafe extern "C" fn report(user: *mut c_void, now: *const sys::dp_progress) -> i32 {
    let (watch, now) = (&mut *(user as *mut Watch), &*now);
    let progress = Progress {
        phase: borrowed(now.phase),
        done: now.done,
        total: now.total,
        elapsed: now.elapsed,
        left: if now.left < 0.0 { None } else { Some(now.left) },
    };
    let go_on = match &mut watch.report {
        Some(report) if watch.panic.is_none() => catch_unwind(AssertUnwindSafe(|| report(&progress))),
        _ => return 1,
    };
    match go_on {
        Ok(ControlFlow::Continue(())) => 0,
        Ok(ControlFlow::Break(())) => 1,
        Err(panic) => {
            watch.panic = Some(panic);
            1
        }
    }
}

// Make a call with the monitor's C form.  What the call made is freed before a panic of the closure goes on.
pub(crate) fn watched<T>(
    monitor: Option<&mut Monitor>,
    call: impl FnOnce(*const sys::dp_monitor) -> Result<T>,
) -> Result<T> {
    let monitor = match monitor {
        Some(monitor) => monitor,
        None => return call(null()),
    };
    let watches = monitor.progress.is_some();
    let mut watch = Watch { report: monitor.progress.as_mut(), panic: None };
    let raw = sys::dp_monitor {
        size: size_of::<sys::dp_monitor>() as u32,
        interval_ms: monitor.interval_ms,
        cancel: monitor.cancel.map_or(null(), |flag| flag as *const AtomicI32 as *const i32),
        progress: if watches { Some(report) } else { None },
        user: &mut watch as *mut Watch as *mut c_void,
    };
    let result = call(&raw);
    if let Some(panic) = watch.panic.take() {
        drop(result);
        resume_unwind(panic);
    }
    result
}
