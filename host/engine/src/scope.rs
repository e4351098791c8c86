//! Which databases and file trees a command is about.

use std::str::FromStr;

use godwit_model::{DatabaseName, TreeName};

use crate::EngineError;

/// `all`, `db`, `files`, or the name of a database or tree; several add up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    All,
    Databases,
    Files,
    Named(String),
}

impl FromStr for Part {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "all" => Self::All,
            "db" => Self::Databases,
            "files" => Self::Files,
            name => Self::Named(name.to_owned()),
        })
    }
}

impl Scope {
    /// From `--scope` options; none means everything.
    pub fn parse(options: &[String]) -> Self {
        Self(options.iter().map(|text| text.parse().unwrap_or(Part::All)).collect())
    }

    /// Whether a database is meant.
    pub fn has_database(&self, name: &DatabaseName) -> bool {
        self.has(&Part::Databases, name.as_str())
    }

    /// Whether a file tree is meant.
    pub fn has_tree(&self, name: &TreeName) -> bool {
        self.has(&Part::Files, name.as_str())
    }

    fn has(&self, kind: &Part, name: &str) -> bool {
        self.0.is_empty()
            || self.0.iter().any(|part| *part == Part::All || part == kind || *part == Part::Named(name.to_owned()))
    }

    /// Refuses names that are nothing.
    pub fn check<'a>(
        &self,
        databases: impl Iterator<Item = &'a DatabaseName>,
        trees: impl Iterator<Item = &'a TreeName>,
    ) -> Result<(), EngineError> {
        let known: Vec<String> = databases.map(ToString::to_string).chain(trees.map(ToString::to_string)).collect();
        let unknown = self.0.iter().find_map(|part| match part {
            Part::Named(name) if !known.contains(name) => Some(name.clone()),
            _ => None,
        });
        match unknown {
            Some(name) => Err(EngineError::UnknownScope { name, known }),
            None => Ok(()),
        }
    }
}
