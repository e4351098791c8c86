//! A connection in foreign hands: its statements live from call to call, and whatever they compile or run is
//! asked for leave.

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use libsqlite3_sys as ffi;

use super::super::error::Result;
use super::{Action, Connection, Handle, OwnConnection, Statement, Value, last_error};

/// Who may do what.
pub(crate) type Allow = Box<dyn Fn(&Action<'_>) -> bool + Send>;

/// Steps of SQLite's machine between two looks at the clock.
const STEPS_BETWEEN_LOOKS: c_int = 100;

/// A connection and the statements that are under way on it. While it lives, the rules hold; then a connection
/// that was lent is as it was before.
pub(crate) struct Session<'c> {
    /// Finalized before the connection can go.
    cursors: BTreeMap<u32, Statement<'static>>,
    raw: NonNull<ffi::sqlite3>,
    /// Shared with SQLite's callbacks; freed when they are gone.
    hooks: NonNull<Hooks>,
    /// What the limits were.
    limits: Vec<(c_int, c_int)>,
    last: u32,
    _own: Option<OwnConnection>,
    _lent: PhantomData<&'c mut Connection>,
}

struct Hooks {
    allow: Allow,
    running: Cell<bool>,
    moment: Cell<Option<Instant>>,
    stop: RefCell<Option<Arc<AtomicBool>>>,
}

impl Hooks {
    fn is_over(&self) -> bool {
        self.moment.get().is_some_and(|moment| Instant::now() >= moment)
            || self.stop.borrow().as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}

// SAFETY: all that is shared with SQLite is reached through `&mut self`, the rules are `Send`, and SQLite is
// built to be called from any thread.
unsafe impl Send for Session<'_> {}

impl Session<'static> {
    /// Of a connection of its own.
    pub(crate) fn own(mut connection: OwnConnection, limits: &[(c_int, c_int)], allow: Allow) -> Self {
        let raw = connection.lock().raw;
        Self::begin_on(raw, Some(connection), limits, allow)
    }
}

impl<'c> Session<'c> {
    /// On a connection that nobody else can use meanwhile.
    pub(crate) fn lent(connection: &'c mut Connection, limits: &[(c_int, c_int)], allow: Allow) -> Result<Self> {
        let raw = connection.lock()?.raw;
        Ok(Self::begin_on(raw, None, limits, allow))
    }

    fn begin_on(
        raw: NonNull<ffi::sqlite3>,
        own: Option<OwnConnection>,
        limits: &[(c_int, c_int)],
        allow: Allow,
    ) -> Self {
        let hooks =
            Box::new(Hooks { allow, running: Cell::new(false), moment: Cell::new(None), stop: RefCell::new(None) });
        let hooks = NonNull::from(Box::leak(hooks));
        // SAFETY: the handle is open as long as the session lives, which removes both callbacks before it
        // frees what they are handed.
        let limits = unsafe {
            ffi::sqlite3_set_authorizer(raw.as_ptr(), Some(authorize), hooks.as_ptr().cast());
            ffi::sqlite3_progress_handler(raw.as_ptr(), STEPS_BETWEEN_LOOKS, Some(look), hooks.as_ptr().cast());
            limits.iter().map(|&(id, most)| (id, ffi::sqlite3_limit(raw.as_ptr(), id, most))).collect()
        };
        Self { cursors: BTreeMap::new(), raw, hooks, limits, last: 0, _own: own, _lent: PhantomData }
    }

    fn hooks(&self) -> &Hooks {
        // SAFETY: freed by `drop` only; nobody holds it but by shared reference.
        unsafe { self.hooks.as_ref() }
    }

    /// Whatever still runs then is interrupted.
    pub(crate) fn end_by(&mut self, moment: Instant) {
        self.hooks().moment.set(Some(moment));
    }

    /// Whatever still runs when this becomes true is interrupted.
    pub(crate) fn end_upon(&mut self, stop: Arc<AtomicBool>) {
        self.hooks().stop.replace(Some(stop));
    }

    /// Compiles the one statement that `sql` must be, lets it be looked at, and binds the values.
    pub(crate) fn begin(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        admit: impl FnOnce(&Statement<'_>) -> Result<()>,
    ) -> Result<u32> {
        let handle = Handle { raw: self.raw, _guard: None };
        let mut statement = handle.prepare(sql)?;
        admit(&statement)?;
        statement.bind_copies(values)?;
        let kept = Statement { raw: statement.raw, db: statement.db, wide: false, _handle: PhantomData };
        std::mem::forget(statement); // `kept` finalizes it
        self.last = self.last.wrapping_add(1);
        self.cursors.insert(self.last, kept);
        Ok(self.last)
    }

    /// Goes to a cursor's next row; false at the end.
    pub(crate) fn step(&mut self, cursor: u32) -> Result<bool> {
        self.hooks().running.set(true);
        let result = self.cursors.get_mut(&cursor).map_or(Ok(false), Statement::step);
        self.hooks().running.set(false);
        result
    }

    /// A cursor's present row.
    pub(crate) fn row(&self, cursor: u32) -> Option<&Statement<'_>> {
        self.cursors.get(&cursor).map(|statement| statement as &Statement<'_>)
    }

    /// Ends a cursor.
    pub(crate) fn close(&mut self, cursor: u32) {
        self.cursors.remove(&cursor);
    }

    /// How many cursors there are.
    pub(crate) fn open_cursors(&self) -> usize {
        self.cursors.len()
    }

    /// Rows changed by the last statement that changes rows, and by all there were, triggers' included.
    pub(crate) fn changes(&self) -> (i64, i64) {
        // SAFETY: the handle is open.
        unsafe { (ffi::sqlite3_changes64(self.raw.as_ptr()), ffi::sqlite3_total_changes64(self.raw.as_ptr())) }
    }

    /// Whether a transaction is open.
    pub(crate) fn in_transaction(&self) -> bool {
        Handle { raw: self.raw, _guard: None }.in_transaction()
    }

    /// Puts a function that only fails in the place of a built-in one, also where an expression of the schema calls it.
    pub(crate) fn forbid_function(&mut self, name: &CStr) -> Result<()> {
        let (any, text) = (-1, ffi::SQLITE_UTF8);
        // SAFETY: the handle is open; the function needs no data.
        let code = unsafe {
            let (raw, name) = (self.raw.as_ptr(), name.as_ptr());
            ffi::sqlite3_create_function_v2(raw, name, any, text, null_mut(), Some(refuse), None, None, None)
        };
        if code == ffi::SQLITE_OK { Ok(()) } else { Err(last_error(self.raw, code)) }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.cursors.clear();
        // SAFETY: the handle is open; after the first two calls nothing refers to the hooks, which were leaked
        // from a box.
        unsafe {
            ffi::sqlite3_set_authorizer(self.raw.as_ptr(), None, null_mut());
            ffi::sqlite3_progress_handler(self.raw.as_ptr(), 0, None, null_mut());
            self.limits.iter().for_each(|&(id, former)| _ = ffi::sqlite3_limit(self.raw.as_ptr(), id, former));
            drop(Box::from_raw(self.hooks.as_ptr()));
        }
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
    // SAFETY: `data` is the hooks of a session that lives; SQLite passes C strings or null.
    let (hooks, action) = unsafe { (&*data.cast::<Hooks>(), Action::of(code, [first, second, database, accessor])) };
    let action = Action { running: hooks.running.get(), ..action };
    if (hooks.allow)(&action) { ffi::SQLITE_OK } else { ffi::SQLITE_DENY }
}

extern "C" fn look(data: *mut c_void) -> c_int {
    // SAFETY: `data` is the hooks of a session that lives.
    let hooks = unsafe { &*data.cast::<Hooks>() };
    c_int::from(hooks.is_over())
}

extern "C" fn refuse(context: *mut ffi::sqlite3_context, _: c_int, _: *mut *mut ffi::sqlite3_value) {
    const WHY: &CStr = c"there is no clock and no chance here";
    // SAFETY: SQLite passes a live context, and copies the message.
    unsafe { ffi::sqlite3_result_error(context, WHY.as_ptr(), -1) };
}
