//! The rows of a query, batch by batch.

use std::cell::OnceCell;
use std::marker::PhantomData;
use std::vec;

use serde::de::DeserializeOwned;

use super::cell::Cell;
use super::failure::Statement;
use super::row::{Row, columns_wanted};
use super::{Cursor, Value};
use crate::{Error, Result};

/// Rows asked of the host at once; it answers with fewer where they are large.
pub(super) const BATCH: u32 = 256;

/// For queries of which more than one row is an error.
pub(super) const ONE_AND_ANOTHER: u32 = 2;

/// The rows of a query, each a `T`. Ends after the first error.
pub struct Rows<'q, T> {
    fetch: Fetch<'q>,
    row: PhantomData<fn() -> T>,
}

impl<'q, T> Rows<'q, T> {
    pub(super) fn new(fetch: Fetch<'q>) -> Self {
        Self { fetch, row: PhantomData }
    }
}

impl<T: DeserializeOwned> Iterator for Rows<'_, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let values = self.fetch.next().transpose()?;
        let row = values.and_then(|values| self.fetch.read(values));
        self.fetch.ended |= row.is_err();
        Some(row)
    }
}

/// Rows as the host hands them over.
pub(super) struct Fetch<'q> {
    pub(super) statement: Statement<'q>,
    cursor: Cursor,
    limit: u32,
    batch: vec::IntoIter<Vec<Value>>,
    ended: bool,
    names: OnceCell<Vec<String>>,
}

impl<'q> Fetch<'q> {
    pub(super) fn new(statement: Statement<'q>, cursor: Cursor, limit: u32) -> Self {
        Self { statement, cursor, limit, batch: Vec::new().into_iter(), ended: false, names: OnceCell::new() }
    }

    /// The next row. Only an empty batch is the end: the host may answer with fewer than asked for.
    fn next(&mut self) -> Result<Option<Vec<Value>>> {
        if self.ended {
            return Ok(None);
        }
        if self.batch.len() == 0 {
            let batch = self.cursor.next(self.limit);
            self.ended = batch.as_ref().map_or(true, Vec::is_empty);
            self.batch = batch.map_err(|failure| self.statement.failed(failure))?.into_iter();
        }
        Ok(self.batch.next())
    }

    /// The row of a query that has no other.
    pub(super) fn only(&mut self) -> Result<Option<Vec<Value>>> {
        let row = self.next()?;
        if row.is_some() && self.next()?.is_some() {
            let several = "has more than one row; ask for one, or read them with `rows`";
            return Err(self.statement.wrong(&Error::new(several)));
        }
        Ok(row)
    }

    /// A row as an author's type.
    pub(super) fn read<T: DeserializeOwned>(&self, values: Vec<Value>) -> Result<T> {
        let mut row = Row::new(values, self);
        T::deserialize(&mut row).map_err(|error| self.blame(row.column(), &error))
    }

    /// A row's only value as an author's type.
    pub(super) fn read_value<T: DeserializeOwned>(&self, mut values: Vec<Value>) -> Result<T> {
        match (values.pop(), values.len()) {
            (Some(value), 0) => T::deserialize(Cell(value)).map_err(|error| self.blame(Some(0), &error)),
            (_, others) => Err(self.statement.wrong(&Error::new(columns_wanted(others + 1, 1)))),
        }
    }

    /// The names of the columns; asked of the host where a struct or a message needs them.
    pub(super) fn names(&self) -> &[String] {
        self.names.get_or_init(|| self.cursor.columns())
    }

    #[cold]
    fn blame(&self, column: Option<usize>, error: &serde::de::value::Error) -> Error {
        let name = column.and_then(|at| self.names().get(at));
        let place = name.map(|name| format!("column {name}: ")).unwrap_or_default();
        let message = error.to_string().replacen("invalid type: unit value", "invalid type: NULL", 1);
        self.statement.wrong(&Error::new(format!("{place}{message}")))
    }
}
