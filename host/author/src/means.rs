//! What a module may reach in its runs beside its records, as the host would let it: the input that it
//! queries, a database of its own, file trees. Never a live target: none is at hand.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use godwit_database::{limit_memory, open_input, open_scratch, stage_input};
use godwit_files::{Base, OverlayTrees, ScratchFolder, StepTrees, TreeLimits, TreeState};
use godwit_model::{
    Access, Body, Catalog, Chunk, CollectionId, CollectionName, Database, DatabaseName, Fault, FileAccess, FileChange,
    FileFailure, FileStat, ModuleManifest, Reads,
};
use godwit_sandbox::{Capabilities, limits};

use crate::run::Records;
use crate::trees::{self, Held, Trees};

/// Memory that the SQL of a module may take in this process beside its private databases, in bytes, as in a worker.
const SQL_MEMORY: u64 = 256 << 20;

/// What each run of a module gets anew. What a run did with it is gone when the next one begins.
pub(crate) struct Means {
    manifest: ModuleManifest,
    input: Option<PathBuf>,
    trees: Trees,
    /// The time of files that it writes, in nanoseconds since 1970.
    moment: i64,
    folder: ScratchFolder,
}

/// What is given of it.
#[derive(Default)]
pub(crate) struct Given<'a> {
    /// Records of the collections that it reads, and the catalog that they fit.
    pub(crate) input: Option<(&'a Database, &'a Reads, &'a Records)>,
    /// Its file trees.
    pub(crate) trees: Trees,
    /// The moment of the run, in nanoseconds since 1970.
    pub(crate) moment: i64,
}

impl Means {
    /// Lays out the input in a private folder, removed with this value.
    ///
    /// # Errors
    /// System: the folder cannot be made or written. Refused, damaged: the input cannot be laid out.
    pub(crate) fn new(manifest: &ModuleManifest, given: Given<'_>) -> Result<Self, Fault> {
        let folder = ScratchFolder::open(&std::env::temp_dir())?;
        let input = folder.path().join("input.db");
        let staged = given.input.filter(|(_, reads, _)| !reads.is_empty());
        let input = staged.map(|from| stage(&input, manifest, from).map(|()| input)).transpose()?;
        limit_memory(SQL_MEMORY + 2 * limits::SCRATCH_BYTES);
        Ok(Self { manifest: manifest.clone(), input, trees: given.trees, moment: given.moment, folder })
    }

    /// Everything as it is before a run.
    pub(crate) fn begin(&self) -> Result<Reach<'_>, Fault> {
        let base = Base::new(Box::new(Held(self.trees.clone())), &self.folder, self.moment);
        let declared = self.manifest.files.iter().filter(|(name, _)| self.trees.contains_key(*name));
        let state = |(name, access): (&_, &Access)| Ok((Clone::clone(name), (TreeState::of(&base, name)?, *access)));
        let granted = declared.map(state).collect::<Result<_, Fault>>()?;
        let trees = Shared(Arc::new(Mutex::new(StepTrees::new(granted, TreeLimits::default()))));
        Ok(Reach { means: self, base, trees })
    }
}

fn stage(
    path: &Path,
    manifest: &ModuleManifest,
    (before, reads, records): (&Database, &Reads, &Records),
) -> Result<(), Fault> {
    let database = manifest.database.clone().unwrap_or_else(|| DatabaseName::new("main").expect("letters only"));
    let mut stage = stage_input(path, &database, reads)?;
    stage.begin(&Catalog { databases: [(database.clone(), before.clone())].into() })?;
    for (name, lines) in records.iter().filter(|(name, _)| reads.collections.contains_key(*name)) {
        stage.write(chunk(&database, name, lines))?;
    }
    stage.complete()?;
    stage.prepare()?;
    stage.commit()?;
    stage.settle()
}

fn chunk(database: &DatabaseName, name: &CollectionName, lines: &[u8]) -> Chunk {
    let collection = CollectionId { database: database.clone(), name: name.clone() };
    let records = lines.split_inclusive(|byte| *byte == b'\n').count() as u64;
    Chunk { collection, sequence: 0, records, body: Body::Lines(lines.to_vec()) }
}

/// What one run reaches.
pub(crate) struct Reach<'a> {
    means: &'a Means,
    base: Base,
    trees: Shared,
}

impl Reach<'_> {
    /// For an instance. The trees are those of the whole run; a scratch is the instance's own, as it is in a host,
    /// where only a module with a single instance has one.
    pub(crate) fn capabilities(&self) -> Result<Capabilities, Fault> {
        let Means { manifest, input, .. } = self.means;
        Ok(Capabilities {
            input: input.as_deref().map(open_input).transpose()?,
            scratch: manifest.scratch.then(|| open_scratch(limits::SCRATCH_BYTES)).transpose()?,
            target: None,
            files: (!manifest.files.is_empty()).then(|| Box::new(self.trees.clone()) as _),
        })
    }

    /// Whether the module may write now, where it may at all.
    pub(crate) fn set_writable(&self, writable: bool) {
        self.trees.lock().set_writable(writable);
    }

    /// The trees that it may write, as they are now.
    pub(crate) fn trees(&self) -> Result<Trees, Fault> {
        let states = self.trees.lock().states();
        let mut all = trees::read(&mut OverlayTrees::new(self.base.clone(), states))?;
        all.retain(|name, _| self.means.manifest.files.get(name) == Some(&Access::ReadWrite));
        Ok(all)
    }

    /// Why the host itself could not do what the module asked of a tree.
    pub(crate) fn trouble(&self) -> Result<(), Fault> {
        self.base.trouble().map_or(Ok(()), Err)
    }
}

/// The trees of a run, whichever instance asks.
#[derive(Clone)]
struct Shared(Arc<Mutex<StepTrees>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, StepTrees> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileAccess for Shared {
    fn open(&mut self, tree: &str) -> Result<(), FileFailure> {
        self.lock().open(tree)
    }

    fn list(&mut self, tree: &str, path: &str) -> Result<Vec<String>, FileFailure> {
        self.lock().list(tree, path)
    }

    fn stat(&mut self, tree: &str, path: &str) -> Result<FileStat, FileFailure> {
        self.lock().stat(tree, path)
    }

    fn read(&mut self, tree: &str, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, FileFailure> {
        self.lock().read(tree, path, offset, length)
    }

    fn change(&mut self, tree: &str, path: &str, change: FileChange<'_>) -> Result<(), FileFailure> {
        self.lock().change(tree, path, change)
    }
}

/// A moment as the time of files: nanoseconds since 1970.
pub(crate) fn moment(timestamp: &str) -> Result<i64, String> {
    let moment: jiff::Timestamp = timestamp.parse().map_err(|error: jiff::Error| error.to_string())?;
    i64::try_from(moment.as_nanosecond()).map_err(|_| format!("{timestamp} is too far away to be the time of a file"))
}
