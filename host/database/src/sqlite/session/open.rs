//! The connections of a worker process, and the limits of all of them.

use std::ffi::{CString, c_int};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use godwit_model::{Fault, SqlConnection};
use libsqlite3_sys as ffi;

use super::super::error::{Result, SqliteError, engine};
use super::super::raw::{self, Action, Handle, OwnConnection, Session};
use super::failure::Teller;
use super::functions::CLOCK_AND_CHANCE;
use super::rules::{self, Verdict};
use super::{ModuleConnection, SQL_BYTES_MAX};

/// Bytes of one value, or of one row that a statement makes.
const VALUE_BYTES_MAX: c_int = 64 << 20;

/// What a statement may grow to, but for the bytes of a value.
pub(super) const LIMITS: [(c_int, c_int); 11] = [
    (ffi::SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES_MAX),
    (ffi::SQLITE_LIMIT_COLUMN, 2000),
    (ffi::SQLITE_LIMIT_EXPR_DEPTH, 100),
    (ffi::SQLITE_LIMIT_COMPOUND_SELECT, 50),
    (ffi::SQLITE_LIMIT_VDBE_OP, 100_000),
    (ffi::SQLITE_LIMIT_FUNCTION_ARG, 100),
    (ffi::SQLITE_LIMIT_ATTACHED, 0),
    (ffi::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000),
    (ffi::SQLITE_LIMIT_VARIABLE_NUMBER, 1000),
    (ffi::SQLITE_LIMIT_TRIGGER_DEPTH, 100),
    (ffi::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// What was staged, read-only.
pub(crate) fn open_input(path: &Path) -> Result<Box<dyn SqlConnection>, Fault> {
    let failed = engine("opening", path);
    let flags = ffi::SQLITE_OPEN_READONLY | ffi::SQLITE_OPEN_URI;
    let connection = OwnConnection::open(&immutable(path), flags).map_err(&failed)?;
    Ok(Box::new(connect(connection, Teller::default(), rules::input, &[]).map_err(&failed)?))
}

/// A database in memory of so many bytes at most.
pub(crate) fn open_scratch(bytes_max: u64) -> Result<Box<dyn SqlConnection>, Fault> {
    const PAGE_BYTES: u64 = 4096;
    let failed = engine("opening", Path::new(":memory:"));
    let flags = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_MEMORY;
    let connection = OwnConnection::open(c":memory:", flags).map_err(&failed)?;
    let pages = (bytes_max / PAGE_BYTES).clamp(1, u64::from(u32::MAX) - 1);
    let settings = [format!("PRAGMA page_size = {PAGE_BYTES}"), format!("PRAGMA max_page_count = {pages}")];
    let teller = Teller::default().when_full(format!("the scratch database is full: it holds {bytes_max} bytes"));
    Ok(Box::new(connect(connection, teller, rules::scratch, &settings).map_err(&failed)?))
}

/// No lock is taken and no change expected: the file is nobody else's.
fn immutable(path: &Path) -> CString {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        _ = match byte {
            b'/' | b'.' | b'-' | b'_' => write!(uri, "{}", char::from(*byte)),
            _ if byte.is_ascii_alphanumeric() => write!(uri, "{}", char::from(*byte)),
            _ => write!(uri, "%{byte:02x}"),
        };
    }
    uri.push_str("?immutable=1");
    CString::new(uri).expect("a NUL would have been written as %00")
}

fn connect(
    mut connection: OwnConnection,
    teller: Teller,
    rules: fn(&Action<'_>) -> Verdict,
    settings: &[String],
) -> Result<ModuleConnection<'static>> {
    raw::forbid_local_time();
    connection.drop_extensions()?;
    harden(&connection.lock(), settings)?;
    let mut limits = LIMITS.to_vec();
    limits.push((ffi::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX));
    let judge = teller.clone();
    let mut session = Session::own(connection, &limits, Box::new(move |action| judge.judge(rules(action))));
    forbid_clock_and_chance(&mut session)?;
    Ok(ModuleConnection::new(session, teller, false))
}

fn harden(handle: &Handle<'_>, settings: &[String]) -> Result<()> {
    for (option, on) in [
        (ffi::SQLITE_DBCONFIG_DEFENSIVE, true),
        (ffi::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (ffi::SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, false),
        (ffi::SQLITE_DBCONFIG_ENABLE_FKEY, false),
        (ffi::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (ffi::SQLITE_DBCONFIG_DQS_DML, false),
        (ffi::SQLITE_DBCONFIG_DQS_DDL, false),
    ] {
        handle.configure(option, on)?;
    }
    for setting in ["PRAGMA temp_store = MEMORY", "PRAGMA mmap_size = 0", "PRAGMA cell_size_check = ON"] {
        handle.run(setting)?;
    }
    settings.iter().try_for_each(|setting| handle.run(setting))?;
    // Reads the schema, and so the file, while files can be read.
    handle.scalar("SELECT count(*) FROM sqlite_schema").map(drop)
}

/// Also where a default of the schema would call them, which the authorizer is not asked about.
pub(super) fn forbid_clock_and_chance(session: &mut Session<'_>) -> Result<(), SqliteError> {
    CLOCK_AND_CHANCE.iter().try_for_each(|name| session.forbid_function(name))
}
