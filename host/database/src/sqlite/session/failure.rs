//! What a module is told when a statement was not done.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use godwit_model::SqlFailure;
use libsqlite3_sys as ffi;

use super::super::error::SqliteError;

/// Codes of our own among SQLite's, which are all positive.
pub(super) const RULE: i32 = -1;
pub(super) const PARAMETERS: i32 = -2;

/// Longest message, in bytes: SQLite repeats what it was given.
const MESSAGE_BYTES_MAX: usize = 1024;

/// Tells which rule forbade a statement, where one did.
#[derive(Clone, Default)]
pub(super) struct Teller {
    present: Arc<Mutex<Present>>,
    full: Option<String>,
}

#[derive(Default)]
struct Present {
    statement: String,
    matches: usize,
    denied: Option<String>,
}

impl Teller {
    /// The same, with words for a database that is full.
    pub(super) fn when_full(self, message: String) -> Self {
        Self { full: Some(message), ..self }
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A statement begins.
    pub(super) fn begin(&self, sql: &str) {
        *self.present() = Present { statement: sql.to_owned(), ..Present::default() };
    }

    /// One more LIKE or GLOB in the present statement; answers how many there are.
    pub(super) fn count_match(&self) -> usize {
        let mut present = self.present();
        present.matches += 1;
        present.matches
    }

    /// Whether the present statement has this text anywhere.
    pub(super) fn is_in_statement(&self, text: &str) -> bool {
        self.present().statement.contains(text)
    }

    /// Keeps what was denied first; answers whether nothing was.
    pub(super) fn judge(&self, verdict: Result<(), String>) -> bool {
        let Err(what) = verdict else { return true };
        self.present().denied.get_or_insert(what);
        false
    }

    /// An error in a module's words: the rule behind it, or SQLite's.
    pub(super) fn failure(&self, error: &SqliteError) -> SqlFailure {
        let denied = self.present().denied.take();
        match (denied, &self.full) {
            (Some(what), _) => coded("42501", &format!("a module may not {what} here")),
            (None, Some(full)) if error.code & 0xff == ffi::SQLITE_FULL => coded("SQLITE_FULL", full),
            _ => of(error),
        }
    }
}

/// An error as SQLite has it.
pub(super) fn of(error: &SqliteError) -> SqlFailure {
    match error.code {
        RULE => coded("42501", &error.message),
        PARAMETERS => coded("07001", &error.message),
        ffi::SQLITE_INTERRUPT => coded("SQLITE_INTERRUPT", "the statement ran out of time"),
        code => coded(&name(code), &error.message),
    }
}

/// A limit of ours.
pub(super) fn limit(message: &str) -> SqlFailure {
    coded("54000", message)
}

/// A result that cannot be handed over.
pub(super) fn not_text(column: &str) -> SqlFailure {
    coded("22021", &format!("column {column:?} holds text that is not UTF-8; read it as CAST(… AS BLOB)"))
}

/// A transaction that is no more.
pub(super) fn rolled_back() -> SqlFailure {
    coded("25P02", "a statement that failed has undone everything that the module wrote here")
}

fn coded(code: &str, message: &str) -> SqlFailure {
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let end = line.floor_char_boundary(MESSAGE_BYTES_MAX);
    SqlFailure { code: code.to_owned(), message: line[..end].to_owned() }
}

/// SQLite's name for a result code; the number of one that has none here.
fn name(code: i32) -> String {
    let name = match code {
        ffi::SQLITE_ERROR => "SQLITE_ERROR",
        ffi::SQLITE_BUSY => "SQLITE_BUSY",
        ffi::SQLITE_LOCKED => "SQLITE_LOCKED",
        ffi::SQLITE_NOMEM => "SQLITE_NOMEM",
        ffi::SQLITE_READONLY => "SQLITE_READONLY",
        ffi::SQLITE_CORRUPT => "SQLITE_CORRUPT",
        ffi::SQLITE_FULL => "SQLITE_FULL",
        ffi::SQLITE_TOOBIG => "SQLITE_TOOBIG",
        ffi::SQLITE_CONSTRAINT => "SQLITE_CONSTRAINT",
        ffi::SQLITE_CONSTRAINT_CHECK => "SQLITE_CONSTRAINT_CHECK",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "SQLITE_CONSTRAINT_DATATYPE",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "SQLITE_CONSTRAINT_NOTNULL",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "SQLITE_CONSTRAINT_PRIMARYKEY",
        ffi::SQLITE_CONSTRAINT_ROWID => "SQLITE_CONSTRAINT_ROWID",
        ffi::SQLITE_CONSTRAINT_TRIGGER => "SQLITE_CONSTRAINT_TRIGGER",
        ffi::SQLITE_CONSTRAINT_UNIQUE => "SQLITE_CONSTRAINT_UNIQUE",
        ffi::SQLITE_MISMATCH => "SQLITE_MISMATCH",
        ffi::SQLITE_MISUSE => "SQLITE_MISUSE",
        ffi::SQLITE_AUTH => "SQLITE_AUTH",
        ffi::SQLITE_RANGE => "SQLITE_RANGE",
        other => return other.to_string(),
    };
    name.to_owned()
}
