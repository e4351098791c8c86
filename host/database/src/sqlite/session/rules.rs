//! What a statement may do on `input` and on `scratch`. What is not allowed by name is forbidden.

use libsqlite3_sys as ffi;

use super::super::raw::Action;
use super::functions;

/// What SQLite is asked for, in words that follow "a module may not"; or leave.
pub(super) type Verdict = Result<(), String>;

/// Reads, and nothing else. All that is in the database is granted.
pub(super) fn input(action: &Action<'_>) -> Verdict {
    match action.code {
        ffi::SQLITE_SELECT | ffi::SQLITE_RECURSIVE => Ok(()),
        ffi::SQLITE_READ => read(action),
        ffi::SQLITE_FUNCTION => call(action),
        _ => Err(describe(action)),
    }
}

/// Makes and changes tables, indexes and views of its own.
pub(super) fn scratch(action: &Action<'_>) -> Verdict {
    match action.code {
        // An ALTER TABLE looks whether something temporary names the table; nothing temporary can be made.
        ffi::SQLITE_READ | ffi::SQLITE_UPDATE if is_temporary_schema(first(action)) => Ok(()),
        // The first text is the database here, the second the table, and where a database usually is, the column.
        ffi::SQLITE_ALTER_TABLE if first(action) == "main" => Ok(()),
        _ if !in_main(action) => Err(describe(action)),
        ffi::SQLITE_CREATE_TABLE
        | ffi::SQLITE_CREATE_INDEX
        | ffi::SQLITE_CREATE_VIEW
        | ffi::SQLITE_DROP_TABLE
        | ffi::SQLITE_DROP_INDEX
        | ffi::SQLITE_DROP_VIEW
        | ffi::SQLITE_REINDEX
        | ffi::SQLITE_INSERT
        | ffi::SQLITE_UPDATE
        | ffi::SQLITE_DELETE => Ok(()),
        ffi::SQLITE_FUNCTION if functions::is_alteration(second(action)) => Ok(()),
        _ => input(action),
    }
}

/// A table of the database, or one that only computes. What a query reads of its own parts has no database.
pub(super) fn read(action: &Action<'_>) -> Verdict {
    let is_answer = first(action).get(..7).is_some_and(|start| start.eq_ignore_ascii_case("pragma_"));
    if in_main(action) && !is_answer { Ok(()) } else { Err(describe(action)) }
}

fn is_temporary_schema(name: &str) -> bool {
    matches!(name, "sqlite_temp_master" | "sqlite_temp_schema")
}

pub(super) fn call(action: &Action<'_>) -> Verdict {
    if functions::is_allowed(second(action)) { Ok(()) } else { Err(describe(action)) }
}

pub(super) fn in_main(action: &Action<'_>) -> bool {
    action.database.is_none_or(|database| database == "main")
}

pub(super) fn first<'a>(action: &Action<'a>) -> &'a str {
    action.first.unwrap_or_default()
}

pub(super) fn second<'a>(action: &Action<'a>) -> &'a str {
    action.second.unwrap_or_default()
}

/// What is asked for, in words.
pub(super) fn describe(action: &Action<'_>) -> String {
    let (first, second) = (first(action), second(action));
    match action.code {
        ffi::SQLITE_READ => format!("read {first:?}"),
        ffi::SQLITE_INSERT => format!("insert into {first:?}"),
        ffi::SQLITE_UPDATE => format!("update {first:?}"),
        ffi::SQLITE_DELETE => format!("delete from {first:?}"),
        ffi::SQLITE_FUNCTION => format!("use the function {second}()"),
        ffi::SQLITE_PRAGMA => format!("use PRAGMA {first}"),
        ffi::SQLITE_ATTACH | ffi::SQLITE_DETACH => "attach or detach a database".to_owned(),
        ffi::SQLITE_TRANSACTION | ffi::SQLITE_SAVEPOINT => "begin or end a transaction".to_owned(),
        ffi::SQLITE_CREATE_VTABLE | ffi::SQLITE_DROP_VTABLE => "use virtual tables".to_owned(),
        ffi::SQLITE_CREATE_TRIGGER | ffi::SQLITE_CREATE_TEMP_TRIGGER | ffi::SQLITE_DROP_TRIGGER => {
            "make or drop triggers".to_owned()
        }
        ffi::SQLITE_CREATE_TEMP_TABLE | ffi::SQLITE_CREATE_TEMP_VIEW | ffi::SQLITE_CREATE_TEMP_INDEX => {
            "make temporary tables".to_owned()
        }
        ffi::SQLITE_ANALYZE => "use ANALYZE".to_owned(),
        _ => "change the schema".to_owned(),
    }
}
