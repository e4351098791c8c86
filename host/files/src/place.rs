//! The place of a tree in the file system, and what stands beside it while it is replaced.
//!
//! Beside `name` stand, while a run lasts: `.name.godwit-new`, the tree being built, of no
//! worth to anybody once its run has ended; from commit on `.name.godwit-old`, the former state, which
//! no other run touches; and while that is removed `.name.godwit-gone`.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use godwit_model::TreeName;
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, RenameFlags, Stat};
use rustix::io::Errno;

use crate::mounts::mount_point_in;
use crate::walk::{names, open_directory, open_root};
use crate::{FilesError, attributes, remove_tree};

/// Where a tree is, or is to be.
pub(crate) struct Place {
    /// The root, links on the way to it resolved.
    pub(crate) root: PathBuf,
    parent: OwnedFd,
    pub(crate) name: CString,
    pub(crate) new: CString,
    pub(crate) old: CString,
    gone: CString,
}

impl Place {
    pub(crate) fn find(tree: &TreeName, path: &Path) -> Result<Self, FilesError> {
        let unreachable = |source| FilesError::Root { tree: tree.clone(), path: path.to_owned(), source };
        let root = resolve(path).map_err(unreachable)?;
        let (Some(above), Some(name)) = (root.parent(), root.file_name()) else {
            return Err(unreachable(io::Error::other("the root of the file system cannot be replaced")));
        };
        let parent = open_root(above).map_err(unreachable)?;
        let name = name.as_bytes();
        let beside = |kind: &[u8]| c_name(&[b".", name, b".godwit-", kind].concat());
        let (new, old, gone) = (beside(b"new"), beside(b"old"), beside(b"gone"));
        let place = Self { name: c_name(name), new, old, gone, parent, root };
        if let Some(stat) = place.stat(&place.name)?
            && attributes::kind(&stat) != FileType::Directory
        {
            return Err(unreachable(io::ErrorKind::NotADirectory.into()));
        }
        Ok(place)
    }

    /// The root as it is now; none where there is none.
    pub(crate) fn existing(&self) -> Result<Option<Stat>, FilesError> {
        self.stat(&self.name)
    }

    /// Refuses what could not be replaced later.
    pub(crate) fn check_replaceable(&self) -> Result<(), FilesError> {
        if self.stat(&self.old)?.is_some() {
            return Err(FilesError::CutOff { former: self.path_of(&self.old), path: self.root.clone() });
        }
        match mount_point_in(&self.root) {
            Some(mount) if mount == self.root => Err(FilesError::MountPoint { path: mount }),
            Some(mount) => Err(FilesError::MountInside { mount, path: self.root.clone() }),
            None => Ok(()),
        }
    }

    pub(crate) fn check_empty(&self) -> Result<(), FilesError> {
        let names = match open_directory(&self.parent, &self.name).and_then(|root| names(&root)) {
            Err(Errno::NOENT) => return Ok(()),
            names => names.map_err(FilesError::system("list the directory", &self.root))?,
        };
        if names.is_empty() { Ok(()) } else { Err(FilesError::NotEmpty { path: self.root.clone() }) }
    }

    /// Lays out an empty directory for the new tree, in place of what a dead run left.
    pub(crate) fn lay_out(&self) -> Result<OwnedFd, FilesError> {
        self.remove(&self.gone)?;
        if let Some(left) = self.open_new()? {
            // Released with `left`: the lock keeps the hands of this run off a living one's work.
            self.lock(&left)?;
            self.remove(&self.new)?;
        }
        let path = self.path_of(&self.new);
        rustix::fs::mkdirat(&self.parent, &self.new, Mode::RWXU).map_err(FilesError::system("create", &path))?;
        let directory = open_directory(&self.parent, &self.new).map_err(FilesError::system("open", &path))?;
        rustix::fs::fchmod(&directory, Mode::from_raw_mode(0o700)).map_err(FilesError::system("create", &path))?;
        self.lock(&directory)?;
        Ok(directory)
    }

    /// Puts the new tree in the place of the root, and the root aside. Answers whether there was one.
    ///
    /// Where the file system cannot exchange two names in one step, the root is missing for the
    /// moment between two renames.
    pub(crate) fn replace(&self) -> Result<bool, FilesError> {
        if self.existing()?.is_none() {
            self.rename(&self.new, &self.name)?;
            return Ok(false);
        }
        // Under its lasting name first: cut off after the exchange, no later run takes the former
        // state for the leavings of a dead one.
        self.rename(&self.new, &self.old)?;
        let swapped = self.sync().and_then(|()| self.exchange());
        if !matches!(swapped, Ok(true)) {
            self.rename(&self.old, &self.new)?;
        }
        if !swapped? {
            self.replace_in_steps()?;
        }
        Ok(true)
    }

    /// Undoes `replace`: brings the former state back and removes the new one.
    pub(crate) fn restore(&self, existed: bool) -> Result<(), FilesError> {
        if !existed {
            self.rename(&self.name, &self.gone)?;
        } else if self.exchange()? {
            self.rename(&self.old, &self.gone)?;
        } else {
            self.restore_in_steps()?;
        }
        self.sync()?;
        self.remove(&self.gone)
    }

    /// Removes the former state.
    pub(crate) fn forget(&self) -> Result<(), FilesError> {
        self.rename(&self.old, &self.gone)?;
        self.sync()?;
        self.remove(&self.gone)
    }

    /// Removes the tree being built.
    pub(crate) fn abandon(&self) -> Result<(), FilesError> {
        self.remove(&self.new)
    }

    pub(crate) fn path_of(&self, name: &CStr) -> PathBuf {
        self.root.with_file_name(crate::directories::name(name.to_bytes()))
    }

    /// Exchanges the root and the tree aside in one step; false where the file system cannot.
    fn exchange(&self) -> Result<bool, FilesError> {
        match rustix::fs::renameat_with(&self.parent, &self.name, &self.parent, &self.old, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(true),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(false),
            Err(Errno::BUSY | Errno::XDEV) => Err(FilesError::MountPoint { path: self.root.clone() }),
            Err(error) => Err(FilesError::system("replace", &self.root)(error)),
        }
    }

    /// The former state is at no moment under a name that a later run removes.
    fn replace_in_steps(&self) -> Result<(), FilesError> {
        self.rename(&self.name, &self.old)?;
        let replaced = self.rename(&self.new, &self.name);
        if replaced.is_err() {
            self.rename(&self.old, &self.name)?;
        }
        replaced
    }

    /// Likewise.
    fn restore_in_steps(&self) -> Result<(), FilesError> {
        self.rename(&self.name, &self.gone)?;
        let restored = self.rename(&self.old, &self.name);
        if restored.is_err() {
            self.rename(&self.gone, &self.name)?;
        }
        restored
    }

    /// Never onto something that exists, where the file system can tell.
    fn rename(&self, from: &CStr, to: &CStr) -> Result<(), FilesError> {
        let renamed = match rustix::fs::renameat_with(&self.parent, from, &self.parent, to, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                rustix::fs::renameat(&self.parent, from, &self.parent, to)
            }
            renamed => renamed,
        };
        match renamed {
            Err(Errno::BUSY | Errno::XDEV) => Err(FilesError::MountPoint { path: self.root.clone() }),
            renamed => renamed.map_err(FilesError::system("rename", &self.path_of(from))),
        }
    }

    fn remove(&self, name: &CStr) -> Result<(), FilesError> {
        remove_tree(&self.parent, name, &self.path_of(name))
    }

    /// Makes renames durable.
    pub(crate) fn sync(&self) -> Result<(), FilesError> {
        rustix::fs::fsync(&self.parent).map_err(FilesError::system("make durable", &self.root))
    }

    fn open_new(&self) -> Result<Option<OwnedFd>, FilesError> {
        match open_directory(&self.parent, &self.new) {
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::ACCESS) => self.remove(&self.new).map(|()| None),
            left => left.map(Some).map_err(FilesError::system("open", &self.path_of(&self.new))),
        }
    }

    fn lock(&self, directory: &OwnedFd) -> Result<(), FilesError> {
        match rustix::fs::flock(directory, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => Err(FilesError::Locked { path: self.root.clone() }),
            // A file system without locks: the run's own lock has to do.
            _ => Ok(()),
        }
    }

    fn stat(&self, name: &CStr) -> Result<Option<Stat>, FilesError> {
        match rustix::fs::statat(&self.parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(None),
            stat => stat.map(Some).map_err(FilesError::system("examine", &self.path_of(name))),
        }
    }
}

/// The path without links; its last part need not exist, but must not be a link to nowhere.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.symlink_metadata().is_err() => {
            let name = path.file_name().ok_or(error)?;
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            Ok(parent.unwrap_or(Path::new(".")).canonicalize()?.join(name))
        }
        resolved => resolved,
    }
}

fn c_name(name: &[u8]) -> CString {
    CString::new(name).expect("a path that the system resolved holds no NUL")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A home with the tree `data` that holds `old`, and the one being built that holds `new`.
    fn home() -> (tempfile::TempDir, Place) {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("data")).unwrap();
        fs::write(home.path().join("data/old"), "").unwrap();
        let place = Place::find(&TreeName::new("data").unwrap(), &home.path().join("data")).unwrap();
        place.lay_out().unwrap();
        fs::write(home.path().join(".data.godwit-new/new"), "").unwrap();
        (home, place)
    }

    #[test]
    fn both_ways_of_replacing_leave_the_same() {
        for way in [|place: &Place| place.replace().map(drop), Place::replace_in_steps] {
            let (home, place) = home();
            way(&place).unwrap();
            assert!(home.path().join("data/new").exists() && home.path().join(".data.godwit-old/old").exists());
            assert!(!home.path().join(".data.godwit-new").exists());
        }
    }

    #[test]
    fn both_ways_of_restoring_bring_the_former_state_back() {
        for way in [|place: &Place| place.restore(true), Place::restore_in_steps] {
            let (home, place) = home();
            place.replace().unwrap();
            way(&place).unwrap();
            assert!(home.path().join("data/old").exists() && !home.path().join(".data.godwit-old").exists());
        }
    }

    #[test]
    fn a_step_that_fails_is_taken_back() {
        let (home, place) = home();
        fs::remove_dir_all(home.path().join(".data.godwit-new")).unwrap();
        assert!(place.replace_in_steps().is_err());
        assert!(home.path().join("data/old").exists());
        assert!(place.restore_in_steps().is_err());
        assert!(home.path().join("data/old").exists() && !home.path().join(".data.godwit-old").exists());
    }
}
