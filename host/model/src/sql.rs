//! SQL as a module sees it: the `database` interface of `wit/migration.wit` in the host's words.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// A value that a statement takes or a query gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SqlValue {
    /// NULL.
    Null,
    /// A boolean. SQLite knows none: it takes 0 and 1, and gives integers.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// A float. Passed on by its bits, for JSON has neither NaN nor infinities.
    Real(#[serde(with = "bits")] f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

mod bits {
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.to_bits())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

/// Why a statement was not done. The module may handle it; nothing else of the run is touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlFailure {
    /// SQLSTATE, or the engine's own code.
    pub code: String,
    /// What the engine says, or which rule forbids it.
    pub message: String,
}

impl SqlFailure {
    /// A connection that is not there, or was not granted: the same to a module.
    pub fn no_connection(name: &str) -> Self {
        Self { code: "08001".to_owned(), message: format!("there is no connection {name:?}") }
    }

    /// A cursor that is closed, or never was.
    pub fn no_cursor() -> Self {
        Self { code: "34000".to_owned(), message: "the cursor is closed".to_owned() }
    }
}

impl fmt::Display for SqlFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

/// One row of a result.
pub type SqlRow = Vec<SqlValue>;

/// A connection that a module may use. What it may touch is enforced by the database itself.
///
/// Statements and queries take one statement each. Cursors are numbers of the connection's own
/// choosing and end with it.
pub trait SqlConnection: Send {
    /// Whether it answers at present; what does not answers like what does not exist.
    fn open(&mut self) -> Result<(), SqlFailure> {
        Ok(())
    }

    /// Runs one statement; answers how many rows it changed.
    fn execute(&mut self, sql: &str, values: &[SqlValue]) -> Result<u64, SqlFailure>;

    /// Begins one query; answers the cursor that its rows are read with.
    fn query(&mut self, sql: &str, values: &[SqlValue]) -> Result<u32, SqlFailure>;

    /// The names of the columns that a cursor gives.
    fn columns(&mut self, cursor: u32) -> Result<Vec<String>, SqlFailure>;

    /// Up to `limit` further rows; none at the end, fewer where they are large.
    fn next(&mut self, cursor: u32, limit: u32) -> Result<Vec<SqlRow>, SqlFailure>;

    /// Ends a cursor; nothing where there is none.
    fn close(&mut self, cursor: u32);

    /// A statement that still runs at this moment is ended, with a failure.
    fn end_by(&mut self, moment: Instant) {
        let _ = moment;
    }

    /// A statement that still runs when this becomes true is ended, with a failure.
    fn end_upon(&mut self, stop: Arc<AtomicBool>) {
        drop(stop);
    }
}
