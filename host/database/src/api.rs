//! What the other rooms of the house call.

use std::path::Path;

use godwit_model::{Database, DatabaseName, Fault, Reads, RecordSource, RecordTarget, SqlConnection, limits};

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
    /// `table`, `column`, `virtual-table`, `index`, `view` or `trigger`.
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
/// Between `complete` and `prepare` its `session` gives a module SQL on the new database: it reads the collections that
/// it is granted, and changes those granted for that; what the application's triggers do beyond these is the application's.
/// What a session wrote goes with the rest: `prepare` fails, with a fault of the module, where a reference leads nowhere
/// that did not before, or where a statement undid the transaction. From the first session on, there is no local time for
/// SQLite in this process.
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

/// What does not fit after a change of the catalog and did before it: what was unfit already (an old view over a table
/// long gone) is not the change's fault.
///
/// # Errors
/// Only where the proof itself cannot be made.
pub fn prove_change(before: &Database, after: &Database) -> Result<Vec<Violation>, Fault> {
    let old = prove(before)?;
    let is_new = |found: &Violation| !old.iter().any(|old| old.kind == found.kind && old.name == found.name);
    Ok(prove(after)?.into_iter().filter(is_new).collect())
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

/// A target that lays out what a module may query, in a new SQLite file that only this user can read, whatever the
/// engine of the catalog. Chunks of other collections and databases are ignored. Values are stored by the record
/// encoding, unconverted: columns have no type. Keys become indexes, so that no record is refused for its key.
///
/// The file appears at `begin` and is whole after `prepare`; dropped before `commit`, the target removes it.
///
/// # Errors
/// Of `begin`. Refused: the catalog does not have what is to be read, or two names differ in case alone. System: the
/// file is there already, or cannot be written. Of `write`. Damaged: a record that is none.
pub fn stage_input(path: &Path, database: &DatabaseName, reads: &Reads) -> Result<Box<dyn RecordTarget>, Fault> {
    Ok(Box::new(sqlite::Stage::new(path, database, reads)))
}

/// Opens what was staged, for a module's queries. Opened before a process gives up its rights, it needs none of them
/// afterwards but to read the file that it holds. The file must not change any more.
///
/// Harmless in hostile hands: a statement that does anything but read is refused, as is what depends on the moment,
/// on chance or on the place. A write given to `query` is done when `query` returns, and a query given to `execute` is
/// run to its end, where the rules allow either. Sets what is the process's own: chance is seeded, and there is no
/// local time for SQLite in it any more.
///
/// # Errors
/// System: the file cannot be read.
pub fn open_input(path: &Path) -> Result<Box<dyn SqlConnection>, Fault> {
    sqlite::open_input(path)
}

/// Opens an empty database in memory for a module: tables, indexes and views of its own, up to so many bytes. What is
/// said of [`open_input`] holds here too. Triggers, virtual and temporary tables are refused; without transactions each
/// statement stands alone. What a statement sorts is not counted: see [`limit_memory`].
///
/// # Errors
/// System: there is no memory.
pub fn open_scratch(bytes_max: u64) -> Result<Box<dyn SqlConnection>, Fault> {
    sqlite::open_scratch(bytes_max)
}

/// Lets SQLite have no more memory than this, all connections of the process together; a statement that needs more
/// fails. For a worker process: it holds for whatever else uses SQLite in it.
pub fn limit_memory(bytes: u64) {
    sqlite::limit_memory(bytes);
}
