//! Calling into C: errors, text both ways, and what every handle has.
use crate::sys;
use std::ffi::{CStr, CString};
use std::fmt;
use std::mem::zeroed;
use std::os::raw::{c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{null_mut, NonNull};

/// Why a call failed, and where.
#[derive(Clone, Debug)]
pub struct Error {
    pub code: i32,
    pub system_error: i32,
    pub offset: i64,
    pub line: i32,
    pub column: i32,
    pub file: String,
    pub item: String,
    pub message: String,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The code's name, such as "DP_E_FORMAT".
    pub fn name(&self) -> &'static str {
        borrowed(unsafe { sys::dp_code_name(self.code) })
    }

    pub(crate) fn argument(item: &str, message: &str) -> Error {
        Error {
            code: sys::DP_E_ARGUMENT,
            system_error: 0,
            offset: -1,
            line: 0,
            column: 0,
            file: String::new(),
            item: item.into(),
            message: message.into(),
        }
    }

    fn read(raw: &sys::dp_error) -> Error {
        Error {
            code: raw.code,
            system_error: raw.system_error,
            offset: raw.offset,
            line: raw.line,
            column: raw.column,
            file: owned(raw.file.as_ptr()),
            item: owned(raw.item.as_ptr()),
            message: owned(raw.message.as_ptr()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.file, &self.item].iter().filter(|part| !part.is_empty()) {
            write!(out, "{}: ", part)?;
        }
        out.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

// Text of the library is UTF-8; a path may hold anything.
pub(crate) fn owned(text: *const c_char) -> String {
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

pub(crate) fn borrowed<'a>(text: *const c_char) -> &'a str {
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or("")
}

pub(crate) fn c_text(what: &str, text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::argument(what, "holds a NUL byte"))
}

pub(crate) fn c_path(path: &Path) -> Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| Error::argument("path", "holds a NUL byte"))
}

pub(crate) fn c_count(what: &str, count: usize) -> Result<i32> {
    i32::try_from(count).map_err(|_| Error::argument(what, "more than 2147483647"))
}

pub(crate) fn check(call: impl FnOnce(*mut sys::dp_error) -> c_int) -> Result<()> {
    let mut error: sys::dp_error = unsafe { zeroed() };
    match call(&mut error) {
        sys::DP_OK => Ok(()),
        _ => Err(Error::read(&error)),
    }
}

pub(crate) fn make<T>(call: impl FnOnce(*mut *mut T, *mut sys::dp_error) -> c_int) -> Result<NonNull<T>> {
    let mut made = null_mut();
    check(|error| call(&mut made, error))?;
    Ok(NonNull::new(made).expect("a successful call makes a handle"))
}

// Text that the library writes into a buffer: asked for its size first.
pub(crate) fn text(call: impl Fn(*mut c_char, usize, *mut usize, *mut sys::dp_error) -> c_int) -> Result<String> {
    let mut needed = 0;
    check(|error| call(null_mut(), 0, &mut needed, error))?;
    let mut bytes = vec![0u8; needed];
    check(|error| call(bytes.as_mut_ptr() as *mut c_char, bytes.len(), &mut needed, error))?;
    bytes.pop(); // the terminator
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(crate) unsafe fn slice<'a, T>(data: *const T, count: usize) -> &'a [T] {
    match data.is_null() {
        true => &[],
        false => std::slice::from_raw_parts(data, count),
    }
}

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident $(: $shared:ident)?, $raw:ident, $free:ident) => {
        $(#[$doc])*
        pub struct $name(pub(crate) std::ptr::NonNull<$crate::sys::$raw>);
        unsafe impl Send for $name {}
        $(unsafe impl $shared for $name {})?
        impl Drop for $name {
            fn drop(&mut self) {
                unsafe { $crate::sys::$free(self.0.as_ptr()) }
            }
        }
    };
}

// A struct that the library fills: zero but for its size, which every one of them begins with.
macro_rules! described {
    ($kind:ident, $call:ident, $handle:expr) => {{
        let mut info: $crate::sys::$kind = unsafe { std::mem::zeroed() };
        info.size = std::mem::size_of::<$crate::sys::$kind>() as u32;
        $crate::call::check(|error| unsafe { $crate::sys::$call($handle.0.as_ptr(), &mut info, error) })?;
        info
    }};
}

// The caller's options with the size that this module was built for, whatever stands in the public field.
macro_rules! sized {
    ($options:expr, $kind:ident) => {
        &$crate::sys::$kind { size: std::mem::size_of::<$crate::sys::$kind>() as u32, ..*$options }
    };
}
