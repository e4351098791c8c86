//! How files are opened. Every setting that matters is set here, whatever the defaults.

use std::path::Path;
use std::time::Duration;

use libsqlite3_sys as ffi;
use sqlx::sqlite::SqliteConnectOptions;

use super::error::Result;
use super::raw::{CLOCKLESS, Connection, clockless};

/// How long a reader waits for a writer.
const READ_PATIENCE: Duration = Duration::from_secs(30);
/// How long a swap waits for the last connection to go.
const SEIZE_PATIENCE: Duration = Duration::from_secs(5);

fn options(path: &Path, patience: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(patience).foreign_keys(false)
}

fn connect(options: &SqliteConnectOptions, settings: &[&str]) -> Result<Connection> {
    let mut connection = Connection::open(options)?;
    let handle = connection.lock()?;
    handle.configure(ffi::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    settings.iter().try_for_each(|setting| handle.run(setting))?;
    drop(handle);
    Ok(connection)
}

/// For reading: nothing can be written through it.
pub(super) fn read_only(path: &Path) -> Result<Connection> {
    let settings = ["PRAGMA query_only = ON", "PRAGMA cell_size_check = ON"];
    connect(&options(path, READ_PATIENCE).read_only(true), &settings)
}

/// For building a file from nothing that is thrown away if the run stops: no journal, no syncing, no clock.
pub(super) fn builder(path: &Path) -> Result<Connection> {
    clockless()?;
    let settings = [
        "PRAGMA locking_mode = EXCLUSIVE",
        "PRAGMA journal_mode = OFF",
        "PRAGMA synchronous = OFF",
        "PRAGMA cache_size = -65536",
        "PRAGMA recursive_triggers = OFF",
    ];
    connect(&options(path, Duration::ZERO).vfs(CLOCKLESS), &settings)
}

/// For changing such a file by statements that may fail half-way: with a journal, in memory. Changes
/// are counted, which keeps SQLite from a short cut: it copies a whole table without asking leave to read it.
pub(super) fn amender(path: &Path) -> Result<Connection> {
    clockless()?;
    let settings = [
        "PRAGMA locking_mode = EXCLUSIVE",
        "PRAGMA journal_mode = MEMORY",
        "PRAGMA synchronous = OFF",
        "PRAGMA recursive_triggers = OFF",
        "PRAGMA count_changes = ON",
    ];
    connect(&options(path, Duration::ZERO).vfs(CLOCKLESS), &settings)
}

/// For checking and finishing a file that was built; syncing is SQLite's default, FULL.
pub(super) fn finisher(path: &Path) -> Result<Connection> {
    connect(&options(path, Duration::ZERO), &["PRAGMA cell_size_check = ON"])
}

/// For taking a live file away from everyone else.
pub(super) fn seizer(path: &Path) -> Result<Connection> {
    connect(&options(path, SEIZE_PATIENCE), &[])
}

/// As an application opens it: made where there is none.
pub(super) fn application(path: &Path) -> Result<Connection> {
    connect(&options(path, READ_PATIENCE).create_if_missing(true), &[])
}

/// A database in memory.
pub(super) fn memory() -> Result<Connection> {
    connect(&SqliteConnectOptions::new().foreign_keys(false), &[])
}
