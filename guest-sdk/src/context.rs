//! What a transformation has at hand beside its record.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::host::{self, Level};
use crate::output::Output;
use crate::{Error, Result};

/// Parameters, the log, and records for other collections. No clock and no randomness: a time or
/// an id comes from [`Context::timestamp`] and [`Context::seed`], so that every run gives the same bytes.
pub struct Context {
    first: u64,
    index: u64,
    parameters: Vec<(String, Option<String>)>,
    pub(crate) output: Output,
}

impl Context {
    pub(crate) fn new(output: Output, first: u64) -> Self {
        Self { first, index: 0, parameters: Vec::new(), output }
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
