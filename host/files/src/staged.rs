//! File trees as a target: built beside the present ones, then swapped in.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use godwit_model::{Fault, Staged, TreeEntry, TreeName, TreeTarget};

use crate::place::Place;
use crate::{FilesError, TreeBuilder};

/// What becomes of a tree that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// It is refused, unless it is empty.
    Never,
    /// It is replaced.
    Always,
}

/// File trees that become visible all at once, each in one rename.
///
/// The new tree grows in `.<name>.godwit-new` beside the root. From commit to settle the former one
/// is kept as `.<name>.godwit-old`; a run cut off in between leaves it there, and the next one
/// is refused until the operator has chosen. A tree replaced keeps the mode and time of its root.
pub struct StagedTrees {
    trees: BTreeMap<TreeName, Tree>,
    replace: Replace,
}

struct Tree {
    place: Place,
    stage: Stage,
}

enum Stage {
    /// Not begun, or undone: the tree stays as it is.
    Untouched,
    Building(TreeBuilder),
    /// Finished; the builder holds the lock.
    Prepared(TreeBuilder),
    Committed {
        existed: bool,
    },
    Settled,
}

impl StagedTrees {
    /// Finds the places of the trees and touches nothing.
    ///
    /// # Errors
    /// Usage: no such place, or one tree in another. Refused: a tree that is not empty though
    /// it may not be replaced, a mount point, the former state of a run that was cut off.
    pub fn open(trees: BTreeMap<TreeName, PathBuf>, replace: Replace) -> Result<Self, Fault> {
        let open = |(name, path): (TreeName, PathBuf)| Tree::open(&name, &path, replace).map(|tree| (name, tree));
        let trees = trees.into_iter().map(open).collect::<Result<_, FilesError>>()?;
        refuse_nested(&trees)?;
        Ok(Self { trees, replace })
    }

    /// What the operator should know about the entries written, though it is no error; up to the commit.
    pub fn warnings(&self) -> Vec<String> {
        self.trees.values().flat_map(Tree::warnings).cloned().collect()
    }

    fn tree(&mut self, name: &TreeName) -> Result<&mut Tree, FilesError> {
        self.trees.get_mut(name).ok_or_else(|| FilesError::Unknown(name.clone()))
    }

    /// The step for each tree up to the first that fails.
    fn each(&mut self, step: impl FnMut(&mut Tree) -> Result<(), Fault>) -> Result<(), Fault> {
        self.trees.values_mut().try_for_each(step)
    }

    /// The step for every tree: one that fails must not keep it from the others.
    fn all(&mut self, step: impl FnMut(&mut Tree) -> Result<(), FilesError>) -> Result<(), Fault> {
        let done: Vec<_> = self.trees.values_mut().map(step).collect();
        Ok(done.into_iter().collect::<Result<(), FilesError>>()?)
    }
}

impl TreeTarget for StagedTrees {
    fn begin_tree(&mut self, name: &TreeName) -> Result<(), Fault> {
        let replace = self.replace;
        self.tree(name)?.begin(name, replace)
    }

    fn write_entry(&mut self, name: &TreeName, entry: &TreeEntry, content: &mut dyn Read) -> Result<(), Fault> {
        match &mut self.tree(name)?.stage {
            Stage::Building(builder) => builder.write_entry(entry, content),
            _ => Err(FilesError::Order { tree: name.clone(), state: "not begun, or prepared already" }.into()),
        }
    }
}

impl Staged for StagedTrees {
    fn prepare(&mut self) -> Result<(), Fault> {
        self.each(Tree::prepare)
    }

    fn commit(&mut self) -> Result<(), Fault> {
        let replace = self.replace;
        let committed = self.each(|tree| Ok(tree.commit(replace)?));
        if committed.is_err() {
            self.undo()?;
        }
        committed
    }

    fn settle(&mut self) -> Result<(), Fault> {
        self.all(Tree::settle)
    }

    fn undo(&mut self) -> Result<(), Fault> {
        self.all(Tree::undo)
    }
}

impl Tree {
    fn open(name: &TreeName, path: &Path, replace: Replace) -> Result<Self, FilesError> {
        let tree = Self { place: Place::find(name, path)?, stage: Stage::Untouched };
        tree.check(replace)?;
        Ok(tree)
    }

    fn check(&self, replace: Replace) -> Result<(), FilesError> {
        self.place.check_replaceable()?;
        match replace {
            Replace::Never => self.place.check_empty(),
            Replace::Always => Ok(()),
        }
    }

    fn begin(&mut self, name: &TreeName, replace: Replace) -> Result<(), Fault> {
        if !matches!(self.stage, Stage::Untouched) {
            return Err(FilesError::Order { tree: name.clone(), state: "begun already" }.into());
        }
        self.check(replace)?;
        let new = self.place.lay_out()?;
        let shown = self.place.path_of(&self.place.new);
        let builder = TreeBuilder::within(new, &shown);
        self.stage = Stage::Building(match self.place.existing()? {
            Some(existing) => builder.like(&existing),
            None => builder.open_to_readers(),
        });
        Ok(())
    }

    fn prepare(&mut self) -> Result<(), Fault> {
        if let Stage::Building(builder) = &mut self.stage {
            builder.finish()?;
        }
        self.stage = match std::mem::replace(&mut self.stage, Stage::Untouched) {
            Stage::Building(builder) => Stage::Prepared(builder),
            stage => stage,
        };
        Ok(())
    }

    fn commit(&mut self, replace: Replace) -> Result<(), FilesError> {
        if !matches!(self.stage, Stage::Prepared(_)) {
            return Ok(());
        }
        self.check(replace)?;
        let existed = self.place.replace()?;
        self.stage = Stage::Committed { existed };
        self.place.sync()
    }

    fn settle(&mut self) -> Result<(), FilesError> {
        if let Stage::Committed { existed } = self.stage {
            self.stage = Stage::Settled;
            return if existed { self.place.forget() } else { Ok(()) };
        }
        Ok(())
    }

    fn undo(&mut self) -> Result<(), FilesError> {
        match std::mem::replace(&mut self.stage, Stage::Untouched) {
            Stage::Committed { existed } => self.place.restore(existed),
            Stage::Building(_) | Stage::Prepared(_) => self.place.abandon(),
            stage => {
                self.stage = stage;
                Ok(())
            }
        }
    }

    fn warnings(&self) -> &[String] {
        match &self.stage {
            Stage::Building(builder) | Stage::Prepared(builder) => builder.warnings(),
            _ => &[],
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        if matches!(self.stage, Stage::Building(_) | Stage::Prepared(_)) {
            // What cannot be removed now is removed by the next run.
            let _ = self.place.abandon();
        }
    }
}

fn refuse_nested(trees: &BTreeMap<TreeName, Tree>) -> Result<(), FilesError> {
    let pairs = trees.iter().flat_map(|outer| trees.iter().map(move |inner| (outer, inner)));
    for ((outer, outside), (inner, inside)) in pairs {
        if outer != inner && inside.place.root.starts_with(&outside.place.root) {
            let (outer, inner) = (outer.clone(), inner.clone());
            return Err(FilesError::Nested { outer, inner, path: inside.place.root.clone() });
        }
    }
    Ok(())
}
