//! The proof of a catalog: the empty database, built in memory.

use godwit_model::{Database, EngineKind, Fault, Kind, Object};
use libsqlite3_sys as ffi;

use super::build::{self, Piece, Trouble};
use super::error::{DatabaseError, Result, SqliteError};
use super::kind::keeps_digits;
use super::open;
use super::outline;
use super::raw::{Connection, Handle};
use super::words::{quote, update_of};
use crate::api::Violation;

/// Everything in a catalog that does not fit.
pub(crate) fn prove(database: &Database) -> Result<Vec<Violation>, Fault> {
    if database.engine != EngineKind::Sqlite {
        return Err(Fault::refused(DatabaseError::OtherEngine(database.engine)));
    }
    database.check().map_err(|error| Fault::refused(DatabaseError::Catalog(error)))?;
    let plain = violations(database, true).map_err(Fault::system)?;
    let strict = violations(database, false).map_err(Fault::system)?;
    let is_new = |found: &Violation| !plain.iter().any(|known| known.kind == found.kind && known.name == found.name);
    let doubtful: Vec<_> = strict.into_iter().filter(is_new).map(|v| Violation { doubtful: true, ..v }).collect();
    Ok(plain.into_iter().chain(doubtful).chain(decimals(database)).collect())
}

/// Exact decimals in columns where SQLite makes floats of them. A database that SQLite itself describes has such
/// columns, with floats in them; a module that makes one would lose digits.
fn decimals(database: &Database) -> impl Iterator<Item = Violation> {
    database.collections.iter().flat_map(|collection| {
        let columns = collection.stored_columns().filter(|column| column.kind == Kind::Decimal && !column.array);
        columns.filter_map(|column| {
            let declared = column.native_type.as_deref().filter(|declared| !keeps_digits(declared))?;
            let message = format!(
                "SQLite keeps decimals in a column of type {declared} as floats; give it the native type TEXT, or make its kind float64"
            );
            let name = format!("{}.{}", collection.name, column.name);
            Some(Violation { kind: "column".to_owned(), name, message, doubtful: false })
        })
    })
}

/// What does not fit, with or without unknown names in double quotes taken for texts.
fn violations(database: &Database, texts: bool) -> Result<Vec<Violation>> {
    let mut connection: Connection = open::memory()?;
    let handle = connection.lock()?;
    // Views may search full-text indexes, which an untrusted schema may not. Here nothing but CREATE is ever run.
    handle.configure(ffi::SQLITE_DBCONFIG_TRUSTED_SCHEMA, true)?;
    handle.configure(ffi::SQLITE_DBCONFIG_DQS_DDL, texts)?;
    handle.configure(ffi::SQLITE_DBCONFIG_DQS_DML, texts)?;
    let mut found = vec![];
    let mut made = vec![];
    for piece in build::empty_tables(database).into_iter().chain(build::objects(database)) {
        match piece.create(&handle) {
            Ok(()) => made.push(piece),
            Err(Trouble::Definition(message) | Trouble::Records(message)) => found.push(violation(&piece, message)),
            Err(Trouble::Engine(error)) => return Err(error),
        }
    }
    // Each trigger is compiled with no other around, so that a fault is put down to the right one.
    let triggers: Vec<_> = made.iter().filter(|piece| piece.kind() == "trigger").copied().collect();
    for trigger in &triggers {
        handle.run(&format!("DROP TRIGGER {}", quote(trigger.name())))?;
    }
    let views = made.iter().filter(|piece| piece.kind() == "view");
    found.extend(views.filter_map(|view| Some(violation(view, compile_view(&handle, view.name())?))));
    for trigger in &triggers {
        found.extend(compile_trigger(&handle, trigger)?.map(|message| violation(trigger, message)));
    }
    Ok(found)
}

fn violation(piece: &Piece<'_>, message: String) -> Violation {
    Violation { kind: piece.kind().to_owned(), name: piece.name().to_owned(), message, doubtful: false }
}

fn compile_view(handle: &Handle<'_>, name: &str) -> Option<String> {
    handle.prepare(&format!("SELECT * FROM {}", quote(name))).err().map(|error| error.message)
}

/// Compiles every statement that could fire the trigger.
fn compile_trigger(handle: &Handle<'_>, trigger: &Piece<'_>) -> Result<Option<String>> {
    let Piece::Object(object) = trigger else { return Ok(None) };
    let create = match trigger.create(handle) {
        Ok(()) => compile_statements(handle, object),
        Err(Trouble::Definition(message) | Trouble::Records(message)) => Ok(Some(message)),
        Err(Trouble::Engine(error)) => Err(error),
    };
    handle.run(&format!("DROP TRIGGER IF EXISTS {}", quote(trigger.name())))?;
    create
}

fn compile_statements(handle: &Handle<'_>, trigger: &Object) -> Result<Option<String>> {
    let table = handle.query(
        "SELECT tbl_name FROM sqlite_schema WHERE type = 'trigger' AND name = ?1 COLLATE NOCASE",
        &[super::raw::Value::text(&trigger.name)],
        |row| row.string(0),
    )?;
    let table = table.into_iter().next().unwrap_or_default();
    // A broken view is reported as such, not once more for each of its triggers.
    let Ok(columns) = outline::columns(handle, &table) else { return Ok(None) };
    // A trigger on a column that is gone would never fire, and SQLite would not say so.
    let is_there = |name: &String| columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    if let Some(missing) = update_of(&trigger.definition).iter().find(|name| !is_there(name)) {
        return Ok(Some(format!("no such column: {missing}")));
    }
    let error = statements(&table, &columns).iter().find_map(|sql| handle.prepare(sql).err().filter(is_of_trigger));
    Ok(error.map(|error| error.message))
}

/// A view takes only the statements for which it has a trigger.
fn is_of_trigger(error: &SqliteError) -> bool {
    !error.message.starts_with("cannot modify ")
}

fn statements(table: &str, columns: &[outline::ColumnInfo]) -> Vec<String> {
    let table = quote(table);
    let stored = columns.iter().filter(|column| !column.is_generated());
    let set: Vec<_> = stored.map(|column| quote(&column.name)).map(|name| format!("{name} = {name}")).collect();
    let mut statements = vec![format!("INSERT INTO {table} DEFAULT VALUES"), format!("DELETE FROM {table}")];
    if !set.is_empty() {
        statements.push(format!("UPDATE {table} SET {}", set.join(", ")));
    }
    statements
}
