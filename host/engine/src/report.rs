//! What a run did, or would do.

use std::collections::BTreeMap;

use godwit_files::TreeChange;
use godwit_model::{CollectionId, TreeName};
use serde::Serialize;

use crate::views::Statement;

/// How many violations are kept word for word.
pub(crate) const VIOLATIONS_KEPT: usize = 100;

/// How many warnings are kept.
const WARNINGS_KEPT: usize = 50;

/// What a run did, or a dry run found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Per collection, by `database.collection`; collections kept by an engine for itself left out.
    pub collections: BTreeMap<String, CollectionCount>,
    /// Per file tree.
    pub trees: BTreeMap<TreeName, TreeCount>,
    /// What modules did to file trees.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<TreeName, Vec<TreeChange>>,
    /// What modules did in the live target, the first statements of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Statement>,
    /// The first violations of the new catalog.
    pub violations: Vec<Violation>,
    /// How many there are in all.
    pub violation_count: u64,
    /// Warnings and errors that modules logged, the first of them.
    pub warnings: Vec<String>,
}

/// Counts of one collection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CollectionCount {
    /// Records read.
    pub records_in: u64,
    /// Records passed on.
    pub records_out: u64,
    /// Bytes of JSON lines read.
    pub bytes_in: u64,
    /// Bytes of JSON lines passed on.
    pub bytes_out: u64,
    /// Whether a module of the chain touches it.
    pub touched: bool,
}

/// Counts of one file tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TreeCount {
    /// Regular files.
    pub files: u64,
    /// Directories.
    pub directories: u64,
    /// Symbolic links.
    pub links: u64,
    /// Bytes of content.
    pub bytes: u64,
}

/// A record that does not fit the new catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// `type` (also null and missing or unknown columns), `duplicate key`, `dangling reference`.
    pub rule: &'static str,
    /// The collection.
    pub collection: String,
    /// What is wrong, with record and key.
    pub problem: String,
}

impl Report {
    /// The counts of a collection.
    pub fn count(&mut self, collection: &CollectionId) -> &mut CollectionCount {
        self.collections.entry(collection.to_string()).or_default()
    }

    /// Notes a violation.
    pub fn violation(&mut self, violation: Violation) {
        self.violation_count += 1;
        if self.violations.len() < VIOLATIONS_KEPT {
            self.violations.push(violation);
        }
    }

    /// Notes a warning.
    pub fn warning(&mut self, warning: String) {
        if self.warnings.len() < WARNINGS_KEPT {
            self.warnings.push(warning);
        }
    }

    /// Records read, all collections together.
    pub fn records_in(&self) -> u64 {
        self.collections.values().map(|count| count.records_in).sum()
    }

    /// Bytes of JSON lines read.
    pub fn bytes_in(&self) -> u64 {
        self.collections.values().map(|count| count.bytes_in).sum()
    }
}
