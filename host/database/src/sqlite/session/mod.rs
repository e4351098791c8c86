//! A connection for a module: hostile SQL, held to rules that SQLite itself asks about.
//!
//! | file | tells |
//! |---|---|
//! | `open` | the three connections, and their limits |
//! | `rules` | what a statement may do on each of them |
//! | `functions` | the functions that are the same everywhere and reach nothing |
//! | `target` | the rules on the target, where triggers of the application's own run too |
//! | `failure` | what a module is told |
//!
//! What SQLite compiles while a statement runs (a full-text index keeps its tables with SQL of its own), and what it
//! compiles once more, is asked about as well: the rules stay until the connection ends.

mod failure;
mod functions;
mod open;
mod rules;
mod target;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use godwit_model::{SqlConnection, SqlFailure, SqlRow, SqlValue};

pub(crate) use open::{open_input, open_scratch};
pub(super) use target::{Grants, on_target};

use super::error::SqliteError;
use super::raw::{self, Session, Statement, Value};
use failure::Teller;

/// Cursors that a connection may have open.
pub(crate) const CURSORS_MAX: usize = 64;
/// Bytes of values after which `next` gives what it has.
pub(crate) const BATCH_BYTES: usize = 1 << 20;
/// Bytes of values in one row.
pub(crate) const ROW_BYTES_MAX: usize = 64 << 20;
/// Bytes of a statement.
pub(crate) const SQL_BYTES_MAX: i32 = 1 << 20;

/// A connection, with what is known of its cursors.
pub(super) struct ModuleConnection<'c> {
    session: Session<'c>,
    teller: Teller,
    cursors: BTreeMap<u32, Place>,
    /// The connection is the run's, inside a transaction that a failed statement may end.
    in_transaction: bool,
}

/// Where a cursor stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On a row that nobody has read yet.
    Row,
    /// Past the last one, or a failure.
    End,
}

impl<'c> ModuleConnection<'c> {
    fn new(session: Session<'c>, teller: Teller, in_transaction: bool) -> Self {
        Self { session, teller, cursors: BTreeMap::new(), in_transaction }
    }

    /// Compiles a statement and goes to its first row.
    fn begin(&mut self, sql: &str, values: &[SqlValue]) -> Result<(u32, Place), SqlFailure> {
        self.check_state(sql)?;
        let bound: Vec<_> = values.iter().map(bound).collect();
        self.teller.begin(sql);
        if !self.in_transaction {
            raw::seed_chance(); // whatever was drawn before, and by whom
        }
        let admit = |statement: &Statement<'_>| admit(statement, values.len());
        let cursor = self.session.begin(sql, &bound, admit).map_err(|error| self.teller.failure(&error))?;
        match self.step(cursor) {
            Ok(place) => Ok((cursor, place)),
            Err(failure) => {
                self.session.close(cursor);
                Err(failure)
            }
        }
    }

    fn check_state(&self, sql: &str) -> Result<(), SqlFailure> {
        if self.in_transaction && !self.session.in_transaction() {
            return Err(failure::rolled_back());
        }
        if i32::try_from(sql.len()).is_ok_and(|bytes| bytes <= SQL_BYTES_MAX) {
            return Ok(());
        }
        Err(failure::limit(&format!("a statement has at most {SQL_BYTES_MAX} bytes")))
    }

    fn step(&mut self, cursor: u32) -> Result<Place, SqlFailure> {
        match self.session.step(cursor) {
            Ok(true) => Ok(Place::Row),
            Ok(false) => Ok(Place::End),
            Err(error) => Err(self.teller.failure(&error)),
        }
    }

    fn run_out(&mut self, cursor: u32, mut place: Place) -> Result<(), SqlFailure> {
        while place == Place::Row {
            place = self.step(cursor)?;
        }
        Ok(())
    }

    /// Takes rows until there are enough of them.
    fn take(&mut self, cursor: u32, limit: u32) -> Result<Vec<SqlRow>, SqlFailure> {
        let (mut rows, mut bytes) = (vec![], 0);
        while rows.len() < limit as usize && bytes < BATCH_BYTES && self.cursors.get(&cursor) == Some(&Place::Row) {
            let statement = self.session.row(cursor).ok_or_else(SqlFailure::no_cursor)?;
            let (row, size) = read(statement).map_err(|failure| failure.unwrap_or_else(row_too_large))?;
            rows.push(row);
            bytes += size;
            let place = self.step(cursor)?;
            self.cursors.insert(cursor, place);
        }
        Ok(rows)
    }
}

fn row_too_large() -> SqlFailure {
    failure::limit(&format!("a row has at most {ROW_BYTES_MAX} bytes"))
}

impl SqlConnection for ModuleConnection<'_> {
    fn execute(&mut self, sql: &str, values: &[SqlValue]) -> Result<u64, SqlFailure> {
        let (_, before) = self.session.changes();
        let (cursor, place) = self.begin(sql, values)?;
        let result = self.run_out(cursor, place);
        self.session.close(cursor);
        result?;
        let (changed, after) = self.session.changes();
        // A statement that changes no rows leaves the number of the one before it.
        Ok(if after == before { 0 } else { u64::try_from(changed).unwrap_or(0) })
    }

    fn query(&mut self, sql: &str, values: &[SqlValue]) -> Result<u32, SqlFailure> {
        if self.session.open_cursors() >= CURSORS_MAX {
            return Err(failure::limit(&format!("a connection has at most {CURSORS_MAX} open cursors: close some")));
        }
        let (cursor, place) = self.begin(sql, values)?;
        self.cursors.insert(cursor, place);
        Ok(cursor)
    }

    fn columns(&mut self, cursor: u32) -> Result<Vec<String>, SqlFailure> {
        let statement = self.session.row(cursor).ok_or_else(SqlFailure::no_cursor)?;
        let names = (0..statement.columns()).map(|column| statement.column_name(column));
        names.collect::<Result<_, _>>().map_err(|error| self.teller.failure(&error))
    }

    fn next(&mut self, cursor: u32, limit: u32) -> Result<Vec<SqlRow>, SqlFailure> {
        if !self.cursors.contains_key(&cursor) {
            return Err(SqlFailure::no_cursor());
        }
        let rows = self.take(cursor, limit);
        if rows.is_err() {
            // A statement that failed begins anew when it is stepped.
            self.cursors.insert(cursor, Place::End);
        }
        rows
    }

    fn close(&mut self, cursor: u32) {
        self.cursors.remove(&cursor);
        self.session.close(cursor);
    }

    fn end_by(&mut self, moment: Instant) {
        self.session.end_by(moment);
    }

    fn end_upon(&mut self, stop: Arc<AtomicBool>) {
        self.session.end_upon(stop);
    }
}

/// Looks at a compiled statement before it runs.
fn admit(statement: &Statement<'_>, values: usize) -> Result<(), SqliteError> {
    let wanted = statement.parameters();
    match () {
        () if statement.is_explanation() => Err(SqliteError::new(failure::RULE, "a module may not use EXPLAIN here")),
        () if wanted != values => {
            let message = format!("the statement takes {wanted} values, and {values} were given");
            Err(SqliteError::new(failure::PARAMETERS, message))
        }
        () => Ok(()),
    }
}

fn bound(value: &SqlValue) -> Value<'_> {
    match value {
        SqlValue::Null => Value::Null,
        SqlValue::Boolean(value) => Value::Integer(i64::from(*value)),
        SqlValue::Integer(value) => Value::Integer(*value),
        SqlValue::Real(value) => Value::Real(*value),
        SqlValue::Text(text) => Value::text(text),
        SqlValue::Bytes(bytes) => Value::Blob(bytes.as_slice().into()),
    }
}

/// The present row, with its size; no failure named: it is too large.
fn read(statement: &Statement<'_>) -> Result<(SqlRow, usize), Option<SqlFailure>> {
    let (mut row, mut bytes) = (Vec::with_capacity(statement.columns()), 0);
    for column in 0..statement.columns() {
        let value = statement.value(column).map_err(|error| Some(failure::of(&error)))?;
        bytes += size(&value);
        if bytes > ROW_BYTES_MAX {
            return Err(None);
        }
        row.push(given(value).ok_or_else(|| Some(failure::not_text(&name(statement, column))))?);
    }
    Ok((row, bytes))
}

fn name(statement: &Statement<'_>, column: usize) -> String {
    statement.column_name(column).unwrap_or_default()
}

fn size(value: &Value<'_>) -> usize {
    size_of::<SqlValue>()
        + match value {
            Value::Null | Value::Integer(_) | Value::Real(_) => 0,
            Value::Text(bytes) | Value::Blob(bytes) => bytes.len(),
            Value::Wide(bytes) => bytes.len(),
        }
}

/// None where it is text, but not UTF-8.
fn given(value: Value<'_>) -> Option<SqlValue> {
    Some(match value {
        Value::Null => SqlValue::Null,
        Value::Integer(value) => SqlValue::Integer(value),
        Value::Real(value) => SqlValue::Real(value),
        Value::Text(text) => SqlValue::Text(String::from_utf8(text.into_owned()).ok()?),
        Value::Wide(_) => return None,
        Value::Blob(bytes) => SqlValue::Bytes(bytes.into_owned()),
    })
}
