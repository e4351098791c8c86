//! The interface `database`.
#![allow(unreachable_pub)] // the generated bindings want their resources public

use godwit_model::{SqlConnection, SqlFailure, SqlRow, SqlValue};
use wasmtime::Result;
use wasmtime::component::Resource;

use super::Phase;
use crate::bindings::database::{Failure, Host as Interface, HostConnection, HostRows, Value};
use crate::error::Excess;
use crate::host::Host;
use crate::instance::End;
use crate::limits::ROWS_AT_ONCE;
use crate::{tame, tame_line};

/// A connection that a module holds.
#[derive(Clone, Copy)]
pub enum Connection {
    Input,
    Scratch,
    Target,
}

/// A cursor that a module holds.
pub struct Rows {
    connection: Connection,
    cursor: u32,
    given: u64,
}

impl Connection {
    fn named(name: &str) -> Option<Self> {
        match name {
            "input" => Some(Self::Input),
            "scratch" => Some(Self::Scratch),
            "target" => Some(Self::Target),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Scratch => "scratch",
            Self::Target => "target",
        }
    }
}

impl Host {
    fn reach(&mut self, connection: Connection) -> Result<&mut dyn SqlConnection, SqlFailure> {
        let (answers, slot) = match connection {
            Connection::Input => (self.phase.has_capabilities(), &mut self.capabilities.input),
            Connection::Scratch => (self.phase.has_capabilities(), &mut self.capabilities.scratch),
            Connection::Target => (self.phase == Phase::Verify, &mut self.capabilities.target),
        };
        match slot {
            Some(connection) if answers => Ok(connection.as_mut()),
            _ => Err(SqlFailure::no_connection(connection.name())),
        }
    }
}

impl Interface for Host {}

impl HostConnection for Host {
    fn open(&mut self, name: String) -> Result<Result<Resource<Connection>, Failure>> {
        self.count_call()?;
        let missing = || SqlFailure::no_connection(&tame_line(&name));
        let found = Connection::named(&name).ok_or_else(missing);
        match found.and_then(|connection| self.reach(connection)?.open().map(|()| connection)) {
            Ok(connection) => Ok(Ok(self.hold(connection)?)),
            Err(failure) => Ok(Err(failure.into())),
        }
    }

    fn execute(&mut self, held: Resource<Connection>, sql: String, values: Vec<Value>) -> Result<Result<u64, Failure>> {
        self.count_call()?;
        let connection = *self.held.get(&held)?;
        let values: Vec<_> = values.into_iter().map(SqlValue::from).collect();
        let done = self.reach(connection).and_then(|connection| connection.execute(&sql, &values));
        Ok(done.map_err(Failure::from))
    }

    fn query(
        &mut self,
        held: Resource<Connection>,
        sql: String,
        values: Vec<Value>,
    ) -> Result<Result<Resource<Rows>, Failure>> {
        self.count_call()?;
        let connection = *self.held.get(&held)?;
        let values: Vec<_> = values.into_iter().map(SqlValue::from).collect();
        match self.reach(connection).and_then(|connection| connection.query(&sql, &values)) {
            Ok(cursor) => Ok(Ok(self.hold(Rows { connection, cursor, given: 0 })?)),
            Err(failure) => Ok(Err(failure.into())),
        }
    }

    fn drop(&mut self, held: Resource<Connection>) -> Result<()> {
        self.held.delete(held)?;
        Ok(())
    }
}

impl HostRows for Host {
    fn columns(&mut self, held: Resource<Rows>) -> Result<Vec<String>> {
        self.count_call()?;
        let &Rows { connection, cursor, .. } = self.held.get(&held)?;
        // A cursor of a connection that no longer answers has no columns, and its rows say why.
        Ok(self.reach(connection).and_then(|connection| connection.columns(cursor)).unwrap_or_default())
    }

    fn next(&mut self, held: Resource<Rows>, limit: u32) -> Result<Result<Vec<Vec<Value>>, Failure>> {
        self.count_call()?;
        let &Rows { connection, cursor, given } = self.held.get(&held)?;
        let limit = limit.clamp(1, ROWS_AT_ONCE);
        let rows = match self.reach(connection).and_then(|connection| connection.next(cursor, limit)) {
            Ok(rows) => rows,
            Err(failure) => return Ok(Err(failure.into())),
        };
        let given = given.saturating_add(rows.len() as u64);
        if given > self.limits.rows {
            return Err(End::Exceeded(Excess::Rows(self.limits.rows)).into());
        }
        self.held.get_mut(&held)?.given = given;
        Ok(Ok(rows.into_iter().map(row).collect()))
    }

    fn drop(&mut self, held: Resource<Rows>) -> Result<()> {
        let Rows { connection, cursor, .. } = self.held.delete(held)?;
        if let Ok(connection) = self.reach(connection) {
            connection.close(cursor);
        }
        Ok(())
    }
}

fn row(row: SqlRow) -> Vec<Value> {
    row.into_iter().map(Value::from).collect()
}

impl From<SqlFailure> for Failure {
    fn from(failure: SqlFailure) -> Self {
        Self { code: tame_line(&failure.code), message: tame(&failure.message) }
    }
}

impl From<Value> for SqlValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => Self::Boolean(value),
            Value::Integer(value) => Self::Integer(value),
            Value::Real(value) => Self::Real(value),
            Value::Text(value) => Self::Text(value),
            Value::Bytes(value) => Self::Bytes(value),
        }
    }
}

impl From<SqlValue> for Value {
    fn from(value: SqlValue) -> Self {
        match value {
            SqlValue::Null => Self::Null,
            SqlValue::Boolean(value) => Self::Boolean(value),
            SqlValue::Integer(value) => Self::Integer(value),
            SqlValue::Real(value) => Self::Real(value),
            SqlValue::Text(value) => Self::Text(value),
            SqlValue::Bytes(value) => Self::Bytes(value),
        }
    }
}
