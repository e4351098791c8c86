//! A live database as a source: one read transaction from opening to dropping.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};
use godwit_model::{Body, Catalog, Chunk, Collection, CollectionId, DatabaseName, Emit, Fault, RecordSource, limits};

use super::catalog::{self, Failure, ROWID_OPTION};
use super::encoding::{self, Style, write_string};
use super::error::{DatabaseError, Result, engine};
use super::open;
use super::outline;
use super::raw::{Connection, Handle, Statement};
use super::words::{quote, quote_all};
use crate::api::{Listed, Options};

/// A database opened for reading.
pub(crate) struct Source {
    connection: Connection,
    path: PathBuf,
    catalog: Catalog,
    exclude: GlobSet,
    chunk_bytes: usize,
    wide: bool,
    estimates: HashMap<CollectionId, u64>,
}

impl Source {
    pub(crate) fn open(name: &DatabaseName, path: &Path, options: &Options) -> Result<Self, Fault> {
        let exclude = globs(&options.exclude)?;
        let failed = engine("reading", path);
        let mut connection = open::read_only(path).map_err(&failed)?;
        let handle = connection.lock().map_err(&failed)?;
        handle.run("BEGIN").map_err(&failed)?;
        let database = catalog::read(&handle, &exclude).map_err(|failure| match failure {
            Failure::Sqlite(error) => failed(error),
            Failure::Fault(fault) => fault,
        })?;
        let catalog = Catalog::of(name.clone(), database);
        let estimates = estimates(&handle, &catalog).map_err(&failed)?;
        let wide = handle.scalar("PRAGMA encoding").map_err(&failed)? != "UTF-8";
        drop(handle);
        let (path, chunk_bytes) = (path.to_owned(), options.chunk_bytes.clamp(1, limits::CHUNK_BYTES_MAX));
        Ok(Self { connection, path, catalog, exclude, chunk_bytes, wide, estimates })
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet, Fault> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = Glob::new(pattern).map_err(|error| Fault::usage(DatabaseError::Glob(pattern.clone(), error)))?;
        set.add(glob);
    }
    set.build().map_err(|error| Fault::usage(DatabaseError::Glob(patterns.join(", "), error)))
}

impl RecordSource for Source {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn read(&mut self, id: &CollectionId, emit: Emit<'_, Chunk>) -> Result<(), Fault> {
        let unknown = || Fault::usage(DatabaseError::NoCollection(id.to_string()));
        let collection = self.catalog.collection(id).ok_or_else(unknown)?;
        if self.exclude.is_match(id.name.as_str()) {
            return Ok(());
        }
        let failed = engine("reading", &self.path);
        let handle = self.connection.lock().map_err(&failed)?;
        let mut rows = handle.prepare(&select(collection)).map_err(&failed)?.wide(self.wide);
        let mut packer = Packer::new(id, collection, self.chunk_bytes);
        while rows.step().map_err(&failed)? {
            packer.add(&rows, &failed)?;
            while packer.is_full() {
                emit(packer.take())?;
            }
        }
        if packer.records > 0 { emit(packer.take()) } else { Ok(()) }
    }

    fn estimate(&self, collection: &CollectionId) -> Option<u64> {
        self.estimates.get(collection).copied()
    }
}

/// Reads the table itself in the order of its rowid or key, never an index that happens to cover it.
fn select(collection: &Collection) -> String {
    let columns = quote_all(collection.stored_columns().map(|column| column.name.as_str()));
    format!("SELECT {columns} FROM {} NOT INDEXED{}", quote(collection.name.as_str()), order(collection))
}

fn order(collection: &Collection) -> String {
    let taken = |name: &str| collection.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    let carried = collection.options.iter().find_map(|option| option.strip_prefix(ROWID_OPTION));
    let free = ["_rowid_", "rowid", "oid"].into_iter().find(|name| !taken(name));
    let has_rowid = !collection.options.iter().any(|option| option == "WITHOUT ROWID");
    match carried.or(free) {
        Some(rowid) if has_rowid => format!(" ORDER BY {rowid}"),
        _ => String::new(),
    }
}

/// Writes records into chunks.
struct Packer<'a> {
    id: &'a CollectionId,
    /// `{"a":`, `,"b":`, …
    prefixes: Vec<Vec<u8>>,
    columns: Vec<(&'a str, Style)>,
    key: Vec<usize>,
    limit: usize,
    lines: Vec<u8>,
    /// Where the last record starts.
    last: usize,
    records: u64,
    total: u64,
    sequence: u64,
}

impl<'a> Packer<'a> {
    fn new(id: &'a CollectionId, collection: &'a Collection, limit: usize) -> Self {
        let columns = collection.stored_columns().map(|column| (column.name.as_str(), Style::of(column)));
        let prefix = |(i, column): (usize, &godwit_model::Column)| {
            let mut prefix = vec![if i == 0 { b'{' } else { b',' }];
            write_string(&mut prefix, &column.name);
            prefix.push(b':');
            prefix
        };
        Self {
            id,
            prefixes: collection.stored_columns().enumerate().map(prefix).collect(),
            columns: columns.collect(),
            key: godwit_model::records::positions(collection, &collection.primary_key).unwrap_or_default(),
            limit,
            lines: Vec::with_capacity(limit + limit / 8),
            last: 0,
            records: 0,
            total: 0,
            sequence: 0,
        }
    }

    fn add(&mut self, row: &Statement<'_>, failed: &impl Fn(super::error::SqliteError) -> Fault) -> Result<(), Fault> {
        let start = self.lines.len();
        for (i, (prefix, (_, style))) in self.prefixes.iter().zip(&self.columns).enumerate() {
            self.lines.extend_from_slice(prefix);
            let value = row.value(i).map_err(failed)?;
            if let Err(problem) = encoding::write(&mut self.lines, &value, *style) {
                return Err(self.unwritable(row, Some(i), problem.to_owned()));
            }
        }
        self.lines.extend_from_slice(b"}\n");
        let length = self.lines.len() - start;
        if length > limits::CHUNK_BYTES_MAX {
            let most = limits::CHUNK_BYTES_MAX;
            let problem = format!("is {length} bytes long as JSON, over the limit of {most}; exclude the collection");
            return Err(self.unwritable(row, None, problem));
        }
        self.last = start;
        self.records += 1;
        self.total += 1;
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.lines.len() >= self.limit
    }

    /// The chunk so far. A record larger than a chunk stays behind, to be a chunk of its own.
    fn take(&mut self) -> Chunk {
        let is_large = self.lines.len() - self.last > self.limit && self.last > 0;
        let end = if is_large { self.last } else { self.lines.len() };
        let mut rest = Vec::with_capacity(self.limit + self.limit / 8);
        rest.extend_from_slice(&self.lines[end..]);
        self.lines.truncate(end);
        let lines = std::mem::replace(&mut self.lines, rest);
        let left = u64::from(is_large);
        let records = std::mem::replace(&mut self.records, left) - left;
        self.last = 0;
        let sequence = self.sequence;
        self.sequence += 1;
        Chunk { collection: self.id.clone(), sequence, records, body: Body::Lines(lines) }
    }

    fn unwritable(&self, row: &Statement<'_>, column: Option<usize>, problem: String) -> Fault {
        Fault::refused(DatabaseError::Record {
            collection: self.id.name.to_string(),
            record: self.total,
            key: self.key_of(row),
            column: column.map(|i| self.columns[i].0.to_owned()),
            problem,
        })
    }

    fn key_of(&self, row: &Statement<'_>) -> Option<String> {
        let mut key = vec![];
        for (i, &column) in self.key.iter().enumerate() {
            if i > 0 {
                key.push(b',');
            }
            encoding::write(&mut key, &row.value(column).ok()?, Style::Plain).ok()?;
        }
        String::from_utf8(key).ok().filter(|key| !key.is_empty())
    }
}

/// Shares the size of the file among the collections by their numbers of rows and columns.
fn estimates(handle: &Handle<'_>, catalog: &Catalog) -> Result<HashMap<CollectionId, u64>> {
    let size = |name| -> Result<u64> { Ok(handle.scalar(&format!("PRAGMA {name}"))?.parse().unwrap_or(0)) };
    let bytes = size("page_count")?.saturating_mul(size("page_size")?);
    let weigh = |collection: &Collection| -> Result<u64> {
        let without_rowid = collection.options.iter().any(|option| option == "WITHOUT ROWID");
        let rows = about_rows(handle, collection.name.as_str(), without_rowid)?;
        Ok(rows.saturating_mul(collection.columns.len() as u64))
    };
    let weights: Vec<_> = catalog.collections().map(|(id, c)| Ok((id, weigh(c)?))).collect::<Result<_>>()?;
    let total = weights.iter().map(|(_, weight)| u128::from(*weight)).sum::<u128>().max(1);
    let share = |weight: u64| u64::try_from(u128::from(bytes) * u128::from(weight) / total).unwrap_or(u64::MAX);
    Ok(weights.into_iter().map(|(id, weight)| (id, share(weight))).collect())
}

/// The span of rowids: found without reading the table. Without rowids the rows are counted.
fn about_rows(handle: &Handle<'_>, table: &str, without_rowid: bool) -> Result<u64> {
    let Some(rowid) = rowid_name(handle, table)?.filter(|_| !without_rowid) else { return rows(handle, table) };
    // Each in a query of its own: then SQLite looks at one end of the tree.
    let sql = format!("SELECT (SELECT max({rowid}) FROM {0}), (SELECT min({rowid}) FROM {0})", quote(table));
    let bounds = handle.query(&sql, &[], |row| Ok((row.optional_string(0)?, row.integer(0), row.integer(1))))?;
    Ok(match bounds.first() {
        Some((Some(_), max, min)) => u64::try_from(i128::from(*max) - i128::from(*min) + 1).unwrap_or(u64::MAX),
        _ => 0,
    })
}

fn rowid_name(handle: &Handle<'_>, table: &str) -> Result<Option<&'static str>> {
    let columns = outline::columns(handle, table)?;
    let taken = |name: &str| columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    Ok(["_rowid_", "rowid", "oid"].into_iter().find(|name| !taken(name)))
}

/// The application's tables, those with unknown extensions included.
pub(crate) fn list_collections(path: &Path) -> Result<Vec<Listed>, Fault> {
    let failed = engine("reading", path);
    let mut connection = open::read_only(path).map_err(&failed)?;
    let handle = connection.lock().map_err(&failed)?;
    list(&handle).map_err(&failed)
}

fn rows(handle: &Handle<'_>, table: &str) -> Result<u64> {
    let counts = handle.query(&format!("SELECT count(*) FROM {}", quote(table)), &[], |row| Ok(row.integer(0)))?;
    Ok(counts.first().and_then(|&count| u64::try_from(count).ok()).unwrap_or_default())
}

fn list(handle: &Handle<'_>) -> Result<Vec<Listed>> {
    handle.run("BEGIN")?;
    let entries = outline::entries(handle)?;
    let plain = entries.into_iter().filter(|entry| entry.kind == "table" && entry.nature == outline::Nature::Plain);
    plain.map(|entry| Ok(Listed { rows: rows(handle, &entry.name)?, name: entry.name })).collect()
}
