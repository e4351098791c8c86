//! Builds an empty database from a catalog: for a restore, and in memory for a proof.

use godwit_model::{Collection, Database, Object};

use super::authorize::Claim;
use super::catalog::{ROWID_OPTION, SEQUENCES_SETTING, is_virtual};
use super::encoding::{self, Style};
use super::error::{Result, SqliteError};
use super::generate::create_table;
use super::outline;
use super::raw::{Handle, Value};

/// One thing to create.
#[derive(Clone, Copy)]
pub(super) enum Piece<'a> {
    Table(&'a Collection),
    /// A virtual table whose shadow tables are carried as collections.
    Carried(&'a Object),
    /// A virtual table that is made anew, with empty shadow tables.
    Fresh(&'a Object),
    /// An index, a view or a trigger.
    Object(&'a Object),
}

/// Why a piece could not be created.
pub(super) enum Trouble {
    /// The definition is at fault.
    Definition(String),
    /// The records are: a unique index does not take them.
    Records(String),
    /// SQLite or the disk is.
    Engine(SqliteError),
}

impl From<SqliteError> for Trouble {
    fn from(error: SqliteError) -> Self {
        match error.code & 0xff {
            _ if error.is_system() => Self::Engine(error),
            libsqlite3_sys::SQLITE_CONSTRAINT => Self::Records(error.message),
            _ => Self::Definition(error.message),
        }
    }
}

impl From<String> for Trouble {
    fn from(message: String) -> Self {
        Self::Definition(message)
    }
}

const VIRTUAL: &str = "virtual-table";

/// Tables and virtual tables, in the order of their creation; those made anew come last, since
/// they may look at the table whose text they index.
pub(super) fn tables(database: &Database) -> Vec<Piece<'_>> {
    let virtuals = database.objects.iter().filter(|object| object.kind == VIRTUAL);
    let (carried, fresh): (Vec<_>, Vec<_>) = virtuals.partition(|object| is_carried(database, object));
    let mut pieces: Vec<_> = database.collections.iter().map(Piece::Table).collect();
    pieces.extend(carried.into_iter().map(Piece::Carried));
    pieces.sort_by_key(Piece::order);
    pieces.extend(fresh.into_iter().map(Piece::Fresh));
    pieces
}

/// The same with every virtual table made anew and no shadow table: what an empty database would be.
pub(super) fn empty_tables(database: &Database) -> Vec<Piece<'_>> {
    let virtuals: Vec<_> = database.objects.iter().filter(|object| object.kind == VIRTUAL).collect();
    let is_shadow = |c: &&Collection| c.internal && virtuals.iter().any(|object| is_shadow_of(object, c));
    let mut pieces: Vec<_> = database.collections.iter().filter(|c| !is_shadow(c)).map(Piece::Table).collect();
    pieces.sort_by_key(Piece::order);
    pieces.extend(virtuals.into_iter().map(Piece::Fresh));
    pieces
}

/// Indexes, views and triggers, in the order of their creation.
pub(super) fn objects(database: &Database) -> Vec<Piece<'_>> {
    let mut objects: Vec<_> = database.objects.iter().filter(|object| object.kind != VIRTUAL).collect();
    objects.sort_by_key(|object| object.order.unwrap_or(u32::MAX));
    objects.into_iter().map(Piece::Object).collect()
}

fn is_carried(database: &Database, object: &Object) -> bool {
    database.collections.iter().any(|collection| collection.internal && is_shadow_of(object, collection))
}

fn is_shadow_of(object: &Object, collection: &Collection) -> bool {
    let rest = collection.name.as_str().strip_prefix(object.name.as_str());
    rest.is_some_and(|rest| rest.starts_with('_'))
}

impl Piece<'_> {
    fn order(&self) -> u32 {
        match self {
            Self::Table(collection) => collection.order.unwrap_or(u32::MAX),
            Self::Carried(object) | Self::Fresh(object) | Self::Object(object) => object.order.unwrap_or(u32::MAX),
        }
    }

    pub(super) fn kind(&self) -> &str {
        match self {
            Self::Table(_) => "table",
            Self::Carried(object) | Self::Fresh(object) | Self::Object(object) => &object.kind,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Table(collection) => collection.name.as_str(),
            Self::Carried(object) | Self::Fresh(object) | Self::Object(object) => &object.name,
        }
    }

    /// Creates it.
    pub(super) fn create(&self, handle: &Handle<'_>) -> Result<(), Trouble> {
        match self {
            Self::Table(collection) => create_collection(handle, collection),
            Self::Carried(object) => carry_virtual_table(handle, object),
            Self::Fresh(object) => run(handle, Claim::VirtualTable(&object.name), &object.definition),
            Self::Object(object) => run(handle, claim(object)?, &object.definition),
        }
    }
}

fn claim(object: &Object) -> Result<Claim<'_>, Trouble> {
    match object.kind.as_str() {
        "index" => Ok(Claim::Index(&object.name)),
        "view" => Ok(Claim::View(&object.name)),
        "trigger" => Ok(Claim::Trigger(&object.name)),
        other => Err(format!("SQLite has no objects of the kind {other:?}").into()),
    }
}

fn run(handle: &Handle<'_>, claim: Claim<'_>, sql: &str) -> Result<(), Trouble> {
    Ok(handle.guarded(&|action| claim.allows(action), || handle.run(sql)).map_err(explain)?)
}

fn explain(error: SqliteError) -> SqliteError {
    match error.code & 0xff {
        libsqlite3_sys::SQLITE_AUTH => {
            SqliteError { message: format!("its definition does more than it claims ({})", error.message), ..error }
        }
        _ => error,
    }
}

fn create_collection(handle: &Handle<'_>, collection: &Collection) -> Result<(), Trouble> {
    let name = collection.name.as_str();
    let generated = || create_table(collection);
    let sql = collection.definition.clone().map_or_else(generated, Ok)?;
    let create = || run(handle, Claim::Table(name), &sql);
    // The names of statistics are ones that SQLite keeps for itself.
    if outline::is_statistics(name) {
        unlocked(handle, create)?;
    } else {
        create()?;
    }
    check_columns(handle, collection)
}

/// A definition that makes other columns than the catalog lists would lose values, or make them up.
fn check_columns(handle: &Handle<'_>, collection: &Collection) -> Result<(), Trouble> {
    let rowid = collection.options.iter().find_map(|option| option.strip_prefix(ROWID_OPTION));
    let listed = collection.columns.iter().filter(|column| Some(column.name.as_str()) != rowid);
    let listed: Vec<_> = listed.map(|column| (column.name.clone(), column.generated)).collect();
    let made = outline::columns(handle, collection.name.as_str())?;
    let made: Vec<_> = made.into_iter().map(|info| (info.is_generated(), info.name)).map(|(g, n)| (n, g)).collect();
    match made.iter().find(|column| !listed.contains(column)).or(listed.iter().find(|column| !made.contains(column))) {
        None => Ok(()),
        Some((column, _)) => Err(format!("its definition and the catalog do not agree on the column {column}").into()),
    }
}

/// Writes a virtual table into the schema as `.dump` does: its content is in its shadow tables.
fn carry_virtual_table(handle: &Handle<'_>, object: &Object) -> Result<(), Trouble> {
    let claim = Claim::VirtualTable(&object.name);
    if !is_virtual(&object.definition) {
        return Err("its definition is not CREATE VIRTUAL TABLE".to_owned().into());
    }
    // Compiled, so that SQLite itself tells what the definition is; never run.
    handle.guarded(&|action| claim.allows(action), || handle.prepare(&object.definition).map(drop)).map_err(explain)?;
    let (name, sql) = (Value::text(&object.name), Value::text(&object.definition));
    let insert = "INSERT INTO sqlite_schema(type, name, tbl_name, rootpage, sql) VALUES('table', ?1, ?1, 0, ?2)";
    unlocked(handle, || Ok(handle.execute(insert, &[name, sql])?))
}

/// Does work with SQLite's own tables open for writing.
fn unlocked(handle: &Handle<'_>, work: impl FnOnce() -> Result<(), Trouble>) -> Result<(), Trouble> {
    handle.run("PRAGMA writable_schema = ON")?;
    let result = work();
    handle.run("PRAGMA writable_schema = OFF")?;
    result
}

/// Gives counters their values, and forgets those that inserting made.
pub(super) fn set_sequences(handle: &Handle<'_>, database: &Database) -> Result<(), Trouble> {
    let exists = "SELECT name FROM sqlite_schema WHERE name = 'sqlite_sequence'";
    let wanted = !database.sequences.is_empty() || database.settings.contains_key(SEQUENCES_SETTING);
    match (handle.scalar(exists)?.is_empty(), wanted) {
        (true, false) => return Ok(()),
        (true, true) => unlocked(handle, || Ok(handle.run("CREATE TABLE sqlite_sequence(name,seq)")?))?,
        (false, _) => handle.run("DELETE FROM sqlite_sequence")?,
    }
    for sequence in &database.sequences {
        let json = sequence.value.as_bytes();
        let whole = godwit_model::records::skip_value(json, 0).is_ok_and(|span| span.end == json.len());
        let value = whole.then(|| encoding::read(json, Style::Plain).ok()).flatten();
        let value = value.ok_or_else(|| format!("the counter of {} is {:?}", sequence.name, sequence.value))?;
        let insert = "INSERT INTO sqlite_sequence(name, seq) VALUES(?1, ?2)";
        handle.execute(insert, &[Value::text(&sequence.name), value])?;
    }
    Ok(())
}
