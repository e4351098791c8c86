//! What is in a file, as SQLite's own tables tell it.

use super::error::Result;
use super::raw::{Handle, Value};
use super::words::virtual_table_extension;

/// Kinds of virtual table that are carried: their shadow tables hold all there is to them.
pub(super) const CARRIED_EXTENSIONS: [&str; 5] = ["fts3", "fts4", "fts5", "rtree", "rtree_i32"];

/// One row of `sqlite_schema`.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// `table`, `index`, `view` or `trigger`.
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) table: String,
    pub(super) sql: Option<String>,
    /// For tables, what they are.
    pub(super) nature: Nature,
    pub(super) without_rowid: bool,
    pub(super) strict: bool,
}

/// What a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Nature {
    Plain,
    /// A virtual table, with its extension.
    Virtual(String),
    /// Kept by a virtual table for itself.
    Shadow,
    /// `sqlite_stat1` and its like.
    Statistics,
    /// `sqlite_sequence`.
    Sequences,
}

impl Entry {
    /// A table whose rows are read as records.
    pub(super) fn is_collection(&self) -> bool {
        self.kind == "table" && matches!(self.nature, Nature::Plain | Nature::Shadow | Nature::Statistics)
    }
}

/// Everything in the order of its creation.
pub(super) fn entries(handle: &Handle<'_>) -> Result<Vec<Entry>> {
    // The list of tables first: it makes SQLite connect virtual tables, which mark their shadows.
    let facts =
        handle.query("SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main'", &[], |row| {
            Ok((row.string(0)?, (row.string(1)?, row.integer(2) != 0, row.integer(3) != 0)))
        })?;
    let facts: std::collections::HashMap<_, _> = facts.into_iter().collect();
    let plain = ("table".to_owned(), false, false);
    handle.query("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid", &[], |row| {
        let (kind, name, sql) = (row.string(0)?, row.string(1)?, row.optional_string(3)?);
        let (listed, without_rowid, strict) = facts.get(&name).unwrap_or(&plain);
        let nature = nature(&name, listed, sql.as_deref().unwrap_or_default());
        Ok(Entry { kind, table: row.string(2)?, name, sql, nature, without_rowid: *without_rowid, strict: *strict })
    })
}

fn nature(name: &str, listed: &str, sql: &str) -> Nature {
    match (name, listed) {
        ("sqlite_sequence", _) => Nature::Sequences,
        _ if is_statistics(name) => Nature::Statistics,
        (_, "virtual") => Nature::Virtual(virtual_table_extension(sql).unwrap_or_default()),
        (_, "shadow") => Nature::Shadow,
        _ => Nature::Plain,
    }
}

/// Whether it is one of the tables that ANALYZE keeps.
pub(super) fn is_statistics(name: &str) -> bool {
    name.strip_prefix("sqlite_stat").is_some_and(|digit| digit.len() == 1 && digit.as_bytes()[0].is_ascii_digit())
}

/// One row of `table_xinfo`.
#[derive(Debug, Clone)]
pub(super) struct ColumnInfo {
    pub(super) name: String,
    pub(super) declared: String,
    pub(super) not_null: bool,
    pub(super) default: Option<String>,
    /// Place in the primary key, from 1.
    pub(super) key: i64,
    /// 1: hidden; 2: generated, virtual; 3: generated, stored.
    pub(super) hidden: i64,
}

impl ColumnInfo {
    pub(super) fn is_generated(&self) -> bool {
        self.hidden >= 2
    }
}

/// The columns of a table or view.
pub(super) fn columns(handle: &Handle<'_>, table: &str) -> Result<Vec<ColumnInfo>> {
    let sql = "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1, 'main') ORDER BY cid";
    handle.query(sql, &[Value::text(table)], |row| {
        Ok(ColumnInfo {
            name: row.string(0)?,
            declared: row.string(1)?,
            not_null: row.integer(2) != 0,
            default: row.optional_string(3)?,
            key: row.integer(4),
            hidden: row.integer(5),
        })
    })
}

/// One index of a table.
#[derive(Debug, Clone)]
pub(super) struct IndexInfo {
    pub(super) unique: bool,
    /// `c`: by CREATE INDEX; `u`: by UNIQUE; `pk`: by PRIMARY KEY.
    pub(super) origin: String,
    pub(super) partial: bool,
    /// None for an expression or the rowid.
    pub(super) columns: Vec<Option<String>>,
}

/// The indexes of a table in the order of their creation.
pub(super) fn indexes(handle: &Handle<'_>, table: &str) -> Result<Vec<IndexInfo>> {
    let sql = "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1, 'main') ORDER BY seq DESC";
    let list = handle.query(sql, &[Value::text(table)], |row| {
        Ok((row.string(0)?, row.integer(1) != 0, row.string(2)?, row.integer(3) != 0))
    })?;
    let columns = |name: &str| {
        let sql = "SELECT name FROM pragma_index_info(?1, 'main') ORDER BY seqno";
        handle.query(sql, &[Value::text(name)], |row| row.optional_string(0))
    };
    list.into_iter()
        .map(|(name, unique, origin, partial)| Ok(IndexInfo { columns: columns(&name)?, unique, origin, partial }))
        .collect()
}

/// One column of a foreign key.
#[derive(Debug, Clone)]
pub(super) struct ForeignKeyPart {
    pub(super) id: i64,
    pub(super) table: String,
    pub(super) from: String,
    /// None: the parent's primary key.
    pub(super) to: Option<String>,
    pub(super) on_update: String,
    pub(super) on_delete: String,
}

/// The foreign keys of a table, in the order of their creation.
pub(super) fn foreign_keys(handle: &Handle<'_>, table: &str) -> Result<Vec<ForeignKeyPart>> {
    let sql = "SELECT id, \"table\", \"from\", \"to\", on_update, on_delete \
               FROM pragma_foreign_key_list(?1, 'main') ORDER BY id DESC, seq";
    handle.query(sql, &[Value::text(table)], |row| {
        Ok(ForeignKeyPart {
            id: row.integer(0),
            table: row.string(1)?,
            from: row.string(2)?,
            to: row.optional_string(3)?,
            on_update: row.string(4)?,
            on_delete: row.string(5)?,
        })
    })
}
