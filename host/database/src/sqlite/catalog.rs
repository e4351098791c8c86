//! What is in a file, as a catalog.

use std::collections::BTreeMap;

use globset::GlobSet;
use godwit_model::{
    Collection, CollectionName, Column, Database, Default, EngineKind, Fault, Kind, Object, Reference, Sequence,
};

use super::encoding::{self, Style};
use super::error::{DatabaseError, Result, SqliteError};
use super::kind::kind_of;
use super::outline::{self, CARRIED_EXTENSIONS, ColumnInfo, Entry, Nature};
use super::raw::{Handle, Value};
use super::words::{begins_with, generated_expression, has_keyword, quote, tokens};

/// Begins the table option that names the column which carries a hidden rowid.
pub(super) const ROWID_OPTION: &str = "ROWID ";
/// Begins the table option that names a generated column which is stored.
pub(super) const STORED_OPTION: &str = "STORED ";
/// The setting that says that `sqlite_sequence` exists though no table needs it.
pub(super) const SEQUENCES_SETTING: &str = "sqlite_sequence";

/// Why a catalog could not be made.
pub(super) enum Failure {
    Sqlite(SqliteError),
    Fault(Fault),
}

impl From<SqliteError> for Failure {
    fn from(error: SqliteError) -> Self {
        Self::Sqlite(error)
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::Fault(Fault::refused(error))
    }
}

/// Reads the shape of a whole database.
pub(super) fn read(handle: &Handle<'_>, exclude: &GlobSet) -> Result<Database, Failure> {
    let entries = outline::entries(handle)?;
    let mut database = Database::new(EngineKind::Sqlite);
    for (order, entry) in (0_u32..).zip(&entries) {
        if entry.is_collection() && !is_left_out(entry, &entries, exclude) {
            database.collections.push(collection(handle, entry, order)?);
        }
        if let Some(object) = object(entry, order, &entries, exclude)? {
            database.objects.push(object);
        }
    }
    database.settings = settings(handle)?;
    if entries.iter().any(|entry| entry.nature == Nature::Sequences) {
        database.sequences = sequences(handle)?;
        database.settings.insert(SEQUENCES_SETTING.to_owned(), "present".to_owned());
    }
    resolve_references(&mut database);
    database.check().map_err(DatabaseError::Catalog)?;
    Ok(database)
}

/// The shadows of an excluded virtual table go with it: a restore makes it anew, empty.
fn is_left_out(entry: &Entry, entries: &[Entry], exclude: &GlobSet) -> bool {
    let owns = |owner: &Entry| {
        matches!(owner.nature, Nature::Virtual(_))
            && exclude.is_match(&owner.name)
            && entry.name.strip_prefix(owner.name.as_str()).is_some_and(|rest| rest.starts_with('_'))
    };
    entry.nature == Nature::Shadow && entries.iter().any(owns)
}

fn object(entry: &Entry, order: u32, entries: &[Entry], exclude: &GlobSet) -> Result<Option<Object>, Failure> {
    let Some(sql) = &entry.sql else { return Ok(None) };
    let kind = match (entry.kind.as_str(), &entry.nature) {
        ("table", Nature::Virtual(using)) if CARRIED_EXTENSIONS.contains(&using.as_str()) => "virtual-table",
        ("table", Nature::Virtual(_)) if exclude.is_match(&entry.name) => return Ok(None),
        ("table", Nature::Virtual(using)) => {
            return Err(DatabaseError::VirtualTable { name: entry.name.clone(), using: using.clone() }.into());
        }
        ("table", _) => return Ok(None),
        (kind, _) => kind,
    };
    let on_table = entries.iter().any(|other| other.is_collection() && other.name == entry.table);
    let collection = (on_table && kind != "virtual-table").then(|| name(&entry.table)).transpose()?;
    let (kind, name, definition) = (kind.to_owned(), entry.name.clone(), sql.clone());
    Ok(Some(Object { kind, name, collection, definition, order: Some(order) }))
}

fn name(name: &str) -> Result<CollectionName, Failure> {
    Ok(CollectionName::new(name).map_err(DatabaseError::Name)?)
}

fn collection(handle: &Handle<'_>, entry: &Entry, order: u32) -> Result<Collection, Failure> {
    let infos = outline::columns(handle, &entry.name)?;
    let sql = entry.sql.clone().unwrap_or_default();
    let table = Table { entry, sql: &sql, infos: &infos, indexes: outline::indexes(handle, &entry.name)? };
    let mut collection = Collection {
        name: name(&entry.name)?,
        columns: infos.iter().filter(|info| info.hidden != 1).map(|info| table.column(info)).collect(),
        primary_key: table.primary_key(),
        unique: table.unique(),
        references: references(handle, &entry.name)?,
        options: table.options(),
        order: Some(order),
        internal: entry.nature != Nature::Plain,
        definition: None,
    };
    if let Some(rowid) = hidden_rowid(handle, &table)? {
        collection.columns.insert(0, Column::new(rowid, Kind::Int64));
        collection.options.push(format!("{ROWID_OPTION}{rowid}"));
    }
    collection.definition = Some(sql);
    Ok(collection)
}

struct Table<'a> {
    entry: &'a Entry,
    sql: &'a str,
    infos: &'a [ColumnInfo],
    indexes: Vec<outline::IndexInfo>,
}

impl Table<'_> {
    fn column(&self, info: &ColumnInfo) -> Column {
        let never_null = info.not_null || info.key > 0 && (self.entry.without_rowid || self.rowid_alias().is_some());
        Column {
            name: info.name.clone(),
            kind: kind_of(&info.declared, self.entry.strict),
            array: false,
            nullable: !never_null,
            default: if info.is_generated() { self.generated(info) } else { info.default.as_deref().map(default) },
            native_type: (!info.declared.is_empty()).then(|| info.declared.clone()),
            generated: info.is_generated(),
        }
    }

    fn generated(&self, info: &ColumnInfo) -> Option<Default> {
        generated_expression(self.sql, &info.name).map(Default::Expression)
    }

    fn primary_key(&self) -> Vec<String> {
        let mut parts: Vec<_> = self.infos.iter().filter(|info| info.key > 0).collect();
        parts.sort_by_key(|info| info.key);
        parts.into_iter().map(|info| info.name.clone()).collect()
    }

    /// The column that is the rowid itself: a primary key that needed no index of its own.
    fn rowid_alias(&self) -> Option<&ColumnInfo> {
        let has_index = self.indexes.iter().any(|index| index.origin == "pk");
        self.infos.iter().find(|info| info.key == 1 && !has_index && !self.entry.without_rowid)
    }

    /// Keys that hold for every row.
    fn unique(&self) -> Vec<Vec<String>> {
        let whole = |index: &&outline::IndexInfo| index.unique && !index.partial && index.origin != "pk";
        self.indexes.iter().filter(whole).filter_map(|index| index.columns.iter().cloned().collect()).collect()
    }

    fn options(&self) -> Vec<String> {
        let flags = [
            ("AUTOINCREMENT", self.rowid_alias().is_some() && has_keyword(self.sql, "AUTOINCREMENT")),
            ("STRICT", self.entry.strict),
            ("WITHOUT ROWID", self.entry.without_rowid),
        ];
        let mut options: Vec<_> = flags.iter().filter(|(_, on)| *on).map(|(name, _)| (*name).to_owned()).collect();
        let stored = self.infos.iter().filter(|info| info.hidden == 3);
        options.extend(stored.map(|info| format!("{STORED_OPTION}{}", info.name)));
        options
    }

    /// A name by which the rowid can be had, where no column has taken it.
    fn rowid_name(&self) -> Option<&'static str> {
        let taken = |name: &str| self.infos.iter().any(|info| info.name.eq_ignore_ascii_case(name));
        ["_rowid_", "rowid", "oid"].into_iter().find(|name| !self.entry.without_rowid && !taken(name))
    }
}

/// The rowid's name where rowids are not what inserting in order would give again: 1, 2, 3, …
fn hidden_rowid(handle: &Handle<'_>, table: &Table<'_>) -> Result<Option<&'static str>> {
    if table.rowid_alias().is_some() {
        return Ok(None);
    }
    let Some(name) = table.rowid_name() else { return Ok(None) };
    let sql = format!("SELECT min({name}), max({name}), count(*) FROM {}", quote(&table.entry.name));
    let row = handle.query(&sql, &[], |row| Ok((row.integer(0), row.integer(1), row.integer(2))))?;
    let plain = row.first().is_none_or(|&(min, max, count)| count == 0 || (min == 1 && max == count));
    Ok((!plain).then_some(name))
}

/// A default that every engine understands, or else the expression.
fn default(sql: &str) -> Default {
    literal_value(sql).map_or_else(|| Default::Expression(sql.to_owned()), Default::Value)
}

fn literal_value(sql: &str) -> Option<String> {
    let (negative, rest) = match sql.strip_prefix(['-', '+']) {
        Some(rest) => (sql.starts_with('-'), rest),
        None => (false, sql),
    };
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        let text = format!("{}{rest}", if negative { "-" } else { "" });
        let number: serde_json::Number = text.parse().ok()?;
        return (number.to_string() == text).then_some(text);
    }
    let only = tokens(sql).next().filter(|token| token.text.len() == sql.len() && sql.len() > 1)?;
    match sql.to_ascii_lowercase().as_str() {
        "null" | "true" | "false" => Some(sql.to_ascii_lowercase()),
        _ if sql.starts_with('\'') => {
            let mut json = vec![];
            encoding::write_string(&mut json, &only.name());
            String::from_utf8(json).ok()
        }
        _ => None,
    }
}

/// References as declared; those to a primary key are completed by [`resolve_references`].
fn references(handle: &Handle<'_>, table: &str) -> Result<Vec<Reference>, Failure> {
    let mut references: Vec<(i64, Reference)> = vec![];
    for part in outline::foreign_keys(handle, table)? {
        if references.last().is_none_or(|(id, _)| *id != part.id) {
            let (on_update, on_delete) = (part.on_update, part.on_delete);
            let collection = name(&part.table)?;
            references.push((
                part.id,
                Reference { columns: vec![], collection, foreign_columns: vec![], on_update, on_delete },
            ));
        }
        let (_, reference) = references.last_mut().expect("one was pushed for this id");
        reference.columns.push(part.from);
        reference.foreign_columns.extend(part.to);
    }
    Ok(references.into_iter().map(|(_, reference)| reference).collect())
}

/// Names are compared as SQLite does, and spelled as the tables have them. A reference to what does not
/// exist and that names no columns cannot be completed: it stays in the definition alone.
fn resolve_references(database: &mut Database) {
    let keys: BTreeMap<String, (CollectionName, Vec<String>)> = database
        .collections
        .iter()
        .map(|c| (c.name.as_str().to_ascii_lowercase(), (c.name.clone(), c.primary_key.clone())))
        .collect();
    for collection in &mut database.collections {
        for reference in &mut collection.references {
            if let Some((name, key)) = keys.get(&reference.collection.as_str().to_ascii_lowercase()) {
                reference.collection = name.clone();
                if reference.foreign_columns.is_empty() {
                    reference.foreign_columns.clone_from(key);
                }
            }
        }
        collection.references.retain(|reference| reference.columns.len() == reference.foreign_columns.len());
    }
}

fn settings(handle: &Handle<'_>) -> Result<BTreeMap<String, String>> {
    let mut settings = BTreeMap::new();
    for name in ["page_size", "encoding", "user_version", "application_id", "auto_vacuum", "journal_mode"] {
        settings.insert(name.to_owned(), handle.scalar(&format!("PRAGMA {name}"))?);
    }
    // What is not WAL is a choice of each connection, not kept in the file.
    if settings["journal_mode"] != "wal" {
        settings.insert("journal_mode".to_owned(), "delete".to_owned());
    }
    Ok(settings)
}

fn sequences(handle: &Handle<'_>) -> Result<Vec<Sequence>> {
    handle.query("SELECT name, seq FROM sqlite_sequence ORDER BY rowid", &[], |row| {
        let mut value = vec![];
        let scalar = match row.value(1)? {
            Value::Text(_) => Value::Text(row.string(1)?.into_bytes().into()),
            other => other,
        };
        encoding::write(&mut value, &scalar, Style::Plain)
            .map_err(|problem| SqliteError::new(libsqlite3_sys::SQLITE_MISMATCH, problem))?;
        Ok(Sequence { name: row.string(0)?, value: String::from_utf8(value).unwrap_or_default() })
    })
}

/// Whether a definition is a virtual table's.
pub(super) fn is_virtual(sql: &str) -> bool {
    begins_with(sql, &["create", "virtual", "table"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_values_and_the_rest_are_expressions() {
        for (sql, json) in
            [("1", "1"), ("-5", "-5"), ("'it''s'", "\"it's\""), ("NULL", "null"), ("TRUE", "true"), ("0.5", "0.5")]
        {
            assert_eq!(default(sql), Default::Value(json.to_owned()), "{sql}");
        }
        for sql in ["CURRENT_TIMESTAMP", "x'00'", "'a' || 'b'", "1 + 1", "\"abc\"", "0x10", "01", "-", "'"] {
            assert_eq!(default(sql), Default::Expression(sql.to_owned()), "{sql}");
        }
    }
}
