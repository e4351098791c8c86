//! What the other rooms of the house call.

use godwit_model::{Database, DatabaseName, Fault, RecordSource, RecordTarget, limits};

use crate::location::sqlite_path;
use crate::sqlite;

/// How a source is read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of JSON lines after which the next record starts a new chunk.
    pub chunk_bytes: usize,
    /// Globs on collection names: their records are left out, their structure is kept. The caller
    /// records what was left out.
    pub exclude: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { chunk_bytes: limits::CHUNK_BYTES, exclude: vec![] }
    }
}

/// What may become of a database that is already at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// One that holds any table is refused.
    Never,
    /// It is replaced, atomically.
    Always,
}

/// A collection as `godwit init` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
}

/// An object of a catalog that does not fit the rest of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// `table`, `virtual-table`, `index`, `view` or `trigger`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What the database says.
    pub message: String,
    /// The database accepts it only because SQLite takes an unknown name in double quotes for a
    /// text. Some applications rely on that; after a column was renamed it is a mistake. Compare with
    /// the violations of the catalog before the change.
    pub doubtful: bool,
}

/// Opens a database for reading. Everything is read as of this moment.
///
/// # Errors
/// Usage: the URL or a glob. Refused: the database holds what cannot be carried. System: it cannot be read.
pub fn open_source(name: &DatabaseName, url: &str, options: &Options) -> Result<Box<dyn RecordSource>, Fault> {
    let path = sqlite_path(url)?;
    Ok(Box::new(sqlite::Source::open(name, &path, options)?))
}

/// Opens a database for replacement. Nothing is written before `begin`.
///
/// # Errors
/// Usage: the URL. Refused: it holds tables and `replace` is [`Replace::Never`].
pub fn open_target(name: &DatabaseName, url: &str, replace: Replace) -> Result<Box<dyn RecordTarget>, Fault> {
    let path = sqlite_path(url)?;
    Ok(Box::new(sqlite::Target::open(name, &path, replace)?))
}

/// The one value that a read-only query gives, as text.
///
/// # Errors
/// Usage: the URL, or a query that is not read-only or does not give exactly one value.
pub fn query_scalar(url: &str, sql: &str) -> Result<String, Fault> {
    sqlite::query_scalar(&sqlite_path(url)?, sql)
}

/// Builds the empty database in memory as a restore would, compiles its views and triggers, and
/// answers everything that does not fit.
///
/// # Errors
/// Only where the proof itself cannot be made; what does not fit is the answer.
pub fn prove(database: &Database) -> Result<Vec<Violation>, Fault> {
    sqlite::prove(database)
}

/// The collections there are, for a first configuration.
///
/// # Errors
/// Usage: the URL. System: the database cannot be read.
pub fn list_collections(url: &str) -> Result<Vec<Listed>, Fault> {
    sqlite::list_collections(&sqlite_path(url)?)
}

/// Runs SQL statements on a database as its application would, making the file where there is none.
/// For samples and tests; no command of Godwit runs SQL that it is handed.
///
/// # Errors
/// Usage: the URL. System: a statement fails; those before it may have been committed.
pub fn run_script(url: &str, sql: &str) -> Result<(), Fault> {
    sqlite::run_script(&sqlite_path(url)?, sql)
}
