//! Tests of a module's logic without a sandbox: plain `#[test]` functions, run natively.
//!
//! The harness holds a migration to what the host will hold it to: give it the manifest and the
//! catalog, and it refuses records of collections that the manifest does not declare, parameters
//! that it does not declare, and records that do not fit the catalog as `evolve` leaves it.

mod fit;
mod manifest;

use std::collections::BTreeMap;

pub use serde_json::Value;

use crate::bindings::Chunk;
use crate::host::native;
use crate::{Catalog, Error, Migration, Result};

pub use crate::host::Level;
pub use serde_json::json;

/// Runs a migration as the host would.
#[derive(Default)]
pub struct Harness {
    migration: Migration,
    parameters: BTreeMap<String, String>,
    manifest: Option<manifest::Manifest>,
    evolved: Option<Catalog>,
    log: Vec<(Level, String)>,
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
            self.parameters.entry(name).or_insert(value);
        }
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
        self.parameters.insert(name.to_owned(), value.into().to_string());
        self
    }

    /// Sets `run.timestamp`.
    pub fn timestamp(mut self, rfc3339: &str) -> Self {
        self.parameters.insert("run.timestamp".to_owned(), Value::from(rfc3339).to_string());
        self
    }

    /// Sets `run.seed`.
    pub fn seed(mut self, seed: u64) -> Self {
        self.parameters.insert("run.seed".to_owned(), Value::from(format!("{seed:016x}")).to_string());
        self
    }

    /// Evolves the catalog; later records must fit the result.
    pub fn evolve(&mut self, catalog: &Catalog) -> Result<Catalog> {
        let evolved = self.call(|migration| migration.run_evolve(catalog))?;
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
        let chunks = self.call(|migration| migration.run_transform(chunk))?;
        self.output(chunks)
    }

    /// Calls `finish`.
    pub fn finish(&mut self) -> Result<Output> {
        let chunks = self.call(Migration::run_finish)?;
        self.output(chunks)
    }

    /// Calls `verify`.
    pub fn verify(&mut self) -> Result<()> {
        self.call(Migration::run_verify)
    }

    /// What the last call logged.
    pub fn log(&self) -> &[(Level, String)] {
        &self.log
    }

    fn call<T>(&mut self, call: impl FnOnce(&mut Migration) -> Result<T>) -> Result<T> {
        let (result, log) = native::with(&self.parameters, || call(&mut self.migration));
        self.log = log;
        result
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
