//! Tests of a module's logic without a sandbox: plain `#[test]` functions, run natively.
//!
//! The harness holds a migration to what the host will hold it to: give it the manifest and the
//! catalog, and it refuses records of collections that the manifest does not declare, parameters
//! that it does not declare, connections and file trees that it does not declare, and records that do not fit the
//! catalog as `evolve` leaves it.
//!
//! File trees are in memory ([`Harness::file`]); a database answers what the test has it answer
//! ([`Harness::answer`]). Whether SQL is right only a database can tell: golden cases run on a real one.

mod fit;
mod manifest;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

pub use serde_json::Value;

use crate::bindings::Chunk;
use crate::native::{self, Backend, Call};
use crate::{Catalog, Error, Migration, Result, database};

pub use crate::host::Level;
pub use crate::native::database::Answer;
pub use serde_json::json;

/// Runs a migration as the host would.
#[derive(Default)]
pub struct Harness {
    migration: Migration,
    backend: Backend,
    manifest: Option<manifest::Manifest>,
    evolved: Option<Catalog>,
}

impl Harness {
    /// A run with a fixed timestamp and seed and no other parameter.
    pub fn new(migration: Migration) -> Self {
        let harness = Self { migration, ..Self::default() };
        harness.timestamp("2026-01-02T03:04:05Z").seed(0)
    }

    /// Holds the migration to its manifest, and takes the defaults of its parameters from there.
    ///
    /// # Panics
    /// The manifest cannot be read, or declares other collections as rewritten or dropped than
    /// the migration has transformations for.
    pub fn manifest(mut self, json: &str) -> Self {
        let manifest = manifest::Manifest::parse(json);
        manifest.check_transformations(self.migration.collections());
        for (name, value) in manifest.defaults() {
            self.backend.parameters.entry(name).or_insert(value);
        }
        self.backend.grants = Some(manifest.grants());
        self.manifest = Some(manifest);
        self
    }

    /// Gives a parameter, as the operator would.
    ///
    /// # Panics
    /// The manifest was given before and does not declare it.
    pub fn parameter(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Some(manifest) = &self.manifest {
            manifest.check_parameter(name);
        }
        self.backend.parameters.insert(name.to_owned(), value.into().to_string());
        self
    }

    /// Sets `run.timestamp`.
    pub fn timestamp(mut self, rfc3339: &str) -> Self {
        self.backend.parameters.insert("run.timestamp".to_owned(), Value::from(rfc3339).to_string());
        self
    }

    /// Sets `run.seed`.
    pub fn seed(mut self, seed: u64) -> Self {
        self.backend.parameters.insert("run.seed".to_owned(), Value::from(format!("{seed:016x}")).to_string());
        self
    }

    /// Puts a file into a tree, with the directories that it needs. Without a manifest there are the trees that
    /// a file was put into; with one there are those that it declares.
    ///
    /// # Panics
    /// There is something of this name already, or the path is none.
    pub fn file(mut self, tree: &str, path: &str, content: impl Into<Vec<u8>>) -> Self {
        let entries = self.backend.trees.entry(tree.to_owned()).or_default();
        if let Err(error) = entries.place(path, content.into()) {
            panic!("{tree}: {path} cannot be put there: {error}");
        }
        self
    }

    /// Answers the statements that the migration runs: given are the connection's name, the SQL and its values.
    /// An error is what the module gets from the database.
    pub fn answer(mut self, answer: impl FnMut(&str, &str, &[database::Value]) -> Result<Answer> + 'static) -> Self {
        self.backend.answers = Some(Rc::new(RefCell::new(answer)));
        self
    }

    /// Evolves the catalog; later records must fit the result.
    pub fn evolve(&mut self, catalog: &Catalog) -> Result<Catalog> {
        let evolved = self.call(Call::Evolve, |migration| migration.run_evolve(catalog))?;
        if let Some(twice) = fit::name_twice(&evolved) {
            return Err(Error::new(format!("the evolved catalog has {twice} twice")));
        }
        self.evolved = Some(evolved.clone());
        Ok(evolved)
    }

    /// Transforms records as one chunk. Their fields are in alphabetical order, as `json!` has
    /// them; use [`Harness::transform_lines`] where the order matters.
    pub fn transform(&mut self, collection: &str, records: impl IntoIterator<Item = Value>) -> Result<Output> {
        let lines: Vec<String> = records.into_iter().map(|record| format!("{record}\n")).collect();
        self.transform_lines(collection, &lines.concat())
    }

    /// Transforms JSON lines as one chunk.
    pub fn transform_lines(&mut self, collection: &str, lines: &str) -> Result<Output> {
        let chunk = Chunk { collection: collection.to_owned(), first: 0, records: lines.as_bytes().to_vec() };
        let chunks = self.call(Call::Transform, |migration| migration.run_transform(chunk))?;
        self.output(chunks)
    }

    /// Calls `finish`.
    pub fn finish(&mut self) -> Result<Output> {
        let chunks = self.call(Call::Finish, Migration::run_finish)?;
        self.output(chunks)
    }

    /// Calls `verify`.
    pub fn verify(&mut self) -> Result<()> {
        self.call(Call::Verify, Migration::run_verify)
    }

    /// What the last call logged.
    pub fn log(&self) -> &[(Level, String)] {
        &self.backend.log
    }

    /// The files of a tree as the calls have left it, with their content.
    pub fn files(&self, tree: &str) -> BTreeMap<String, Vec<u8>> {
        self.backend.trees.get(tree).map(native::files::Entries::files).unwrap_or_default()
    }

    fn call<T>(&mut self, call: Call, run: impl FnOnce(&mut Migration) -> Result<T>) -> Result<T> {
        native::with(&mut self.backend, call, || run(&mut self.migration))
    }

    fn output(&self, chunks: Vec<Chunk>) -> Result<Output> {
        let mut lines = BTreeMap::new();
        for chunk in chunks {
            if let Some(manifest) = &self.manifest {
                manifest.check_output(&chunk.collection)?;
            }
            if let Some(catalog) = &self.evolved {
                fit::check(catalog, &chunk)?;
            }
            let text =
                String::from_utf8(chunk.records).map_err(|error| Error::new(error).in_collection(&chunk.collection))?;
            lines.insert(chunk.collection, text);
        }
        Ok(Output { lines })
    }
}

/// What a call returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    lines: BTreeMap<String, String>,
}

impl Output {
    /// The collections that got records.
    pub fn collections(&self) -> Vec<&str> {
        self.lines.keys().map(String::as_str).collect()
    }

    /// A collection's records, byte for byte.
    pub fn lines(&self, collection: &str) -> &str {
        self.lines.get(collection).map_or("", String::as_str)
    }

    /// A collection's records.
    ///
    /// # Panics
    /// One is not JSON.
    pub fn records(&self, collection: &str) -> Vec<Value> {
        let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{collection}: {error}: {line}"));
        self.lines(collection).lines().map(read).collect()
    }
}
