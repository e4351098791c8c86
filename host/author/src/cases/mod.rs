//! Golden cases: records and files in, records and files out. A case is a folder:
//!
//! | | |
//! |---|---|
//! | `case.json` | `description`, `parameters`, `timestamp`, `seed`, `catalog`; all may be left out |
//! | `catalog.json` | the catalog that the records fit, as an archive or an export has it |
//! | `input/<collection>.jsonl` | the records, of collections that the module takes, and of those that it only queries |
//! | `files/<tree>/…` | the file trees that it opens; one that is not there cannot be opened |
//! | `expected/<collection>.jsonl` | what the module makes of the records |
//! | `expected-files/<tree>/…` | what it makes of the trees that it may write; one that becomes empty may be left out |
//! | `expected-error.txt` | instead: what it says of them; each line is looked for in its message |
//! | `expected-catalog.json` | what it makes of the catalog |
//!
//! `catalog` in `case.json` names another file for the catalog, from the case's folder, or is one.
//! With a catalog, records are held to it on both sides; without, only to each other. A module that
//! queries its input needs one.
//!
//! Of a tree counts what Git keeps: files, links, and whether a file can be run. So no directory that holds
//! nothing is part of a case, files have the time of the case, and a module sees them with mode 0644 or 0755.
//! There is no live target: the connection `target` does not answer, as in a migration of an archive.
//!
//! Each case runs in one instance, then in a fresh instance for each call, and then in one instance again,
//! after a run that was broken off at one of its calls of the host. All of them must return the same bytes.

mod bless;
mod diff;
mod files;
mod fit;
mod folder;
mod lines;
mod play;
mod steady;

use godwit_sandbox::LogLine;
use serde::Serialize;

use crate::Finding;

pub use folder::{Case, find};
pub use play::run;

/// What to do with the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Tell it.
    Compare,
    /// Make what the module returned the expectation.
    Bless,
}

/// How a case went.
#[derive(Debug, Clone)]
pub struct CaseReport {
    /// The folder's name.
    pub name: String,
    /// What `case.json` says it is about.
    pub description: String,
    /// Whether it is as expected.
    pub outcome: Outcome,
    /// What the module logged.
    pub log: Vec<LogLine>,
}

/// Whether a case is as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "outcome", content = "findings")]
pub enum Outcome {
    /// It is.
    Passed,
    /// It is now: the expectation was written.
    Blessed,
    /// It is not.
    Failed(Vec<Finding>),
}

impl Outcome {
    /// `passed`, `blessed`, `failed`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Blessed => "blessed",
            Self::Failed(_) => "failed",
        }
    }
}
