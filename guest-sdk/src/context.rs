//! What a transformation has at hand beside its record.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::database::{self, Connection};
use crate::files::Tree;
use crate::host::{self, Level};
use crate::opened::Opened;
use crate::output::Output;
use crate::{Error, Result};

/// Parameters, the log, records for other collections, and the connections and file trees that the manifest
/// declares. No clock and no randomness: a time or
/// an id comes from [`Context::timestamp`] and [`Context::seed`], so that every run gives the same bytes.
pub struct Context {
    first: u64,
    index: u64,
    parameters: Vec<(String, Option<String>)>,
    opened: Opened,
    pub(crate) output: Output,
}

impl Context {
    pub(crate) fn new(output: Output, first: u64) -> Self {
        Self { first, index: 0, parameters: Vec::new(), opened: Opened::default(), output }
    }

    /// Returns a record for another collection, or several: whatever a typed transformation may return.
    pub fn emit<T: Serialize + ?Sized>(&mut self, collection: &str, record: &T) -> Result<()> {
        self.output.write(collection, record)
    }

    /// A parameter declared in `module.json`.
    ///
    /// # Errors
    /// It has no value, or another type.
    pub fn parameter<T: DeserializeOwned>(&mut self, name: &str) -> Result<T> {
        self.optional_parameter(name)?.ok_or_else(|| host::missing(name))
    }

    /// A parameter that need not have a value.
    pub fn optional_parameter<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>> {
        self.text(name).map(|text| host::read(name, text)).transpose()
    }

    /// The time of the run, from the archive: RFC 3339, UTC.
    pub fn timestamp(&mut self) -> Result<String> {
        self.parameter("run.timestamp")
    }

    /// The seed of the run, from the archive: for ids that must differ from run to run.
    pub fn seed(&mut self) -> Result<u64> {
        let digits: String = self.parameter("run.seed")?;
        u64::from_str_radix(&digits, 16).map_err(|error| Error::new(format!("the parameter run.seed: {error}")))
    }

    /// Number of the record in its collection, from 0.
    pub fn record_number(&self) -> u64 {
        self.first + self.index
    }

    /// Writes a line to the run's log.
    pub fn log(&self, level: Level, message: impl std::fmt::Display) {
        host::log(level, &message.to_string());
    }

    /// A line for whoever follows the run.
    pub fn info(&self, message: impl std::fmt::Display) {
        self.log(Level::Info, message);
    }

    /// A line for whoever must act.
    pub fn warn(&self, message: impl std::fmt::Display) {
        self.log(Level::Warn, message);
    }

    pub(crate) fn index(&self) -> u64 {
        self.index
    }

    pub(crate) fn next_record(&mut self) {
        self.index += 1;
    }

    /// Asked of the host once a chunk: a call per record would cost more than the record.
    fn text(&mut self, name: &str) -> Option<&str> {
        let known = self.parameters.iter().position(|(known, _)| known == name);
        let at = known.unwrap_or_else(|| {
            self.parameters.push((name.to_owned(), host::parameter_text(name)));
            self.parameters.len() - 1
        });
        self.parameters[at].1.as_deref()
    }
}

/// What the manifest asks for, and the operator granted. Each is opened once a call, however often it is asked for.
impl Context {
    /// SQL over the collections and columns that `module.json` declares in `"reads"`, as they are before this
    /// module, whatever it has made of them by now.
    ///
    /// # Errors
    /// They are not declared, or not granted.
    pub fn input(&mut self) -> Result<Connection> {
        Connection::of(&mut self.opened, "input")
    }

    /// A private database, empty at first and gone after the run; for `"scratch": true` in `module.json`.
    ///
    /// # Errors
    /// It is not declared, or not granted.
    pub fn scratch(&mut self) -> Result<Connection> {
        Connection::of(&mut self.opened, "scratch")
    }

    /// The live target, in its own SQL, inside the run's transaction: the collections that `module.json` declares in
    /// `"target"`. None wherever there is none: outside of `verify`, in a dry run, where an archive is made, and
    /// where it is not declared or not granted.
    pub fn target(&mut self) -> Result<Option<Connection>> {
        match Connection::of(&mut self.opened, "target") {
            Err(error) if error.code() == Some(database::NO_ANSWER) => Ok(None),
            connection => connection.map(Some),
        }
    }

    /// A file tree that `module.json` declares in `"files"`.
    ///
    /// # Errors
    /// It is not declared, or not granted.
    pub fn tree(&mut self, name: &str) -> Result<Tree> {
        Tree::of(&mut self.opened, name)
    }
}
