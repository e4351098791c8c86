//! The directories of a tree that is being built, reached without following a link.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use godwit_model::{EntryKind, TreeEntry};
use rustix::io::Errno;

use crate::walk::open_directory;
use crate::{FilesError, limits, unescape};

/// A path in a tree, part by part, as the file system has them.
pub(crate) type Parts = Vec<Vec<u8>>;

/// The path of an entry as the file system is to have it.
pub(crate) fn parts(entry: &TreeEntry) -> Result<Parts, FilesError> {
    let parts: Option<Parts> = entry.path.as_str().split('/').map(unescape).collect();
    match parts {
        None => Err(FilesError::entry(&entry.path, "its path is not escaped as it should be")),
        Some(parts) if parts.len() > limits::DEPTH_MAX => {
            Err(FilesError::entry(&entry.path, format!("it lies more than {} directories deep", limits::DEPTH_MAX)))
        }
        Some(parts) => Ok(parts),
    }
}

/// The target of a link as the file system is to have it; any, for it is never followed.
pub(crate) fn link_target(entry: &TreeEntry) -> Result<Option<Vec<u8>>, FilesError> {
    let EntryKind::Link { target } = &entry.kind else { return Ok(None) };
    match unescape(target) {
        Some(target) if !target.is_empty() && !target.contains(&0) => Ok(Some(target)),
        _ => Err(FilesError::entry(&entry.path, "the target of the link is empty or not escaped as it should be")),
    }
}

/// The root and the directories last entered, all open.
pub(crate) struct Directories {
    root: OwnedFd,
    open: Vec<(Vec<u8>, OwnedFd)>,
}

impl Directories {
    pub(crate) fn new(root: OwnedFd) -> Self {
        Self { root, open: vec![] }
    }

    pub(crate) fn root(&self) -> &OwnedFd {
        &self.root
    }

    /// Opens a directory, part by part; links on the way are an error, not a way.
    pub(crate) fn enter(&mut self, path: &[Vec<u8>]) -> rustix::io::Result<&OwnedFd> {
        let shared = self.open.iter().zip(path).take_while(|((open, _), part)| open == *part).count();
        self.open.truncate(shared);
        for part in &path[shared..] {
            let name = std::ffi::CString::new(part.as_slice()).map_err(|_| Errno::INVAL)?;
            let below = open_directory(self.innermost(), &name)?;
            self.open.push((part.clone(), below));
        }
        Ok(self.innermost())
    }

    fn innermost(&self) -> &OwnedFd {
        self.open.last().map_or(&self.root, |(_, directory)| directory)
    }
}

/// A name for a system call.
pub(crate) fn name(part: &[u8]) -> &OsStr {
    OsStr::from_bytes(part)
}
