//! Live file trees as a source.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use godwit_model::{EntryKind, Fault, TreeEntry, TreeName, TreePath, TreeSource, Visit};

use crate::select::Selection;
use crate::walk::{self, FileAt, Found};
use crate::{FilesError, attributes, content, escape};

/// Which files make up a tree: the `[files.<tree>]` of `godwit.toml`.
///
/// A glob without `/` matches names at any depth (`*.log`), one with `/` paths from the root
/// (`cache/**`, `/top`); one that ends in `/` matches directories only. A directory that matches
/// stands for all that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeSpec {
    /// The root; where it is a symbolic link, it is followed once.
    pub path: PathBuf,
    /// What to take; empty: everything.
    pub include: Vec<String>,
    /// What to leave out, of what is included too.
    pub exclude: Vec<String>,
}

impl TreeSpec {
    /// Everything below a root.
    pub fn whole(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), include: vec![], exclude: vec![] }
    }
}

/// File trees as the running application has them.
///
/// A file that is gone before it can be opened is no part of the tree, as if it had been gone
/// before; one that changes while it is read is read again (see [`crate::limits`]).
pub struct LiveTrees {
    trees: BTreeMap<TreeName, LiveTree>,
}

struct LiveTree {
    path: PathBuf,
    root: OwnedFd,
    selection: Selection,
    warnings: Vec<String>,
}

impl LiveTrees {
    /// Opens the roots of the trees; what is replaced there later is not seen.
    ///
    /// # Errors
    /// Usage: a root that is no directory, a glob that cannot be used. System: no permission.
    pub fn open(trees: BTreeMap<TreeName, TreeSpec>) -> Result<Self, Fault> {
        let open = |(name, spec)| Ok((TreeName::clone(&name), LiveTree::open(&name, spec)?));
        Ok(Self { trees: trees.into_iter().map(open).collect::<Result<_, FilesError>>()? })
    }

    /// What the operator should know about the trees read so far, though it is no error.
    pub fn warnings(&self) -> Vec<String> {
        self.trees.values().flat_map(|tree| tree.warnings.iter().cloned()).collect()
    }

    /// How many bytes of content the tree holds at the moment; for progress bars only. What cannot
    /// be read counts as nothing, [`TreeSource::read_tree`] reports it.
    pub fn bytes_of(&self, tree: &TreeName) -> u64 {
        self.trees.get(tree).map_or(0, LiveTree::bytes)
    }
}

impl TreeSource for LiveTrees {
    fn trees(&self) -> Vec<TreeName> {
        self.trees.keys().cloned().collect()
    }

    fn read_tree(&mut self, tree: &TreeName, visit: Visit<'_>) -> Result<(), Fault> {
        let live = self.trees.get_mut(tree).ok_or_else(|| FilesError::Unknown(tree.clone()))?;
        live.warnings = live.read(tree, visit)?;
        Ok(())
    }

    fn read_entry(&mut self, tree: &TreeName, path: &TreePath, visit: Visit<'_>) -> Result<bool, Fault> {
        let live = self.trees.get(tree).ok_or_else(|| FilesError::Unknown(tree.clone()))?;
        live.read_one(path, visit)
    }
}

impl LiveTree {
    fn open(tree: &TreeName, spec: TreeSpec) -> Result<Self, FilesError> {
        let TreeSpec { path, include, exclude } = spec;
        let selection = Selection::new(tree, &include, &exclude)?;
        let unreachable = |source| FilesError::Root { tree: tree.clone(), path: path.clone(), source };
        let root = walk::open_root(&path).map_err(unreachable)?;
        Ok(Self { path, root, selection, warnings: vec![] })
    }

    fn read(&self, tree: &TreeName, visit: Visit<'_>) -> Result<Vec<String>, Fault> {
        let mut warnings = Warnings::default();
        walk::walk(&self.root, &self.path, &self.selection, &mut |found| match found {
            Found::Entry(entry) => visit(&entry, &mut io::empty()),
            Found::File(file) => pass_on(&file, visit, &mut warnings).map(drop),
        })?;
        Ok(warnings.finish(tree, &self.selection))
    }

    /// Warnings are those of the whole tree's reading.
    fn read_one(&self, path: &TreePath, visit: Visit<'_>) -> Result<bool, Fault> {
        let mut there = false;
        walk::walk_to(&self.root, &self.path, &self.selection, path, &mut |found| {
            there |= match found {
                Found::Entry(entry) if entry.path == *path => visit(&entry, &mut io::empty()).map(|()| true)?,
                Found::File(file) if file.path == *path => pass_on(&file, visit, &mut Warnings::default())?,
                _ => false,
            };
            Ok(())
        })?;
        Ok(there)
    }

    fn bytes(&self) -> u64 {
        let mut bytes = 0_u64;
        let counted = walk::walk(&self.root, &self.path, &self.selection, &mut |found| {
            if let Found::File(file) = found {
                bytes = bytes.saturating_add(attributes::size(&file.stat));
            }
            Ok(())
        });
        // An estimate ends where the tree cannot be read.
        counted.map_or(bytes, |()| bytes)
    }
}

/// Answers whether the file is still there.
fn pass_on(file: &FileAt<'_>, visit: Visit<'_>, warnings: &mut Warnings) -> Result<bool, Fault> {
    let Some(mut steady) = content::open(file)? else { return Ok(false) };
    warnings.note(file, &steady);
    let entry = TreeEntry {
        path: file.path.clone(),
        kind: EntryKind::File { size: attributes::size(&steady.stat) },
        mode: attributes::mode(&steady.stat),
        modified: attributes::modified(&steady.stat),
    };
    let visited = visit(&entry, &mut steady.content);
    // First what is to blame: the visitor may have failed for want of what the file lost.
    steady.content.check()?;
    visited.map(|()| true)
}

/// What was seen on one way through a tree.
#[derive(Default)]
struct Warnings {
    hard_links: u64,
    reread: Vec<PathBuf>,
}

impl Warnings {
    fn note(&mut self, file: &FileAt<'_>, steady: &content::Steady) {
        self.hard_links += u64::from(steady.stat.st_nlink > 1);
        if steady.reads > 1 {
            self.reread.push(file.shown.clone());
        }
    }

    fn finish(self, tree: &TreeName, selection: &Selection) -> Vec<String> {
        let reread = |path: &PathBuf| {
            format!("{} changed while it was read, and was read again", escape(path.as_os_str().as_bytes()))
        };
        let idle = |glob: &str| format!("[files.{tree}]: nothing matches the glob {glob:?} to include");
        let mut warnings: Vec<_> = self.reread.iter().map(reread).collect();
        warnings.extend(selection.idle().map(idle));
        if self.hard_links > 0 {
            let count = self.hard_links;
            warnings.push(format!("[files.{tree}]: {count} names are hard links; each is kept as a file of its own"));
        }
        warnings
    }
}
