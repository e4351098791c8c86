//! One tree at one moment, and what a module may see of it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use godwit_model::{Fault, FileFailure, FileKind, FileStat, TreeName, TreePath};

use super::base::{Base, Listed};
use super::path::parts;
use super::tree::{Body, Content, Directory, Node};
use crate::limits;

/// Mode of the root, which a tree does not keep.
const ROOT_MODE: u32 = 0o755;

/// One tree at one moment. A clone is another state, which costs nothing until one of the two is changed.
///
/// Paths are those of the guest: hostile until checked, and then no more than keys. Links are entries,
/// never ways.
#[derive(Clone)]
pub struct TreeState {
    pub(super) base: Base,
    pub(super) tree: TreeName,
    pub(super) root: Arc<Directory>,
    /// Whether it was ever changed since it was listed.
    pub(super) changed: bool,
}

impl TreeState {
    /// The tree as the source has it. Lists the source and reads no content for it, but what the
    /// source itself reads in order to list.
    ///
    /// # Errors
    /// Those of the source. Damaged: it lists entries that make no tree.
    pub fn of(base: &Base, tree: &TreeName) -> Result<Self, Fault> {
        let mut root = Arc::default();
        base.read_tree(tree, &mut |entry, _| Ok(Directory::accept(&mut root, entry)?))?;
        Ok(Self { base: base.clone(), tree: tree.clone(), root, changed: false })
    }

    /// The names in a directory, sorted by their bytes.
    pub fn list(&self, path: &str) -> Result<Vec<String>, FileFailure> {
        let directory = self.root.directory(&parts(path)?)?;
        Ok(directory.entries.keys().map(|name| name.as_ref().to_owned()).collect())
    }

    /// What a path names. The root has the time of the run and the mode of a new directory.
    pub fn stat(&self, path: &str) -> Result<FileStat, FileFailure> {
        match parts(path)?.as_slice() {
            [] => Ok(FileStat { kind: FileKind::Directory, size: 0, mode: ROOT_MODE, modified: self.base.moment() }),
            parts => Ok(self.root.get(parts)?.stat()),
        }
    }

    /// Up to `length` bytes from an offset, at most [`limits::READ_BYTES_MAX`]; none at the end. A file of
    /// the source larger than [`limits::BROUGHT_IN_BYTES`] is over the limit.
    pub fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, FileFailure> {
        let parts = parts(path)?;
        if parts.is_empty() {
            return Err(FileFailure::NotAFile);
        }
        let node = self.root.get(&parts)?;
        let left = node.file()?.size.saturating_sub(offset);
        let wanted = left.min(length.min(limits::READ_BYTES_MAX).into());
        if wanted == 0 {
            return Ok(vec![]);
        }
        let mut bytes = vec![0; usize::try_from(wanted).map_err(|_| FileFailure::Limit)?];
        let content = self.open(node)?;
        self.base.or_trouble(content.read_exact_at(&mut bytes, offset).map_err(self.base.failed("read")))?;
        Ok(bytes)
    }

    /// Why the host could not read or write, where a module was answered [`FileFailure::Io`]: see
    /// [`Base::trouble`]. It must end the run.
    pub fn trouble(&self) -> Option<Fault> {
        self.base.trouble()
    }

    /// A file's content, to be read anywhere.
    pub(super) fn open(&self, node: &Node) -> Result<File, FileFailure> {
        let file = node.file()?;
        match &file.content {
            Content::Base(path) => self.base.open_file(&self.listed(path, file.size, node.modified)),
            Content::Own(own) => self.base.or_trouble(own.open()),
        }
    }

    pub(super) fn listed<'a>(&'a self, path: &'a TreePath, size: u64, modified: i128) -> Listed<'a> {
        Listed { tree: &self.tree, path, size, modified }
    }
}

/// The most that entries below a directory add to its path, in bytes and in parts.
pub(super) fn reach(node: &Node) -> (usize, usize) {
    let Body::Directory(directory) = &node.body else { return (0, 0) };
    directory.entries.iter().fold((0, 0), |(bytes, depth), (name, node)| {
        let (below, deeper) = reach(node);
        (bytes.max(1 + name.len() + below), depth.max(1 + deeper))
    })
}
