//! What is set for the whole process, or for a connection before it opens: no clock, no chance, no more
//! memory than this. And a connection that sqlx does not hold.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_int};
use std::ptr::{NonNull, null, null_mut};
use std::sync::OnceLock;

use libsqlite3_sys as ffi;

use super::super::error::{Result, SqliteError};
use super::{Handle, last_error};

/// The name of the file system layer in which there is no time.
pub(crate) const CLOCKLESS: &str = "godwit-clockless";
const CLOCKLESS_C: &CStr = c"godwit-clockless";

/// Sees to it that [`CLOCKLESS`] is there: the default layer, but the time `'now'` is NULL in it.
pub(crate) fn clockless() -> Result<()> {
    static REGISTERED: OnceLock<c_int> = OnceLock::new();
    match *REGISTERED.get_or_init(register) {
        ffi::SQLITE_OK => Ok(()),
        code => Err(SqliteError::new(code, "SQLite takes no further file system layer")),
    }
}

fn register() -> c_int {
    // SAFETY: a default layer lives as long as the process; the copy does too, since it is leaked, and
    // refers to nothing else. Registering it is the last that is done to it.
    unsafe {
        let Some(default) = NonNull::new(ffi::sqlite3_vfs_find(null())) else { return ffi::SQLITE_ERROR };
        let mut layer = *default.as_ptr();
        layer.pNext = null_mut();
        layer.zName = CLOCKLESS_C.as_ptr();
        layer.xCurrentTime = Some(no_time);
        layer.xCurrentTimeInt64 = Some(no_exact_time);
        ffi::sqlite3_vfs_register(Box::leak(Box::new(layer)), 0)
    }
}

extern "C" fn no_time(_: *mut ffi::sqlite3_vfs, _: *mut f64) -> c_int {
    ffi::SQLITE_ERROR
}

extern "C" fn no_exact_time(_: *mut ffi::sqlite3_vfs, _: *mut ffi::sqlite3_int64) -> c_int {
    ffi::SQLITE_ERROR
}

/// Makes SQLite's own choices (the rowid after the highest) the same in every process.
pub(crate) fn seed_chance() {
    const SEED: c_int = 1;
    // SAFETY: the operation takes an int and a connection that may be null.
    unsafe { ffi::sqlite3_test_control(ffi::SQLITE_TESTCTRL_PRNG_SEED, SEED, null_mut::<ffi::sqlite3>()) };
}

/// Makes `'localtime'` and `'utc'` fail: where the machine stands is nothing that a module may know.
pub(crate) fn forbid_local_time() {
    const FAIL: c_int = 1;
    // SAFETY: the operation takes an int.
    unsafe { ffi::sqlite3_test_control(ffi::SQLITE_TESTCTRL_LOCALTIME_FAULT, FAIL) };
}

/// Gives SQLite no more memory than this, in all its connections together.
pub(crate) fn limit_memory(bytes: u64) {
    // SAFETY: a number is handed over.
    unsafe { ffi::sqlite3_hard_heap_limit64(i64::try_from(bytes).unwrap_or(i64::MAX)) };
}

/// A connection without a thread of its own, closed when dropped.
pub(crate) struct OwnConnection(NonNull<ffi::sqlite3>);

// SAFETY: the bundled SQLite is built to be called from any thread; a connection is behind `&mut`.
unsafe impl Send for OwnConnection {}

impl OwnConnection {
    /// Opens a name or URI, with `SQLITE_OPEN_…` flags, without a clock.
    pub(crate) fn open(name: &CStr, flags: c_int) -> Result<Self> {
        clockless()?;
        let flags = flags | ffi::SQLITE_OPEN_FULLMUTEX | ffi::SQLITE_OPEN_EXRESCODE;
        let mut raw = null_mut();
        // SAFETY: both texts are C strings; `raw` takes a handle even where opening fails, or null.
        let code = unsafe { ffi::sqlite3_open_v2(name.as_ptr(), &raw mut raw, flags, CLOCKLESS_C.as_ptr()) };
        let connection = NonNull::new(raw).map(Self);
        let connection = connection.ok_or_else(|| SqliteError::new(ffi::SQLITE_NOMEM, "out of memory"))?;
        if code == ffi::SQLITE_OK { Ok(connection) } else { Err(last_error(connection.0, code)) }
    }

    /// The handle, for as long as it is held.
    pub(crate) fn lock(&mut self) -> Handle<'_> {
        Handle { raw: self.0, _guard: None }
    }

    /// Takes every virtual table's implementation away.
    pub(crate) fn drop_extensions(&mut self) -> Result<()> {
        // SAFETY: the handle is open; null keeps none.
        match unsafe { ffi::sqlite3_drop_modules(self.0.as_ptr(), null_mut()) } {
            ffi::SQLITE_OK => Ok(()),
            code => Err(last_error(self.0, code)),
        }
    }
}

impl Drop for OwnConnection {
    fn drop(&mut self) {
        // SAFETY: the handle is open and goes with this value; its statements are gone.
        unsafe { ffi::sqlite3_close(self.0.as_ptr()) };
    }
}
