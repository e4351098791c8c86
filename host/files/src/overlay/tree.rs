//! What a tree holds: directories, shared between states until one changes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use godwit_model::{EntryKind, FileFailure, FileKind, FileStat, TreeEntry, TreePath};

use super::path::split;
use crate::FilesError;
use crate::scratch::ScratchFile;

/// Entries by name, sorted by its bytes.
#[derive(Clone, Default)]
pub(super) struct Directory {
    pub(super) entries: BTreeMap<Arc<str>, Node>,
}

/// An entry.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) body: Body,
    pub(super) mode: u32,
    pub(super) modified: i128,
}

#[derive(Clone)]
pub(super) enum Body {
    File(FileBody),
    Directory(Arc<Directory>),
    Link(Arc<str>),
}

#[derive(Clone)]
pub(super) struct FileBody {
    pub(super) size: u64,
    pub(super) content: Content,
}

/// Where a file's content is.
#[derive(Clone)]
pub(super) enum Content {
    /// In the source, under this path. As long as it is, size and time are those that the source listed.
    Base(TreePath),
    /// With us.
    Own(Arc<ScratchFile>),
}

impl Node {
    fn of(entry: &TreeEntry) -> Self {
        let body = match &entry.kind {
            EntryKind::File { size } => {
                Body::File(FileBody { size: *size, content: Content::Base(entry.path.clone()) })
            }
            EntryKind::Directory => Body::Directory(Arc::default()),
            EntryKind::Link { target } => Body::Link(target.as_str().into()),
        };
        Self { body, mode: entry.mode, modified: entry.modified }
    }

    pub(super) fn stat(&self) -> FileStat {
        let (kind, size) = match &self.body {
            Body::File(file) => (FileKind::File, file.size),
            Body::Directory(_) => (FileKind::Directory, 0),
            Body::Link(_) => (FileKind::Link, 0),
        };
        // A time beyond the years 1677 to 2262 is shown as the nearest there is, and kept as it is.
        let modified = i64::try_from(self.modified.clamp(i64::MIN.into(), i64::MAX.into())).unwrap_or(0);
        FileStat { kind, size, mode: self.mode, modified }
    }

    pub(super) fn file(&self) -> Result<&FileBody, FileFailure> {
        match &self.body {
            Body::File(file) => Ok(file),
            Body::Directory(_) | Body::Link(_) => Err(FileFailure::NotAFile),
        }
    }

    pub(super) fn entry(&self, path: TreePath) -> TreeEntry {
        let kind = match &self.body {
            Body::File(file) => EntryKind::File { size: file.size },
            Body::Directory(_) => EntryKind::Directory,
            Body::Link(target) => EntryKind::Link { target: target.as_ref().to_owned() },
        };
        TreeEntry { path, kind, mode: self.mode, modified: self.modified }
    }
}

impl Directory {
    /// A directory below this one, or this one.
    pub(super) fn directory(&self, parts: &[&str]) -> Result<&Self, FileFailure> {
        parts.iter().try_fold(self, |directory, part| match directory.entries.get(*part).map(|node| &node.body) {
            Some(Body::Directory(below)) => Ok(below.as_ref()),
            Some(_) => Err(FileFailure::NotADirectory),
            None => Err(FileFailure::NotFound),
        })
    }

    /// An entry; none where its directory has none of this name.
    pub(super) fn find(&self, parts: &[&str]) -> Result<Option<&Node>, FileFailure> {
        let (parents, name) = split(parts)?;
        Ok(self.directory(parents)?.entries.get(name))
    }

    /// An entry that must be there.
    pub(super) fn get(&self, parts: &[&str]) -> Result<&Node, FileFailure> {
        self.find(parts)?.ok_or(FileFailure::NotFound)
    }

    /// A directory to be changed; those on the way that are shared are copied.
    pub(super) fn directory_mut<'a>(root: &'a mut Arc<Self>, parts: &[&str]) -> Result<&'a mut Self, FileFailure> {
        parts.iter().try_fold(Arc::make_mut(root), |directory, part| {
            match directory.entries.get_mut(*part).map(|node| &mut node.body) {
                Some(Body::Directory(below)) => Ok(Arc::make_mut(below)),
                Some(_) => Err(FileFailure::NotADirectory),
                None => Err(FileFailure::NotFound),
            }
        })
    }

    /// An entry to be changed.
    pub(super) fn get_mut<'a>(root: &'a mut Arc<Self>, parts: &[&str]) -> Result<&'a mut Node, FileFailure> {
        let (parents, name) = split(parts)?;
        Self::directory_mut(root, parents)?.entries.get_mut(name).ok_or(FileFailure::NotFound)
    }

    /// A directory that gets or loses a name, which changes its time.
    pub(super) fn names_mut<'a>(
        root: &'a mut Arc<Self>,
        parts: &[&str],
        moment: i128,
    ) -> Result<&'a mut BTreeMap<Arc<str>, Node>, FileFailure> {
        if !parts.is_empty() {
            Self::get_mut(root, parts)?.modified = moment;
        }
        Ok(&mut Self::directory_mut(root, parts)?.entries)
    }

    /// Takes in an entry that the source lists.
    pub(super) fn accept(root: &mut Arc<Self>, entry: &TreeEntry) -> Result<(), FilesError> {
        let parts: Vec<_> = entry.path.as_str().split('/').collect();
        let (parents, name) = parts.split_at(parts.len() - 1);
        let misplaced = |_| FilesError::entry(&entry.path, "it is not in a directory of this tree");
        let directory = Self::directory_mut(root, parents).map_err(misplaced)?;
        match directory.entries.insert(name[0].into(), Node::of(entry)) {
            None => Ok(()),
            Some(_) => Err(FilesError::entry(&entry.path, "another entry has this name already")),
        }
    }
}
