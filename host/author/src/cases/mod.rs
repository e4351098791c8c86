//! Golden cases: records in, records out. A case is a folder:
//!
//! | | |
//! |---|---|
//! | `case.json` | `description`, `parameters`, `timestamp`, `seed`, `catalog`; all may be left out |
//! | `catalog.json` | the catalog that the records fit, as an archive or an export has it |
//! | `input/<collection>.jsonl` | the records |
//! | `expected/<collection>.jsonl` | what the module makes of them |
//! | `expected-error.txt` | instead: what it says of them; each line is looked for in its message |
//! | `expected-catalog.json` | what it makes of the catalog |
//!
//! `catalog` in `case.json` names another file for the catalog, from the case's folder, or is one.
//! With a catalog, records are held to it on both sides; without, only to each other.
//!
//! Each case runs twice, once in one instance and once in a fresh instance for each call, and both
//! runs must return the same bytes.

mod bless;
mod diff;
mod folder;
mod lines;
mod play;

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
