//! SQLite's C API on the handle that sqlx holds, wrapped so that the rest of the crate is safe.
//!
//! Rules kept here: a statement never outlives the lock on its handle, or the session that keeps it; a bound
//! pointer never outlives the call that bound it, unless SQLite was told to copy; a column's bytes are
//! borrowed from the statement, which cannot step while they are.

#![allow(unsafe_code)]

mod process;
mod session;

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::future::Future;
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use libsqlite3_sys as ffi;
use sqlx::sqlite::{LockedSqliteHandle, SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection as _};

use super::error::{Result, SqliteError};

pub(crate) use process::{CLOCKLESS, OwnConnection, clockless, forbid_local_time, limit_memory, seed_chance};
pub(crate) use session::Session;

// Part of SQLite's API that libsqlite3-sys leaves out of its bindings.
unsafe extern "C" {
    fn sqlite3_column_text16(statement: *mut ffi::sqlite3_stmt, column: c_int) -> *const c_void;
    fn sqlite3_column_bytes16(statement: *mut ffi::sqlite3_stmt, column: c_int) -> c_int;
}

/// A value on its way in or out. Text is bytes: SQLite does not check its encoding.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(Cow<'a, [u8]>),
    /// Text of a UTF-16 database in native byte order.
    Wide(&'a [u8]),
    Blob(Cow<'a, [u8]>),
}

impl<'a> Value<'a> {
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text.as_bytes()))
    }
}

/// What a statement asks leave for while it is compiled.
pub(crate) struct Action<'a> {
    pub(crate) code: i32,
    pub(crate) first: Option<&'a str>,
    pub(crate) second: Option<&'a str>,
    pub(crate) database: Option<&'a str>,
    /// The innermost trigger, view or other named query that asks; none for the statement itself. A
    /// statement may give its own queries any name.
    pub(crate) accessor: Option<&'a str>,
    /// Asked by what a running statement compiles, or because it is compiled once more.
    pub(crate) running: bool,
}

/// One connection, closed when dropped.
pub(crate) struct Connection(Option<SqliteConnection>);

impl Connection {
    pub(crate) fn open(options: &SqliteConnectOptions) -> Result<Self> {
        Ok(Self(Some(wait(options.connect())?)))
    }

    /// The handle, for as long as it is held.
    pub(crate) fn lock(&mut self) -> Result<Handle<'_>> {
        let connection = self.0.as_mut().expect("a connection is there until it is dropped");
        let mut guard = wait(connection.lock_handle())?;
        Ok(Handle { raw: guard.as_raw_handle(), _guard: Some(guard) })
    }
}

impl Drop for Connection {
    /// Waits, so that locks are gone and a WAL is folded in when this returns.
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            let _ = wait(connection.close());
        }
    }
}

/// sqlx's SQLite driver does its work on a thread of its own and needs no runtime to be waited for.
fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = std::pin::pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

impl From<sqlx::Error> for SqliteError {
    fn from(error: sqlx::Error) -> Self {
        let code = |error: &dyn sqlx::error::DatabaseError| error.code().and_then(|code| code.parse().ok());
        match &error {
            sqlx::Error::Database(inner) => {
                Self::new(code(inner.as_ref()).unwrap_or(ffi::SQLITE_ERROR), inner.message())
            }
            _ => Self::new(ffi::SQLITE_ERROR, error.to_string()),
        }
    }
}

/// The database handle, while sqlx keeps its hands off it.
pub(crate) struct Handle<'c> {
    raw: NonNull<ffi::sqlite3>,
    /// None for a connection that sqlx does not hold.
    _guard: Option<LockedSqliteHandle<'c>>,
}

impl Handle<'_> {
    fn check(&self, code: c_int) -> Result<()> {
        if code == ffi::SQLITE_OK { Ok(()) } else { Err(last_error(self.raw, code)) }
    }

    /// Compiles the one statement that `sql` must be.
    pub(crate) fn prepare(&self, sql: &str) -> Result<Statement<'_>> {
        let (first, rest) = self.compile(sql)?;
        let first = first.ok_or_else(|| SqliteError::new(ffi::SQLITE_MISUSE, "there is no statement"))?;
        match self.compile(rest)? {
            (None, "") => Ok(first),
            _ => Err(SqliteError::new(ffi::SQLITE_MISUSE, "there is more than one statement")),
        }
    }

    /// Compiles the first statement; none where only white space and comments are left.
    fn compile<'s>(&self, sql: &'s str) -> Result<(Option<Statement<'_>>, &'s str)> {
        if sql.contains('\0') {
            return Err(SqliteError::new(ffi::SQLITE_MISUSE, "a statement holds a NUL"));
        }
        let length =
            c_int::try_from(sql.len()).map_err(|_| SqliteError::new(ffi::SQLITE_TOOBIG, "a statement is too long"))?;
        let (mut raw, mut tail) = (null_mut(), std::ptr::null());
        // SAFETY: the handle is open; SQLite reads at most `length` bytes of `sql`.
        let code = unsafe {
            ffi::sqlite3_prepare_v2(self.raw.as_ptr(), sql.as_ptr().cast(), length, &raw mut raw, &raw mut tail)
        };
        self.check(code)?;
        let used = (tail as usize).wrapping_sub(sql.as_ptr() as usize);
        let statement = NonNull::new(raw).map(|raw| Statement { raw, db: self.raw, wide: false, _handle: PhantomData });
        Ok((statement, sql.get(used..).unwrap_or_default()))
    }

    /// Runs one statement to its end.
    pub(crate) fn run(&self, sql: &str) -> Result<()> {
        let mut statement = self.prepare(sql)?;
        while statement.step()? {}
        Ok(())
    }

    /// Runs statement after statement.
    pub(crate) fn run_all(&self, sql: &str) -> Result<()> {
        let mut rest = sql;
        while !rest.is_empty() {
            // A stray `;` is no statement, and not the end either.
            let (statement, tail) = self.compile(rest)?;
            if let Some(mut statement) = statement {
                while statement.step()? {}
            }
            rest = tail;
        }
        Ok(())
    }

    /// Runs one statement with values.
    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<()> {
        self.prepare(sql)?.execute(values)
    }

    /// What a query gives, row by row.
    pub(crate) fn query<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut row: impl FnMut(&Statement<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.prepare(sql)?;
        let mut rows = vec![];
        statement.with_bound(values, |statement| {
            while statement.step()? {
                rows.push(row(statement)?);
            }
            Ok(())
        })?;
        Ok(rows)
    }

    /// The first column of the first row as text; empty where there is none.
    pub(crate) fn scalar(&self, sql: &str) -> Result<String> {
        Ok(self.query(sql, &[], |row| row.string(0))?.into_iter().next().unwrap_or_default())
    }

    /// Whether a transaction is open.
    pub(crate) fn in_transaction(&self) -> bool {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_get_autocommit(self.raw.as_ptr()) == 0 }
    }

    /// Switches a `SQLITE_DBCONFIG_…` flag.
    pub(crate) fn configure(&self, option: c_int, on: bool) -> Result<()> {
        // SAFETY: the options used take an int and a pointer to int that may be null.
        self.check(unsafe { ffi::sqlite3_db_config(self.raw.as_ptr(), option, c_int::from(on), null_mut::<c_int>()) })
    }

    /// Does work of which every compiled statement needs leave.
    pub(crate) fn guarded<T>(&self, allow: &dyn Fn(&Action<'_>) -> bool, work: impl FnOnce() -> T) -> T {
        struct Lift(NonNull<ffi::sqlite3>);
        impl Drop for Lift {
            fn drop(&mut self) {
                // SAFETY: the handle outlives `guarded`, in which this value lives.
                unsafe { ffi::sqlite3_set_authorizer(self.0.as_ptr(), None, null_mut()) };
            }
        }
        let data: *const &dyn Fn(&Action<'_>) -> bool = &raw const allow;
        // SAFETY: `data` points to a local that outlives `lift`, whose drop removes the callback.
        unsafe { ffi::sqlite3_set_authorizer(self.raw.as_ptr(), Some(authorize), data.cast_mut().cast()) };
        let lift = Lift(self.raw);
        let result = work();
        drop(lift);
        result
    }
}

extern "C" fn authorize(
    data: *mut c_void,
    code: c_int,
    first: *const c_char,
    second: *const c_char,
    database: *const c_char,
    accessor: *const c_char,
) -> c_int {
    // SAFETY: `guarded` set `data` to a live `&dyn Fn`; SQLite passes C strings or null.
    let (allow, action) = unsafe {
        let allow = &*data.cast::<&dyn Fn(&Action<'_>) -> bool>();
        (allow, Action::of(code, [first, second, database, accessor]))
    };
    if allow(&action) { ffi::SQLITE_OK } else { ffi::SQLITE_DENY }
}

impl<'a> Action<'a> {
    /// # Safety
    /// The texts are C strings that outlive the action, or null.
    unsafe fn of(code: c_int, texts: [*const c_char; 4]) -> Self {
        // SAFETY: by contract.
        let text = |at: *const c_char| unsafe {
            (!at.is_null()).then(|| CStr::from_ptr::<'a>(at).to_str().unwrap_or("\u{fffd}"))
        };
        let [first, second, database, accessor] = texts.map(text);
        Self { code, first, second, database, accessor, running: false }
    }
}

fn last_error(db: NonNull<ffi::sqlite3>, code: c_int) -> SqliteError {
    // SAFETY: the handle is open; the message is copied before any other call.
    let message = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(db.as_ptr())).to_string_lossy().into_owned() };
    SqliteError { code, message }
}

/// A compiled statement.
pub(crate) struct Statement<'h> {
    raw: NonNull<ffi::sqlite3_stmt>,
    db: NonNull<ffi::sqlite3>,
    wide: bool,
    _handle: PhantomData<&'h ()>,
}

impl Statement<'_> {
    /// Text is UTF-16 in this database: read and bound without a detour through UTF-8, which
    /// SQLite does not make exactly.
    pub(crate) fn wide(mut self, wide: bool) -> Self {
        self.wide = wide;
        self
    }

    fn check(&self, code: c_int) -> Result<()> {
        if code == ffi::SQLITE_OK { Ok(()) } else { Err(last_error(self.db, code)) }
    }

    /// Goes to the next row; false at the end.
    pub(crate) fn step(&mut self) -> Result<bool> {
        // SAFETY: the statement is live and no column of it is borrowed.
        match unsafe { ffi::sqlite3_step(self.raw.as_ptr()) } {
            ffi::SQLITE_ROW => Ok(true),
            ffi::SQLITE_DONE => Ok(false),
            code => Err(last_error(self.db, code)),
        }
    }

    /// Number of columns in a row.
    pub(crate) fn columns(&self) -> usize {
        // SAFETY: the statement is live.
        usize::try_from(unsafe { ffi::sqlite3_column_count(self.raw.as_ptr()) }).unwrap_or(0)
    }

    /// The name of a column of the result.
    pub(crate) fn column_name(&self, column: usize) -> Result<String> {
        let at = c_int::try_from(column).expect("a column number is small");
        // SAFETY: the statement is live; the name is copied before any other call.
        let name = unsafe { ffi::sqlite3_column_name(self.raw.as_ptr(), at) };
        if name.is_null() {
            return Err(last_error(self.db, ffi::SQLITE_NOMEM));
        }
        // SAFETY: SQLite gives a C string.
        Ok(unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned())
    }

    /// How many values it takes.
    pub(crate) fn parameters(&self) -> usize {
        // SAFETY: the statement is live.
        usize::try_from(unsafe { ffi::sqlite3_bind_parameter_count(self.raw.as_ptr()) }).unwrap_or(0)
    }

    /// Whether it only explains a statement.
    pub(crate) fn is_explanation(&self) -> bool {
        // SAFETY: the statement is live.
        unsafe { ffi::sqlite3_stmt_isexplain(self.raw.as_ptr()) != 0 }
    }

    /// Whether running it can change nothing.
    pub(crate) fn is_read_only(&self) -> bool {
        // SAFETY: the statement is live.
        unsafe { ffi::sqlite3_stmt_readonly(self.raw.as_ptr()) != 0 }
    }

    /// Runs the statement once with these values.
    pub(crate) fn execute(&mut self, values: &[Value<'_>]) -> Result<()> {
        self.with_bound(values, |statement| {
            while statement.step()? {}
            Ok(())
        })
    }

    /// Binds without copying, works, and unbinds before the values can go.
    fn with_bound(&mut self, values: &[Value<'_>], work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let wide = if self.wide { widen(values) } else { vec![] };
        let result = self.bind_all(values, &wide).and_then(|()| work(self));
        // SAFETY: the statement is live; both calls only let go of what is bound or borrowed. The
        // code that `reset` repeats is already in `result`.
        unsafe {
            ffi::sqlite3_reset(self.raw.as_ptr());
            ffi::sqlite3_clear_bindings(self.raw.as_ptr());
        }
        result
    }

    fn bind_all(&mut self, values: &[Value<'_>], wide: &[Vec<u16>]) -> Result<()> {
        for (at, value) in (1..).zip(values) {
            let wide = wide.get(usize::try_from(at - 1).unwrap_or(0)).map(Vec::as_slice);
            // SAFETY: the bytes are borrowed by `with_bound`, which unbinds them before it returns.
            unsafe { self.bind(at, value, wide, ffi::SQLITE_STATIC()) }?;
        }
        Ok(())
    }

    /// Binds copies.
    fn bind_copies(&mut self, values: &[Value<'_>]) -> Result<()> {
        let values = (1..).zip(values);
        // SAFETY: SQLite copies the bytes before it returns.
        values.into_iter().try_for_each(|(at, value)| unsafe { self.bind(at, value, None, ffi::SQLITE_TRANSIENT()) })
    }

    /// # Safety
    /// Unless `keep` makes SQLite copy them, the bytes stay until they are unbound.
    unsafe fn bind(
        &mut self,
        at: c_int,
        value: &Value<'_>,
        wide: Option<&[u16]>,
        keep: ffi::sqlite3_destructor_type,
    ) -> Result<()> {
        let raw = self.raw.as_ptr();
        // SAFETY: the statement is live; the bytes are, by contract.
        let code = unsafe {
            match value {
                Value::Null => ffi::sqlite3_bind_null(raw, at),
                Value::Integer(value) => ffi::sqlite3_bind_int64(raw, at, *value),
                Value::Real(value) => ffi::sqlite3_bind_double(raw, at, *value),
                Value::Text(text) => {
                    let narrow = (text.as_ptr().cast(), text.len(), ffi::SQLITE_UTF8);
                    let (start, length, encoding) =
                        wide.map_or(narrow, |wide| (wide.as_ptr().cast(), wide.len() * 2, ffi::SQLITE_UTF16));
                    let encoding = u8::try_from(encoding).expect("encodings are small constants");
                    ffi::sqlite3_bind_text64(raw, at, start, length as u64, keep, encoding)
                }
                Value::Wide(_) => return Err(SqliteError::new(ffi::SQLITE_MISUSE, "UTF-16 text is only read")),
                Value::Blob(bytes) if bytes.is_empty() => ffi::sqlite3_bind_zeroblob(raw, at, 0),
                Value::Blob(bytes) => {
                    ffi::sqlite3_bind_blob64(raw, at, bytes.as_ptr().cast(), bytes.len() as u64, keep)
                }
            }
        };
        self.check(code)
    }

    /// A column of the present row.
    pub(crate) fn value(&self, column: usize) -> Result<Value<'_>> {
        let at = c_int::try_from(column).expect("a column number is small");
        let raw = self.raw.as_ptr();
        // SAFETY: the statement is live; an index out of range reads as NULL.
        unsafe {
            Ok(match ffi::sqlite3_column_type(raw, at) {
                ffi::SQLITE_INTEGER => Value::Integer(ffi::sqlite3_column_int64(raw, at)),
                ffi::SQLITE_FLOAT => Value::Real(ffi::sqlite3_column_double(raw, at)),
                ffi::SQLITE_TEXT if self.wide => {
                    let text = sqlite3_column_text16(raw, at);
                    Value::Wide(self.bytes(text.cast(), sqlite3_column_bytes16(raw, at))?)
                }
                ffi::SQLITE_TEXT => {
                    let text = ffi::sqlite3_column_text(raw, at);
                    Value::Text(self.bytes(text, ffi::sqlite3_column_bytes(raw, at))?.into())
                }
                ffi::SQLITE_BLOB => {
                    let blob = ffi::sqlite3_column_blob(raw, at);
                    Value::Blob(self.bytes(blob.cast(), ffi::sqlite3_column_bytes(raw, at))?.into())
                }
                _ => Value::Null,
            })
        }
    }

    /// Borrows a column's bytes from the statement.
    ///
    /// # Safety
    /// `start` and `length` are what SQLite gave for one column of the present row.
    unsafe fn bytes(&self, start: *const u8, length: c_int) -> Result<&[u8]> {
        let length = usize::try_from(length).unwrap_or(0);
        if !start.is_null() {
            // SAFETY: by contract; the bytes stay until the next step, which needs `&mut self`.
            return Ok(unsafe { std::slice::from_raw_parts(start, length) });
        }
        // SAFETY: the handle is open. No bytes: an empty BLOB, or no memory.
        match unsafe { ffi::sqlite3_errcode(self.db.as_ptr()) } {
            ffi::SQLITE_NOMEM => Err(last_error(self.db, ffi::SQLITE_NOMEM)),
            _ => Ok(&[]),
        }
    }

    /// A column as text, as SQLite converts it; NULL is empty.
    pub(crate) fn string(&self, column: usize) -> Result<String> {
        Ok(self.optional_string(column)?.unwrap_or_default())
    }

    /// A column as text; none for NULL.
    pub(crate) fn optional_string(&self, column: usize) -> Result<Option<String>> {
        Ok(match self.value(column)? {
            Value::Null => None,
            Value::Integer(value) => Some(value.to_string()),
            Value::Real(value) => Some(format!("{value:?}")),
            Value::Text(text) | Value::Blob(text) => Some(
                String::from_utf8(text.into_owned())
                    .map_err(|_| SqliteError::new(ffi::SQLITE_MISMATCH, "a name or a setting is not UTF-8"))?,
            ),
            Value::Wide(_) => return Err(SqliteError::new(ffi::SQLITE_MISUSE, "names are read as UTF-8")),
        })
    }

    /// A column as an integer; 0 for anything else.
    pub(crate) fn integer(&self, column: usize) -> i64 {
        let at = c_int::try_from(column).expect("a column number is small");
        // SAFETY: the statement is live; an index out of range reads as NULL.
        unsafe { ffi::sqlite3_column_int64(self.raw.as_ptr(), at) }
    }
}

/// The texts among the values in UTF-16, at their places. SQLite drops a byte order mark at the
/// start of UTF-16 text that is bound: one that is part of the text is put before itself.
fn widen(values: &[Value<'_>]) -> Vec<Vec<u16>> {
    let units = |value: &Value<'_>| match value {
        Value::Text(text) => {
            let text = String::from_utf8_lossy(text);
            let mark = text.starts_with(['\u{feff}', '\u{fffe}']).then_some(0xfeff);
            mark.into_iter().chain(text.encode_utf16()).collect()
        }
        _ => vec![],
    };
    values.iter().map(units).collect()
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        // SAFETY: the statement is live and goes with this value; its handle is still locked.
        unsafe { ffi::sqlite3_finalize(self.raw.as_ptr()) };
    }
}
