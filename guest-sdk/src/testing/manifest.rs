//! The parts of a manifest that a test holds a migration to. All of it is read by the host.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::native::Grants;
use crate::{Error, Result};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Manifest {
    rewrites: BTreeSet<String>,
    creates: BTreeSet<String>,
    drops: BTreeSet<String>,
    parameters: BTreeMap<String, Parameter>,
    reads: Vec<String>,
    scratch: bool,
    target: BTreeMap<String, Access>,
    files: BTreeMap<String, Access>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Access {
    Read,
    ReadWrite,
}

#[derive(Deserialize)]
struct Parameter {
    default: Option<Value>,
}

impl Manifest {
    pub(super) fn parse(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("the manifest cannot be read: {error}"))
    }

    pub(super) fn check_transformations<'a>(&self, transformed: impl Iterator<Item = &'a String>) {
        let transformed: BTreeSet<_> = transformed.cloned().collect();
        let declared: BTreeSet<_> = self.rewrites.union(&self.drops).cloned().collect();
        assert_eq!(
            declared, transformed,
            "what the manifest declares as rewritten or dropped (left) is what has a transformation (right)"
        );
    }

    pub(super) fn check_parameter(&self, name: &str) {
        assert!(self.parameters.contains_key(name), "the manifest declares no parameter {name}");
    }

    pub(super) fn defaults(&self) -> impl Iterator<Item = (String, String)> {
        let default =
            |(name, parameter): (&String, &Parameter)| Some((name.clone(), parameter.default.as_ref()?.to_string()));
        self.parameters.iter().filter_map(default)
    }

    pub(super) fn grants(&self) -> Grants {
        let asked = [("input", !self.reads.is_empty()), ("scratch", self.scratch), ("target", !self.target.is_empty())];
        let connections = asked.into_iter().filter_map(|(name, asked)| asked.then_some(name)).collect();
        let trees = self.files.iter().map(|(name, access)| (name.clone(), *access == Access::ReadWrite)).collect();
        Grants { connections, trees }
    }

    pub(super) fn check_output(&self, collection: &str) -> Result<()> {
        if self.rewrites.contains(collection) || self.creates.contains(collection) {
            Ok(())
        } else {
            Err(Error::new("the manifest declares this collection neither as rewritten nor as created")
                .in_collection(collection))
        }
    }
}
