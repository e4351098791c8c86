//! What a module says of itself, in its custom section `godwit:module`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

use crate::{CollectionName, Database, DatabaseName, Line, ModuleName, TreeName};

/// A module's manifest. `guest-sdk/MANIFEST.md` is its reference for authors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleManifest {
    /// `vendor/name`.
    pub name: ModuleName,
    /// The module's own version.
    pub version: Version,
    /// Whose data it migrates.
    pub application: String,
    /// Which data versions it takes.
    pub from: VersionReq,
    /// The data version it makes.
    pub to: Version,
    /// The step across compatibility lines, where it takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crosses: Option<Crossing>,
    /// The database it works on; may be left out where the application has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseName>,
    /// Collections whose records it gets and gives back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rewrites: BTreeSet<CollectionName>,
    /// Collections that it adds.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub creates: BTreeSet<CollectionName>,
    /// Collections that it removes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub drops: BTreeSet<CollectionName>,
    /// Collections, or `collection.column`, that it queries through the `database` interface.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reads: BTreeSet<String>,
    /// `collection.column` of what it reads, each to be given an index.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub indexes: BTreeSet<String>,
    /// Whether it has a private database of its own, gone after the run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scratch: bool,
    /// Collections of the live target that it queries or changes while the result is checked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub target: BTreeMap<CollectionName, Access>,
    /// File trees that it opens.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<TreeName, Access>,
    /// Parameters that it takes, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, ParameterSpec>,
    /// Whether one instance must see every chunk in order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ordered: bool,
    /// One sentence for the operator.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// Both sides of a step across compatibility lines, each as its line: `1`, `2`, `0.3`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crossing {
    /// The line the data comes from.
    pub from: String,
    /// The line the data goes to.
    pub to: String,
}

/// What a module may do to what it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Look.
    Read,
    /// Look and change.
    ReadWrite,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::ReadWrite => "read-write",
        })
    }
}

/// One parameter of a module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterSpec {
    /// What it is for, in words for the operator.
    pub description: String,
    /// The value where the operator gives none. No default: the operator must give one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
}

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or not this JSON.
    #[error("the module manifest cannot be read")]
    Malformed(#[source] serde_json::Error),
    /// One collection is declared twice.
    #[error("the module manifest of {module} declares {collection} as {first} and as {second}")]
    Contradiction {
        /// The module.
        module: ModuleName,
        /// The collection.
        collection: CollectionName,
        /// One declaration.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// It asks for a database that keeps what it is told, and for no order in which to tell it.
    #[error(
        "the module manifest of {module} asks for `scratch` without `\"ordered\": true`; a module whose chunks \
         come in any order keeps nothing between them"
    )]
    ScratchWithoutOrder {
        /// The module.
        module: ModuleName,
    },
    /// It reads what is not there.
    #[error(
        "the module manifest of {module} declares to read {entry:?}, but at the version that it starts from there is \
         no such collection, nor such a stored column `collection.column`; {there}"
    )]
    NothingToRead {
        /// The module.
        module: ModuleName,
        /// As the manifest has it.
        entry: String,
        /// What there is, in words.
        there: String,
    },
    /// It wants of the live target what is not there.
    #[error(
        "the module manifest of {module} declares the target's collection {collection}, but the version that it leads \
         to has no such collection"
    )]
    NoTarget {
        /// The module.
        module: ModuleName,
        /// As the manifest has it.
        collection: CollectionName,
    },
    /// It wants an index on what it does not read.
    #[error(
        "the module manifest of {module} wants an index on {entry:?}, which is no `collection.column` that it reads"
    )]
    IndexOfNothing {
        /// The module.
        module: ModuleName,
        /// As the manifest has it.
        entry: String,
    },
}

impl ModuleManifest {
    /// Reads and checks a manifest.
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_slice(json).map_err(ManifestError::Malformed)?;
        manifest.check_declarations()?;
        Ok(manifest)
    }

    fn check_declarations(&self) -> Result<(), ManifestError> {
        let sets = [("rewritten", &self.rewrites), ("created", &self.creates), ("dropped", &self.drops)];
        for (i, (first, one)) in sets.iter().enumerate() {
            for (second, other) in &sets[i + 1..] {
                if let Some(both) = one.intersection(other).next() {
                    return Err(ManifestError::Contradiction {
                        module: self.name.clone(),
                        collection: both.clone(),
                        first,
                        second,
                    });
                }
            }
        }
        match self.scratch && !self.ordered {
            true => Err(ManifestError::ScratchWithoutOrder { module: self.name.clone() }),
            false => Ok(()),
        }
    }

    /// Holds what it declares of the live target against the database as the module leaves it.
    pub fn check_target(&self, after: &Database) -> Result<(), ManifestError> {
        match self.target.keys().find(|name| after.collection(name.as_str()).is_none()) {
            None => Ok(()),
            Some(missing) => Err(ManifestError::NoTarget { module: self.name.clone(), collection: missing.clone() }),
        }
    }

    /// Whether it asks for a connection of the `database` interface.
    pub fn wants_database(&self) -> bool {
        !self.reads.is_empty() || self.scratch || !self.target.is_empty()
    }

    /// Whether the module gets this collection's records.
    pub fn takes(&self, collection: &str) -> bool {
        self.rewrites.contains(collection) || self.drops.contains(collection)
    }

    /// Whether the module may return records of this collection.
    pub fn gives(&self, collection: &str) -> bool {
        self.rewrites.contains(collection) || self.creates.contains(collection)
    }

    /// Whether the step from `data` to this module's version is one the manifest allows: on one
    /// line, or across exactly the lines that it names.
    pub fn may_step_from(&self, data: &Version) -> bool {
        let (from, to) = (Line::of(data), Line::of(&self.to));
        match &self.crosses {
            None => from == to,
            Some(named) => named.from == from.to_string() && named.to == to.to_string(),
        }
    }
}
