//! A database whose answers a test writes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::{BACKEND, Backend, Call};
use crate::bindings::godwit::migration::database::{Failure, Value};
use crate::database::{NO_ANSWER, Params};
use crate::{Error, Result};

/// What a test answers to a statement on a connection with its values.
pub(crate) type Answers = Rc<RefCell<dyn FnMut(&str, &str, &[Value]) -> Result<Answer>>>;

/// What a statement answers in a test: rows, or how many it changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    changed: u64,
}

impl Answer {
    /// Rows with these columns, none as yet.
    pub fn columns(names: &[&str]) -> Self {
        Self { columns: names.iter().map(|&name| name.to_owned()).collect(), ..Self::default() }
    }

    /// The number of rows that the statement changed.
    pub fn changed(rows: u64) -> Self {
        Self { changed: rows, ..Self::default() }
    }

    /// Adds a row: a tuple or an array, as the values of a statement are written.
    ///
    /// # Panics
    /// It has not as many values as there are columns, or one that SQL has not.
    pub fn row(mut self, values: impl Params) -> Self {
        let row = values.with(<[Value]>::to_vec).unwrap_or_else(|error| panic!("a row of an answer: {error}"));
        assert_eq!(row.len(), self.columns.len(), "a row has a value for each of the columns {:?}", self.columns);
        self.rows.push(row);
        self
    }
}

pub(crate) struct Connection {
    name: String,
    answers: Answers,
}

impl Connection {
    pub(crate) fn open(name: &str) -> Result<Self, Failure> {
        BACKEND.with_borrow(|backend| match &backend.answers {
            _ if !backend.connects(name) => Err(no_answer()),
            Some(answers) => Ok(Self { name: name.to_owned(), answers: answers.clone() }),
            // A test without a live target is the usual one.
            None if name == "target" => Err(no_answer()),
            None => panic!(
                "a native test has no database behind the connection {name}: write its answers with Harness::answer, \
                 or make the test a golden case (cases/<name>/), which runs in the sandbox on a real one"
            ),
        })
    }

    pub(crate) fn execute(&self, sql: &str, values: &[Value]) -> Result<u64, Failure> {
        self.answer(sql, values).map(|answer| answer.changed)
    }

    pub(crate) fn query(&self, sql: &str, values: &[Value]) -> Result<Cursor, Failure> {
        self.answer(sql, values).map(|Answer { columns, rows, .. }| Cursor { columns, rows: Cell::new(rows) })
    }

    fn answer(&self, sql: &str, values: &[Value]) -> Result<Answer, Failure> {
        (self.answers.borrow_mut())(&self.name, sql, values).map_err(|error| failure(&error))
    }
}

pub(crate) struct Cursor {
    columns: Vec<String>,
    rows: Cell<Vec<Vec<Value>>>,
}

impl Cursor {
    pub(crate) fn columns(&self) -> Vec<String> {
        self.columns.clone()
    }

    /// Answers with fewer than asked for, as the host may: what relies on full batches fails here already.
    #[allow(clippy::unnecessary_wraps, reason = "a real cursor may fail")]
    pub(crate) fn next(&self, limit: u32) -> Result<Vec<Vec<Value>>, Failure> {
        let mut batch = self.rows.take();
        let rest = batch.split_off(batch.len().min(limit.div_ceil(2) as usize));
        self.rows.set(rest);
        Ok(batch)
    }
}

impl Backend {
    fn connects(&self, name: &str) -> bool {
        let granted = self.grants.as_ref().is_none_or(|grants| grants.connections.contains(&name));
        granted && (name != "target" || self.call == Call::Verify)
    }
}

fn no_answer() -> Failure {
    Failure { code: NO_ANSWER.to_owned(), message: "it does not answer here".to_owned() }
}

fn failure(error: &Error) -> Failure {
    Failure { code: error.code().unwrap_or("HY000").to_owned(), message: error.message().to_owned() }
}
