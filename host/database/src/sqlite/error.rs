//! What SQLite says when it fails, and what to do about it.

use std::path::{Path, PathBuf};

use godwit_model::{Fault, FaultClass};
use libsqlite3_sys as ffi;

/// An error as SQLite reports it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SqliteError {
    /// The extended result code.
    pub(crate) code: i32,
    /// SQLite's words.
    pub(crate) message: String,
}

pub(crate) type Result<T, E = SqliteError> = std::result::Result<T, E>;

impl SqliteError {
    pub(crate) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn primary(&self) -> i32 {
        self.code & 0xff
    }

    /// Another connection is in the way.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.primary(), ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED)
    }

    /// The file is no database, or a damaged one.
    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(self.primary(), ffi::SQLITE_NOTADB | ffi::SQLITE_CORRUPT)
    }

    /// The disk, the memory or the permissions failed, not the statement.
    pub(crate) fn is_system(&self) -> bool {
        matches!(
            self.primary(),
            ffi::SQLITE_FULL
                | ffi::SQLITE_IOERR
                | ffi::SQLITE_NOMEM
                | ffi::SQLITE_CANTOPEN
                | ffi::SQLITE_READONLY
                | ffi::SQLITE_PERM
                | ffi::SQLITE_INTERRUPT
        ) || self.is_busy()
            || self.is_unreadable()
    }

    fn advice(&self) -> &'static str {
        match (self.code, self.primary()) {
            (ffi::SQLITE_READONLY_ROLLBACK, _) => {
                "; a crash left it in the middle of a transaction: start the application once, so that it recovers"
            }
            (ffi::SQLITE_READONLY_RECOVERY | ffi::SQLITE_READONLY_CANTINIT | ffi::SQLITE_READONLY_CANTLOCK, _)
            | (_, ffi::SQLITE_CANTOPEN) => {
                "; see that the file exists and that this user may read it and write to its directory \
                 (a database in WAL mode keeps -wal and -shm files beside it)"
            }
            (_, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED) => {
                "; another program kept it locked: stop it, or try again later"
            }
            (_, ffi::SQLITE_FULL) => "; the disk is full: free some space and run again",
            (_, ffi::SQLITE_CORRUPT) => "; the file is damaged: `sqlite3 FILE .recover` may save its content",
            (_, ffi::SQLITE_NOTADB) => "; the file is not an SQLite database, or it is encrypted",
            _ => "",
        }
    }
}

/// What can go wrong with a database.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// SQLite failed.
    #[error("{what} {} failed: {message}{advice}", path.display())]
    Engine {
        /// What was being done: `reading`, `building`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        message: String,
        /// What to do next; begins with `; ` or is empty.
        advice: &'static str,
    },
    /// The file system failed.
    #[error("{what} {} failed", path.display())]
    Files {
        /// What was being done.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// Another connection has the database open.
    #[error("{} is in use: stop the application, then run again", .0.display())]
    InUse(PathBuf),
    /// Another run builds beside the same database.
    #[error("another run is building {}: wait for it to end", .0.display())]
    OtherRun(PathBuf),
    /// The target holds tables and may not be replaced.
    #[error("{} already holds tables ({table} among them): name an empty target, or replace it with --empty", path.display())]
    NotEmpty {
        /// The file.
        path: PathBuf,
        /// One of its tables.
        table: String,
    },
    /// A file that is no database.
    #[error("{} is not an SQLite database, or a damaged one: name another target, or replace it with --empty", .0.display())]
    NotDatabase(PathBuf),
    /// A former state without a sound present one.
    #[error("{} was left by a run that was stopped, and {} is missing or damaged: rename the first to the second, \
        or delete it", former.display(), path.display())]
    Orphan {
        /// The former state.
        former: PathBuf,
        /// Where the database should be.
        path: PathBuf,
    },
    /// A virtual table of a kind that cannot be carried.
    #[error("the virtual table {name} uses {using}, which cannot be carried: exclude it")]
    VirtualTable {
        /// Its name.
        name: String,
        /// The extension that it needs.
        using: String,
    },
    /// A name that cannot be carried.
    #[error("the database has a name that cannot be carried")]
    Name(#[source] godwit_model::NameError),
    /// A catalog that does not hold together.
    #[error("the catalog does not hold together")]
    Catalog(#[source] godwit_model::CatalogError),
    /// A glob that is none.
    #[error("the exclusion {0:?} is not a glob")]
    Glob(String, #[source] globset::Error),
    /// The collection is not in the catalog.
    #[error("there is no collection {0} in the catalog of the target")]
    NoCollection(String),
    /// A value that JSON lines cannot carry exactly, or a record that does not fit.
    #[error("record {record}{} of collection {collection}{}: {problem}",
        key.as_ref().map(|key| format!(" (key {key})")).unwrap_or_default(),
        column.as_ref().map(|column| format!(", column {column}")).unwrap_or_default())]
    Record {
        /// The collection.
        collection: String,
        /// The record's number in it, from 0.
        record: u64,
        /// Its primary key as JSON, or its rowid.
        key: Option<String>,
        /// The column, where one is to blame.
        column: Option<String>,
        /// What is wrong.
        problem: String,
    },
    /// A definition that the database does not take, or that is not what it claims to be.
    #[error("the {kind} {name} cannot be created: {message}")]
    Definition {
        /// `table`, `index`, …
        kind: String,
        /// Its name.
        name: String,
        /// Why.
        message: String,
    },
    /// A setting with a value it cannot have.
    #[error("the setting {name} cannot be {value:?}")]
    Setting {
        /// Its name.
        name: String,
        /// The value.
        value: String,
    },
    /// The check of the new file found faults.
    #[error("the new file {} failed its check: {problem}", path.display())]
    Check {
        /// The new file.
        path: PathBuf,
        /// What SQLite found first.
        problem: String,
    },
    /// Names that differ in case alone, which SQLite does not tell apart.
    #[error(
        "{one} and {other} differ in case alone, and cannot be queried side by side: leave one of them out of `reads`"
    )]
    SameName {
        /// One name.
        one: String,
        /// The other.
        other: String,
    },
    /// A module broke a reference.
    #[error("after a module changed the target, {0}")]
    Reference(String),
    /// A module's statement undid the transaction.
    #[error(
        "a module's statement undid the whole transaction (an interruption, or ON CONFLICT ROLLBACK): the target is \
         not replaced"
    )]
    RolledBack,
    /// The catalog is another engine's.
    #[error("a catalog of {0} cannot be restored into SQLite")]
    OtherEngine(godwit_model::EngineKind),
    /// The catalog does not have this database.
    #[error("the catalog has no database {0}")]
    NoDatabase(godwit_model::DatabaseName),
    /// A query for one value that gives something else.
    #[error("the query {sql:?} {problem}")]
    Query {
        /// The query.
        sql: String,
        /// What it does instead.
        problem: String,
    },
    /// A step that the order of steps does not allow here.
    #[error("the target was asked to {0} out of turn")]
    OutOfTurn(&'static str),
}

/// A failure of SQLite while something was done to a file.
pub(crate) fn engine(what: &'static str, path: &Path) -> impl Fn(SqliteError) -> Fault {
    let path = path.to_owned();
    move |error| {
        let class = if error.is_busy() { FaultClass::Locked } else { FaultClass::System };
        let (message, advice) = (error.message.clone(), error.advice());
        Fault::new(class, DatabaseError::Engine { what, path: path.clone(), message, advice })
    }
}

/// A failure of the file system.
pub(crate) fn files(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Fault {
    let path = path.to_owned();
    move |error| Fault::system(DatabaseError::Files { what, path, error })
}
