//! Models: opened, made from memory, described, saved.
use crate::call::{borrowed, c_path, c_text, check, make, owned, slice, Error, Result};
use crate::monitor::watched;
use crate::{sys, Context, ModelOptions, Monitor, SaveOptions};
use std::ffi::CStr;
use std::mem::{size_of, zeroed};
use std::os::raw::{c_char, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{null, NonNull};
use std::sync::Arc;

handle!(/// An ordered list of Transformer blocks over shared weights.
        Model: Sync, dp_model, dp_model_free);
handle!(/// A model being put together from arrays in memory.
        ModelBuilder, dp_model_builder, dp_model_builder_free);

/// What a model is.
#[derive(Clone, Debug)]
pub struct ModelInfo<'a> {
    pub format: i32,
    pub architecture: &'a str,
    pub path: &'a Path,
    pub element: i32,
    pub blocks: i32,
    pub hidden_size: i32,
    pub heads: i32,
    pub kv_heads: i32,
    pub head_dim: i32,
    pub ffn_size: i32,
    pub vocab_size: i32,
    pub context: i32,
    pub tied_head: bool,
    pub norm_epsilon: f64,
    pub rope_base: f64,
    pub parameters: u64,
    pub block_parameters: u64,
    pub bytes: u64,
}

/// One weight, as it lies in memory.
#[derive(Clone, Debug)]
pub struct Weight<'a> {
    pub element: i32,
    pub name: &'a str,
    /// None where the model was opened for its shapes alone.
    pub data: Option<&'a [u8]>,
    pub rows: i64,
    pub columns: i64,
    pub block: Option<i32>,
}

/// What a save would write, or has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaveReport {
    pub files: i32,
    pub bytes: u64,
    pub parameters: u64,
}

impl Model {
    /// A Hugging Face directory or a GGUF file; weights are mapped.
    pub fn open(context: &Context, path: impl AsRef<Path>) -> Result<Model> {
        Model::open_with(context, path, &ModelOptions::default(), None)
    }

    pub fn open_with(
        context: &Context,
        path: impl AsRef<Path>,
        options: &ModelOptions,
        monitor: Option<&mut Monitor>,
    ) -> Result<Model> {
        let path = c_path(path.as_ref())?;
        let options = sized!(options, dp_model_options);
        watched(monitor, |monitor| {
            make(|out, error| unsafe {
                sys::dp_model_open(context.0.as_ptr(), path.as_ptr(), options, monitor, out, error)
            })
            .map(Model)
        })
    }

    pub fn info(&self) -> Result<ModelInfo<'_>> {
        let info = described!(dp_model_info, dp_model_describe, self);
        let path = unsafe { CStr::from_ptr(info.path) };
        Ok(ModelInfo {
            format: info.format,
            architecture: borrowed(info.architecture),
            path: Path::new(std::ffi::OsStr::from_bytes(path.to_bytes())),
            element: info.type_,
            blocks: info.blocks,
            hidden_size: info.hidden_size,
            heads: info.heads,
            kv_heads: info.kv_heads,
            head_dim: info.head_dim,
            ffn_size: info.ffn_size,
            vocab_size: info.vocab_size,
            context: info.context,
            tied_head: info.tied_head != 0,
            norm_epsilon: info.norm_epsilon,
            rope_base: info.rope_base,
            parameters: info.parameters,
            block_parameters: info.block_parameters,
            bytes: info.bytes,
        })
    }

    pub fn weight_count(&self) -> usize {
        unsafe { sys::dp_model_weight_count(self.0.as_ptr()) }
    }

    /// Weights of a mapped file change when another program writes to that file.
    pub fn weight(&self, index: usize) -> Result<Weight<'_>> {
        let mut raw: sys::dp_weight = unsafe { zeroed() };
        raw.size = size_of::<sys::dp_weight>() as u32;
        check(|error| unsafe { sys::dp_model_weight(self.0.as_ptr(), index, &mut raw, error) })?;
        let bytes = usize::try_from(raw.bytes).map_err(|_| Error::argument("bytes", "larger than memory"))?;
        Ok(Weight {
            element: raw.type_,
            name: borrowed(raw.name),
            data: NonNull::new(raw.data as *mut u8).map(|data| unsafe { slice(data.as_ptr(), bytes) }),
            rows: raw.rows,
            columns: raw.columns,
            block: if raw.block < 0 { None } else { Some(raw.block) },
        })
    }

    /// The block of the opened model that `block` of this one is.
    pub fn origin(&self, block: i32) -> Option<i32> {
        match unsafe { sys::dp_model_origin(self.0.as_ptr(), block) } {
            -1 => None,
            origin => Some(origin),
        }
    }

    pub fn digest(&self, monitor: Option<&mut Monitor>) -> Result<String> {
        let mut digest = [0 as c_char; 65];
        watched(monitor, |monitor| {
            check(|error| unsafe { sys::dp_model_digest(self.0.as_ptr(), monitor, digest.as_mut_ptr(), error) })
        })?;
        Ok(owned(digest.as_ptr()))
    }

    /// Fail on the first weight that is not finite.
    pub fn check(&self, monitor: Option<&mut Monitor>) -> Result<()> {
        watched(monitor, |monitor| check(|error| unsafe { sys::dp_model_check(self.0.as_ptr(), monitor, error) }))
    }

    pub fn save(
        &self,
        path: impl AsRef<Path>,
        options: &SaveOptions,
        monitor: Option<&mut Monitor>,
    ) -> Result<SaveReport> {
        let path = c_path(path.as_ref())?;
        let options = sized!(options, dp_save_options);
        let mut done = save_report();
        watched(monitor, |monitor| {
            check(|error| unsafe {
                sys::dp_model_save(self.0.as_ptr(), path.as_ptr(), options, monitor, &mut done, error)
            })
        })?;
        Ok(SaveReport { files: done.files, bytes: done.bytes, parameters: done.parameters })
    }

    /// What `save` would write, and whether it may.
    pub fn save_estimate(&self, path: impl AsRef<Path>, options: &SaveOptions) -> Result<SaveReport> {
        let path = c_path(path.as_ref())?;
        let options = sized!(options, dp_save_options);
        let mut done = save_report();
        check(|error| unsafe {
            sys::dp_model_save_estimate(self.0.as_ptr(), path.as_ptr(), options, &mut done, error)
        })?;
        Ok(SaveReport { files: done.files, bytes: done.bytes, parameters: done.parameters })
    }
}

fn save_report() -> sys::dp_save_report {
    sys::dp_save_report { size: size_of::<sys::dp_save_report>() as u32, files: 0, bytes: 0, parameters: 0 }
}

unsafe extern "C" fn release(user: *mut c_void, _: *const c_void, _: u64) {
    drop(Box::from_raw(user as *mut Arc<[u8]>));
}

impl ModelBuilder {
    /// `config` is the text of a Hugging Face config.json.
    pub fn new(context: &Context, config: &str, options: &ModelOptions) -> Result<ModelBuilder> {
        let options = sized!(options, dp_model_options);
        make(|out, error| unsafe {
            let text = config.as_ptr() as *const c_char;
            sys::dp_model_builder_new(context.0.as_ptr(), text, config.len(), options, out, error)
        })
        .map(ModelBuilder)
    }

    /// Share one weight, under its Hugging Face name, with the model to come; nothing is copied.
    pub fn add(&mut self, name: &str, element: i32, rows: i64, columns: i64, data: Arc<[u8]>) -> Result<()> {
        let name = c_text("name", name)?;
        let mut weight: sys::dp_weight = unsafe { zeroed() };
        weight.size = size_of::<sys::dp_weight>() as u32;
        weight.type_ = element;
        weight.name = name.as_ptr();
        weight.data = data.as_ptr() as *const c_void;
        weight.bytes = data.len() as u64;
        weight.rows = rows;
        weight.columns = columns;
        let kept = Box::into_raw(Box::new(data)) as *mut c_void;
        let added = check(|error| unsafe {
            sys::dp_model_builder_add(self.0.as_ptr(), &weight, Some(release), kept, error)
        });
        if added.is_err() {
            unsafe { release(kept, null(), 0) }; // nothing was taken
        }
        added
    }

    /// On failure what is missing may be added, and this called again.
    pub fn finish(&mut self) -> Result<Model> {
        make(|out, error| unsafe { sys::dp_model_builder_finish(self.0.as_ptr(), out, error) }).map(Model)
    }
}
