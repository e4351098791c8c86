//! One file a command: each opens its ends, makes its plan, and hands both to the pipeline.

pub(crate) mod backup;
pub(crate) mod export;
pub(crate) mod grants;
pub(crate) mod migrate;
pub(crate) mod plan;
pub(crate) mod restore;
mod trees;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use godwit_archive::{Archive, Depth};
use godwit_files::TreeLimits;
use godwit_model::{Digest, Fault};
use godwit_sandbox::{Limits, Workers};
use jiff::Timestamp;
use semver::Version;
use serde_json::Value;

use crate::chain::Chain;
use crate::grants::Grants;
use crate::observer::{Event, Observer, Stop};
use crate::pipeline::Run;

/// What every command gets from outside.
pub struct Context<'a> {
    /// Sees what goes on.
    pub observer: &'a dyn Observer,
    /// Asks the run to stop.
    pub stop: &'a Stop,
    /// Runs modules.
    pub workers: &'a Workers,
    /// Threads that transform; 0: one a core.
    pub threads: usize,
}

/// Which modules may be used, and how.
#[derive(Debug, Clone, Default)]
pub struct ModuleOptions {
    /// Directories with `*.wasm` in them.
    pub directories: Vec<PathBuf>,
    /// What was approved, what is allowed, and who is trusted.
    pub grants: Grants,
    /// The operator's values for their parameters.
    pub parameters: BTreeMap<String, Value>,
    /// Those of them that the operator named for this run: some module must take each.
    pub asked: Vec<String>,
    /// A module may lead across a major version.
    pub across_major: bool,
    /// References that lead nowhere in what modules made are warnings: the data may have had them before.
    pub allow_dangling: bool,
    /// What each may use up.
    pub limits: Limits,
    /// What each may write into file trees.
    pub tree_limits: TreeLimits,
}

impl<'a> Context<'a> {
    pub(crate) fn run<'b>(&'b self, chain: &'b Chain) -> Run<'b>
    where
        'a: 'b,
    {
        Run { chain, observer: self.observer, stop: self.stop, workers: self.workers, threads: self.threads }
    }

    pub(crate) fn stage(&self, name: &str, total: Option<u64>) {
        self.observer.event(Event::Stage { name, total });
    }

    fn note(&self, text: &str) {
        self.observer.event(Event::Note(text));
    }

    /// Opens an archive and checks all of it, so that nothing is touched for the sake of a damaged one.
    fn open_verified(&self, path: &Path) -> Result<Archive, Fault> {
        let mut archive = Archive::open(path)?;
        self.stage("verify the archive", None);
        archive.verify(Depth::Digests, &mut |_, _| self.stop.check())?;
        Ok(archive)
    }
}

/// The moment, as archives write it.
fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What modules derive ids from: the same for the same application, version and moment.
fn seed(application: &str, version: &Version, created: &str) -> String {
    Digest::of(format!("{application}\n{version}\n{created}\n").as_bytes()).to_string()[..16].to_owned()
}

fn total_bytes(archive: &Archive) -> u64 {
    // A manifest's numbers are another's word; this one is for a progress bar only.
    archive.manifest().collections.iter().fold(0, |sum, collection| sum.saturating_add(collection.bytes))
}
