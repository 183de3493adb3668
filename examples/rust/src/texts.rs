//! Tokenizers and calibration sets.
use crate::call::{borrowed, c_count, c_path, check, make, slice, Error, Result};
use crate::monitor::watched;
use crate::{sys, CalibOptions, Context, Monitor};
use std::os::raw::c_char;
use std::path::Path;
use std::ptr::null_mut;

handle!(/// Text to token ids and back.
        Tokenizer: Sync, dp_tokenizer, dp_tokenizer_free);
handle!(/// Equally long rows of token ids.
        Calib: Sync, dp_calib, dp_calib_free);

/// What a tokenizer is.
#[derive(Clone, Debug)]
pub struct TokenizerInfo<'a> {
    pub tokens: i32,
    pub bos: Option<i32>,
    pub eos: Option<i32>,
    pub unk: Option<i32>,
    pub pad: Option<i32>,
    pub adds_bos: bool,
    pub kind: &'a str,
    pub digest: &'a str,
}

impl Tokenizer {
    pub fn open(context: &Context, path: impl AsRef<Path>) -> Result<Tokenizer> {
        let path = c_path(path.as_ref())?;
        make(|out, error| unsafe { sys::dp_tokenizer_open(context.0.as_ptr(), path.as_ptr(), out, error) })
            .map(Tokenizer)
    }

    pub fn info(&self) -> Result<TokenizerInfo<'_>> {
        let info = described!(dp_tokenizer_info, dp_tokenizer_describe, self);
        let id = |id: i32| if id < 0 { None } else { Some(id) };
        Ok(TokenizerInfo {
            tokens: info.tokens,
            bos: id(info.bos),
            eos: id(info.eos),
            unk: id(info.unk),
            pad: id(info.pad),
            adds_bos: info.adds_bos != 0,
            kind: borrowed(info.kind),
            digest: borrowed(info.digest),
        })
    }

    /// `flags`: `sys::DP_ENCODE_*`.
    pub fn encode(&self, text: impl AsRef<[u8]>, flags: u32) -> Result<Vec<i32>> {
        let text = text.as_ref();
        let mut needed = 0;
        let call = |ids: *mut i32, capacity, needed: &mut usize| {
            check(|error| unsafe {
                let data = text.as_ptr() as *const c_char;
                sys::dp_tokenizer_encode(self.0.as_ptr(), data, text.len(), flags, ids, capacity, needed, error)
            })
        };
        call(null_mut(), 0, &mut needed)?;
        let mut ids = vec![0; needed];
        call(ids.as_mut_ptr(), ids.len(), &mut needed)?;
        Ok(ids)
    }

    /// `flags`: `sys::DP_DECODE_*`.  The text may hold NUL bytes, and need not be whole UTF-8.
    pub fn decode(&self, ids: &[i32], flags: u32) -> Result<Vec<u8>> {
        let mut needed = 0;
        let call = |text: *mut u8, capacity, needed: &mut usize| {
            check(|error| unsafe {
                let to = text as *mut c_char;
                sys::dp_tokenizer_decode(
                    self.0.as_ptr(),
                    ids.as_ptr(),
                    ids.len(),
                    flags,
                    to,
                    capacity,
                    needed,
                    error,
                )
            })
        };
        call(null_mut(), 0, &mut needed)?;
        let mut text = vec![0; needed];
        call(text.as_mut_ptr(), text.len(), &mut needed)?;
        Ok(text)
    }
}

/// What a calibration set is.
#[derive(Clone, Debug)]
pub struct CalibInfo<'a> {
    pub samples: i32,
    pub length: i32,
    pub rows: i32,
    pub seed: u64,
    pub digest: &'a str,
}

impl Calib {
    /// Draw windows from a text or JSON-lines file.
    pub fn open(
        context: &Context,
        tokenizer: &Tokenizer,
        path: impl AsRef<Path>,
        options: &CalibOptions,
        monitor: Option<&mut Monitor>,
    ) -> Result<Calib> {
        let path = c_path(path.as_ref())?;
        let options = sized!(options, dp_calib_options);
        watched(monitor, |monitor| {
            make(|out, error| unsafe {
                let (context, tokenizer) = (context.0.as_ptr(), tokenizer.0.as_ptr());
                sys::dp_calib_open(context, tokenizer, path.as_ptr(), options, monitor, out, error)
            })
            .map(Calib)
        })
    }

    /// Rows of `length` ids, one after another.
    pub fn from_ids(context: &Context, ids: &[i32], length: usize) -> Result<Calib> {
        if length == 0 || ids.len() % length != 0 {
            return Err(Error::argument("ids", "not whole rows"));
        }
        let (samples, length) = (c_count("samples", ids.len() / length)?, c_count("length", length)?);
        make(|out, error| unsafe {
            sys::dp_calib_from_ids(context.0.as_ptr(), ids.as_ptr(), samples, length, out, error)
        })
        .map(Calib)
    }

    pub fn info(&self) -> Result<CalibInfo<'_>> {
        let info = described!(dp_calib_info, dp_calib_describe, self);
        Ok(CalibInfo {
            samples: info.samples,
            length: info.length,
            rows: info.rows,
            seed: info.seed,
            digest: borrowed(info.digest),
        })
    }

    pub fn ids(&self) -> Result<&[i32]> {
        let info = self.info()?;
        Ok(unsafe { slice(sys::dp_calib_ids(self.0.as_ptr()), info.samples as usize * info.length as usize) })
    }
}
