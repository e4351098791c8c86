//! The private folder of a run, with numbered files that are gone when nothing refers to them.
//!
//! The folder is `godwit-run-…` in the place that the caller gives, mode 0700, and locked as long as its
//! run lives. It goes with the run; what a run left that was killed is removed by the next one that works
//! in the same place. Nothing in it outlives a run, so nothing in it need be durable.

use std::ffi::CStr;
use std::fs::{File, Permissions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use tempfile::TempDir;

use crate::walk::{names, open_directory, open_root};
use crate::{FilesError, remove_tree};

const PREFIX: &str = "godwit-run-";
const ATTEMPTS: u32 = 8;

/// A private folder for what a run needs meanwhile: `godwit-run-…`, mode 0700, removed with the last clone, and what a
/// killed run left by the next run in the same place.
#[derive(Clone)]
pub struct ScratchFolder(Arc<Folder>);

struct Folder {
    directory: OwnedFd,
    made: TempDir,
    next: AtomicU64,
}

impl ScratchFolder {
    /// Makes the folder in a place, after removing those of dead runs.
    ///
    /// # Errors
    /// It cannot be made there.
    pub fn open(place: &Path) -> Result<Self, FilesError> {
        clear(place);
        for _ in 0..ATTEMPTS {
            if let Some(folder) = make(place)? {
                return Ok(Self(Arc::new(folder)));
            }
        }
        Err(FilesError::Locked { path: place.join(PREFIX) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.made.path()
    }

    /// A new empty file.
    pub(crate) fn create(&self) -> Result<ScratchFile, FilesError> {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let file = ScratchFile { scratch: self.clone(), number };
        file.open_with(OFlags::CREATE | OFlags::EXCL)?;
        Ok(file)
    }
}

/// One numbered file; open only while it is used, for there may be many.
pub(crate) struct ScratchFile {
    scratch: ScratchFolder,
    number: u64,
}

impl ScratchFile {
    /// Opens it for reading and writing.
    pub(crate) fn open(&self) -> Result<File, FilesError> {
        self.open_with(OFlags::empty())
    }

    /// For `map_err`: what was being done to it.
    pub(crate) fn failed<E: Into<std::io::Error>>(&self, action: &'static str) -> impl FnOnce(E) -> FilesError {
        let path = self.path();
        move |source| FilesError::Scratch { action, path, source: source.into() }
    }

    fn open_with(&self, flags: OFlags) -> Result<File, FilesError> {
        let flags = flags | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.scratch.0.directory, self.name(), flags, Mode::RUSR | Mode::WUSR);
        Ok(File::from(file.map_err(self.failed("open"))?))
    }

    fn name(&self) -> String {
        self.number.to_string()
    }

    fn path(&self) -> PathBuf {
        self.scratch.path().join(self.name())
    }
}

impl Drop for ScratchFile {
    /// What cannot be removed now goes with the folder.
    fn drop(&mut self) {
        let _ = rustix::fs::unlinkat(&self.scratch.0.directory, self.name(), AtFlags::empty());
    }
}

/// None where another run took the new folder for a dead one's before it was locked.
fn make(place: &Path) -> Result<Option<Folder>, FilesError> {
    let failed = |source| FilesError::Scratch { action: "make a folder in", path: place.to_owned(), source };
    let private = Permissions::from_mode(0o700);
    let made = tempfile::Builder::new().prefix(PREFIX).permissions(private).tempdir_in(place).map_err(failed)?;
    let directory = match open_root(made.path()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        directory => directory.map_err(failed)?,
    };
    match rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => return Ok(None),
        // A file system without locks: there no run removes what another left.
        _ if !made.path().exists() => return Ok(None),
        _ => {}
    }
    Ok(Some(Folder { directory, made, next: AtomicU64::new(0) }))
}

/// Removes what dead runs of this user left; what cannot be removed hinders nobody.
fn clear(place: &Path) {
    let Ok(parent) = open_root(place) else { return };
    for name in names(&parent).unwrap_or_default() {
        if name.to_bytes().starts_with(PREFIX.as_bytes()) {
            clear_one(&parent, &name, place);
        }
    }
}

fn clear_one(parent: &OwnedFd, name: &CStr, place: &Path) {
    let Ok(left) = open_directory(parent, name) else { return };
    let is_ours = rustix::fs::fstat(&left).is_ok_and(|stat| stat.st_uid == rustix::process::geteuid().as_raw());
    if is_ours && rustix::fs::flock(&left, FlockOperation::NonBlockingLockExclusive).is_ok() {
        let _ = remove_tree(parent, name, place);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    fn count(place: &Path) -> usize {
        fs::read_dir(place).unwrap().count()
    }

    #[test]
    fn files_are_private_and_go_when_nothing_refers_to_them() {
        let home = tempfile::tempdir().unwrap();
        let scratch = ScratchFolder::open(home.path()).unwrap();
        let file = scratch.create().unwrap();
        file.open().unwrap().write_all(b"secret").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(scratch.path()), mode(&file.path())), (0o700, 0o600));
        assert_eq!(count(scratch.path()), 1);
        drop(file);
        assert_eq!(count(scratch.path()), 0);
        drop(scratch);
        assert_eq!(count(home.path()), 0);
    }

    #[test]
    fn what_a_dead_run_left_is_removed_and_a_living_run_keeps_its_own() {
        let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(elsewhere.path().join("kept"), "").unwrap();
        fs::create_dir(home.path().join("godwit-run-dead")).unwrap();
        fs::write(home.path().join("godwit-run-dead/0"), "left").unwrap();
        symlink(elsewhere.path(), home.path().join("godwit-run-link")).unwrap();
        fs::write(home.path().join("somebody's"), "").unwrap();
        let living = ScratchFolder::open(home.path()).unwrap();
        let second = ScratchFolder::open(home.path()).unwrap();
        assert!(living.create().unwrap().open().is_ok() && second.create().unwrap().open().is_ok());
        assert!(!home.path().join("godwit-run-dead").exists());
        assert!(elsewhere.path().join("kept").exists() && home.path().join("somebody's").exists());
    }

    #[test]
    fn a_folder_that_is_gone_is_named() {
        let home = tempfile::tempdir().unwrap();
        let scratch = ScratchFolder::open(home.path()).unwrap();
        fs::remove_dir(scratch.path()).unwrap();
        let error = scratch.create().err().unwrap().to_string();
        assert!(error.contains(scratch.path().to_str().unwrap()), "{error}");
        let missing = ScratchFolder::open(&home.path().join("missing")).err().unwrap().to_string();
        assert!(missing.contains("missing"), "{missing}");
    }
}
