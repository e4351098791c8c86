//! What a module may query, in a file of its own: the declared columns of the declared collections.
//!
//! Columns have no type, so that no value is converted, and keys are indexes, so that no record is refused. The
//! file is read by hostile SQL: nothing is in it that was not granted.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use godwit_model::{
    Catalog, Chunk, Collection, CollectionName, Database, DatabaseName, Fault, Form, Reads, RecordTarget, Staged,
};

use super::error::{DatabaseError, Result as SqliteResult, engine, files};
use super::insert::Layout;
use super::open;
use super::raw::Connection;
use super::words::{quote, quote_all};

/// A file that is being filled.
pub(crate) struct Stage {
    path: PathBuf,
    database: DatabaseName,
    reads: Reads,
    state: State,
}

enum State {
    New,
    Filling(Filling),
    /// Closed; whether it is to stay.
    Closed {
        kept: bool,
    },
}

struct Filling {
    connection: Connection,
    layouts: HashMap<CollectionName, Layout>,
    /// Statements; none once they have run.
    indexes: Option<Vec<String>>,
}

impl Stage {
    pub(crate) fn new(path: &Path, database: &DatabaseName, reads: &Reads) -> Self {
        Self { path: path.to_owned(), database: database.clone(), reads: reads.clone(), state: State::New }
    }

    /// What is read, collection by collection.
    fn parts<'a>(&'a self, database: &'a Database) -> Result<Vec<Part<'a>>, Fault> {
        let missing = |name: &CollectionName| Fault::refused(DatabaseError::NoCollection(name.to_string()));
        let part = |(name, columns): (&'a CollectionName, &'a BTreeSet<String>)| {
            let collection = database.collection(name.as_str()).ok_or_else(|| missing(name))?;
            Ok(Part { collection, columns })
        };
        let parts = self.reads.collections.iter().map(part).collect::<Result<Vec<_>, _>>()?;
        check_case(parts.iter().map(|part| part.collection.name.as_str()))?;
        parts.iter().try_for_each(|part| check_case(part.columns.iter().map(String::as_str)))?;
        Ok(parts)
    }

    fn lay_out(&self, parts: &[Part<'_>]) -> SqliteResult<Filling> {
        let mut connection = open::builder(&self.path)?;
        let handle = connection.lock()?;
        handle.run("BEGIN EXCLUSIVE")?;
        parts.iter().try_for_each(|part| handle.run(&part.table()))?;
        drop(handle);
        let layouts = parts.iter().map(|part| (part.collection.name.clone(), part.layout())).collect();
        Ok(Filling { connection, layouts, indexes: Some(self.indexes(parts)) })
    }

    /// What was asked for, and keys that can be seen whole.
    fn indexes(&self, parts: &[Part<'_>]) -> Vec<String> {
        let keys = parts.iter().filter_map(Part::key).map(|(table, columns)| (table, quote_all(columns)));
        let wanted = self.reads.indexes.iter().map(|(table, column)| (table.as_str(), quote(column)));
        let distinct: BTreeSet<_> = keys.chain(wanted).collect();
        let is_free = |name: &String| !parts.iter().any(|part| part.collection.name.as_str() == name);
        let names = (1..).map(|number| format!("index {number}")).filter(is_free);
        let index = |(name, (table, columns)): (String, (&str, String))| {
            format!("CREATE INDEX {} ON {}({columns})", quote(&name), quote(table))
        };
        names.zip(distinct).map(index).collect()
    }
}

/// A collection, as far as it is read.
struct Part<'a> {
    collection: &'a Collection,
    columns: &'a BTreeSet<String>,
}

impl<'a> Part<'a> {
    fn has(&self, column: &str) -> bool {
        self.columns.contains(column)
    }

    /// In the collection's own order.
    fn table(&self) -> String {
        let columns = self.collection.stored_columns().map(|column| column.name.as_str());
        let columns = quote_all(columns.filter(|column| self.has(column)));
        format!("CREATE TABLE {}({columns})", quote(self.collection.name.as_str()))
    }

    fn layout(&self) -> Layout {
        Layout::of_some(self.collection, &|column| self.has(column))
    }

    fn key(&self) -> Option<(&'a str, impl Iterator<Item = &'a str> + use<'a>)> {
        let key = &self.collection.primary_key;
        let is_seen = !key.is_empty() && key.iter().all(|column| self.has(column));
        is_seen.then(|| (self.collection.name.as_str(), key.iter().map(String::as_str)))
    }
}

fn check_case<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Fault> {
    let mut seen = BTreeMap::new();
    for name in names {
        if let Some(other) = seen.insert(name.to_ascii_lowercase(), name) {
            let (one, other) = (other.to_owned(), name.to_owned());
            return Err(Fault::refused(DatabaseError::SameName { one, other }));
        }
    }
    Ok(())
}

impl RecordTarget for Stage {
    fn form(&self) -> Form {
        Form::Lines
    }

    fn begin(&mut self, catalog: &Catalog) -> Result<(), Fault> {
        let State::New = self.state else { return Err(out_of_turn("begin")) };
        let missing = || Fault::refused(DatabaseError::NoDatabase(self.database.clone()));
        let database = catalog.databases.get(&self.database).ok_or_else(missing)?;
        database.check().map_err(|error| Fault::refused(DatabaseError::Catalog(error)))?;
        let parts = self.parts(database)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options.open(&self.path).map_err(files("making", &self.path))?;
        match self.lay_out(&parts) {
            Ok(filling) => {
                self.state = State::Filling(filling);
                Ok(())
            }
            Err(error) => {
                let _ = std::fs::remove_file(&self.path);
                Err(engine("staging", &self.path)(error))
            }
        }
    }

    fn write(&mut self, chunk: Chunk) -> Result<(), Fault> {
        let State::Filling(filling) = &mut self.state else { return Err(out_of_turn("write")) };
        if filling.indexes.is_none() {
            return Err(out_of_turn("write"));
        }
        let id = &chunk.collection;
        let Some(layout) = filling.layouts.get_mut(&id.name).filter(|_| id.database == self.database) else {
            return Ok(());
        };
        let failed = engine("staging", &self.path);
        let lines = chunk.body.into_lines()?;
        let handle = filling.connection.lock().map_err(&failed)?;
        layout.insert(&handle, &lines, false, &failed)
    }

    fn complete(&mut self) -> Result<(), Fault> {
        let State::Filling(filling) = &mut self.state else { return Err(out_of_turn("complete")) };
        let Some(indexes) = filling.indexes.take() else { return Err(out_of_turn("complete")) };
        let failed = engine("staging", &self.path);
        let handle = filling.connection.lock().map_err(&failed)?;
        indexes.iter().try_for_each(|index| handle.run(index)).map_err(&failed)
    }
}

impl Staged for Stage {
    fn prepare(&mut self) -> Result<(), Fault> {
        if let State::Filling(Filling { indexes: Some(_), .. }) = self.state {
            self.complete()?;
        }
        let State::Filling(filling) = &mut self.state else { return Err(out_of_turn("prepare")) };
        let failed = engine("staging", &self.path);
        filling.connection.lock().map_err(&failed)?.run("COMMIT").map_err(&failed)?;
        self.state = State::Closed { kept: false };
        Ok(())
    }

    /// The file is there since `begin`; from now on it stays.
    fn commit(&mut self) -> Result<(), Fault> {
        let State::Closed { kept } = &mut self.state else { return Err(out_of_turn("commit")) };
        *kept = true;
        Ok(())
    }

    fn settle(&mut self) -> Result<(), Fault> {
        let State::Closed { kept: true } = self.state else { return Err(out_of_turn("settle")) };
        Ok(())
    }

    fn undo(&mut self) -> Result<(), Fault> {
        let State::Closed { kept: true } = self.state else { return Err(out_of_turn("undo")) };
        std::fs::remove_file(&self.path).map_err(files("removing", &self.path))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let State::Filling(_) | State::Closed { kept: false } = self.state {
            self.state = State::Closed { kept: true }; // closes the connection first
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn out_of_turn(step: &'static str) -> Fault {
    Fault::system(DatabaseError::OutOfTurn(step))
}
