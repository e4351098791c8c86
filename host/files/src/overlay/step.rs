//! The trees of one step, as its module may use them.

use std::collections::BTreeMap;

use godwit_model::{Access, Fault, FileAccess, FileChange, FileFailure, FileStat, TreeName};

use super::spending::{Spending, TreeLimits};
use super::state::TreeState;

/// The trees that one module was granted. New ones are read-only, whatever was granted: the phase of the
/// run decides when [`StepTrees::set_writable`] lets what was granted for writing be written.
///
/// A clone shares the limits and nothing else: what is written through one is not seen through the other.
/// So each worker may have its own, and the one on which `finish` was called has the result.
#[derive(Clone)]
pub struct StepTrees {
    trees: BTreeMap<TreeName, (TreeState, Access)>,
    spending: Spending,
    writable: bool,
}

impl StepTrees {
    /// What the module was granted, and nothing else.
    pub fn new(trees: BTreeMap<TreeName, (TreeState, Access)>, limits: TreeLimits) -> Self {
        Self { trees, spending: Spending::new(limits), writable: false }
    }

    /// Whether trees that were granted for writing can be written now.
    pub fn set_writable(&mut self, writable: bool) {
        self.writable = writable;
    }

    /// The trees as they are now; clones of them stay as they are.
    pub fn states(&self) -> BTreeMap<TreeName, TreeState> {
        self.trees.iter().map(|(name, (state, _))| (name.clone(), state.clone())).collect()
    }

    /// Why the host could not read or write, where the module was answered [`FileFailure::Io`]; handed
    /// over once. It must end the run.
    pub fn trouble(&self) -> Option<Fault> {
        self.trees.values().find_map(|(state, _)| state.trouble())
    }

    fn state(&self, tree: &str) -> Result<&TreeState, FileFailure> {
        self.trees.get(tree).map(|(state, _)| state).ok_or(FileFailure::NotFound)
    }
}

impl FileAccess for StepTrees {
    fn open(&mut self, tree: &str) -> Result<(), FileFailure> {
        self.state(tree).map(drop)
    }

    fn list(&mut self, tree: &str, path: &str) -> Result<Vec<String>, FileFailure> {
        self.state(tree)?.list(path)
    }

    fn stat(&mut self, tree: &str, path: &str) -> Result<FileStat, FileFailure> {
        self.state(tree)?.stat(path)
    }

    fn read(&mut self, tree: &str, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, FileFailure> {
        self.state(tree)?.read(path, offset, length)
    }

    fn change(&mut self, tree: &str, path: &str, change: FileChange<'_>) -> Result<(), FileFailure> {
        match self.trees.get_mut(tree) {
            None => Err(FileFailure::NotFound),
            Some((state, Access::ReadWrite)) if self.writable => state.change(path, &change, &self.spending),
            Some(_) => Err(FileFailure::ReadOnly),
        }
    }
}
