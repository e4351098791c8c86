//! What a definition from a catalog may ask of SQLite: to create what it claims to be, no more.

use libsqlite3_sys as ffi;

use super::outline::CARRIED_EXTENSIONS;
use super::raw::Action;

/// What a definition claims to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Claim<'a> {
    Table(&'a str),
    VirtualTable(&'a str),
    Index(&'a str),
    View(&'a str),
    Trigger(&'a str),
}

impl Claim<'_> {
    /// Whether a definition that claims this may do that.
    pub(super) fn allows(self, action: &Action<'_>) -> bool {
        in_main(action) && (is_bookkeeping(action) || self.creates(action))
    }

    fn creates(self, action: &Action<'_>) -> bool {
        let first = action.first.unwrap_or_default();
        match (self, action.code) {
            (Self::Table(name), ffi::SQLITE_CREATE_TABLE) => same(first, name) || same(first, "sqlite_sequence"),
            // The index of a UNIQUE or PRIMARY KEY.
            (Self::Table(name), ffi::SQLITE_CREATE_INDEX) => action.second.is_some_and(|table| same(table, name)),
            (Self::VirtualTable(name), _) => creates_virtual_table(name, action),
            (Self::Index(name), ffi::SQLITE_CREATE_INDEX | ffi::SQLITE_REINDEX) => same(first, name),
            (Self::View(name), ffi::SQLITE_CREATE_VIEW) | (Self::Trigger(name), ffi::SQLITE_CREATE_TRIGGER) => {
                same(first, name)
            }
            (Self::Table(_) | Self::Index(_), ffi::SQLITE_READ) => true,
            (Self::Table(_) | Self::Index(_) | Self::View(_) | Self::Trigger(_), ffi::SQLITE_FUNCTION) => {
                is_harmless_function(action)
            }
            _ => false,
        }
    }
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn in_main(action: &Action<'_>) -> bool {
    action.database.is_none_or(|database| database == "main")
}

/// What SQLite itself does to its schema table while it creates something.
fn is_bookkeeping(action: &Action<'_>) -> bool {
    let on_schema = matches!(action.first, Some("sqlite_master" | "sqlite_schema"));
    on_schema && matches!(action.code, ffi::SQLITE_INSERT | ffi::SQLITE_UPDATE | ffi::SQLITE_READ)
}

fn is_harmless_function(action: &Action<'_>) -> bool {
    !matches!(
        action.second.map(str::to_ascii_lowercase).as_deref(),
        Some("load_extension" | "fts3_tokenizer" | "readfile" | "writefile" | "edit")
    )
}

/// An extension makes its shadow tables with SQL of its own; their names begin with the table's.
fn creates_virtual_table(name: &str, action: &Action<'_>) -> bool {
    let first = action.first.unwrap_or_default();
    let is_shadow = |table: &str| table.get(..name.len()).is_some_and(|start| same(start, name));
    match action.code {
        ffi::SQLITE_CREATE_VTABLE => {
            same(first, name)
                && action.second.is_some_and(|using| CARRIED_EXTENSIONS.contains(&&*using.to_ascii_lowercase()))
        }
        ffi::SQLITE_CREATE_INDEX => action.second.is_some_and(is_shadow),
        ffi::SQLITE_CREATE_TABLE | ffi::SQLITE_INSERT | ffi::SQLITE_UPDATE | ffi::SQLITE_DELETE => is_shadow(first),
        ffi::SQLITE_PRAGMA => is_question(action),
        ffi::SQLITE_SELECT | ffi::SQLITE_READ => true,
        ffi::SQLITE_FUNCTION => is_harmless_function(action),
        _ => false,
    }
}

/// What virtual tables ask for their own use.
fn is_question(action: &Action<'_>) -> bool {
    matches!(action.first, Some("page_size" | "data_version")) && action.second.is_none()
}

/// Whether a query may do this: read, and nothing else.
pub(super) fn allows_query(action: &Action<'_>) -> bool {
    match action.code {
        ffi::SQLITE_SELECT | ffi::SQLITE_READ | ffi::SQLITE_RECURSIVE => true,
        ffi::SQLITE_PRAGMA => is_question(action),
        ffi::SQLITE_FUNCTION => is_harmless_function(action),
        _ => false,
    }
}
