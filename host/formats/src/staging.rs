//! A directory that is built as `<name>.partial` and becomes `<name>` in one rename.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::FormatsError;

/// The directory being built. Dropped before its commit, it is removed; left by a dead run, it is
/// replaced by the next one.
pub(crate) struct Staging {
    parent: OwnedFd,
    name: CString,
    partial_name: CString,
    shown: PathBuf,
    partial: PathBuf,
    committed: bool,
    /// Open for its lock.
    _directory: OwnedFd,
}

/// The folder and the whole name of what is to be made, if nothing has that name yet. Writes nothing.
pub(crate) fn place(path: &Path) -> Result<(PathBuf, PathBuf), FormatsError> {
    let wrong = |source| FormatsError::Place { path: path.to_owned(), source };
    let name = path.file_name().ok_or_else(|| wrong(io::ErrorKind::InvalidInput.into()))?;
    let above = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let above = above.canonicalize().map_err(wrong)?;
    let shown = above.join(name);
    if shown.symlink_metadata().is_ok() { Err(FormatsError::Exists { path: shown }) } else { Ok((above, shown)) }
}

impl Staging {
    /// Lays out an empty `<path>.partial` that no other run touches. What is there already is taken
    /// for the leavings of a dead run where it is empty or holds a file of the name `mark`.
    pub(crate) fn create(path: &Path, mark: &str) -> Result<Self, FormatsError> {
        let (above, shown) = place(path)?;
        let wrong = |error: Errno| FormatsError::Place { path: path.to_owned(), source: error.into() };
        let parent = open_directory(&above).map_err(wrong)?;
        let name = shown.file_name().unwrap_or_default();
        let partial = above.join([name, "partial".as_ref()].join(".".as_ref()));
        let partial_name = c_name(&partial)?;
        clear(&parent, &partial_name, &partial, mark)?;
        rustix::fs::mkdirat(&parent, &partial_name, Mode::RWXU).map_err(FormatsError::system("create", &partial))?;
        let directory = open_directory(&partial).map_err(FormatsError::system("open", &partial))?;
        lock(&directory, &partial)?;
        Ok(Self {
            parent,
            name: c_name(&shown)?,
            partial_name,
            shown,
            partial,
            committed: false,
            _directory: directory,
        })
    }

    /// Where to build.
    pub(crate) fn path(&self) -> &Path {
        &self.partial
    }

    /// Makes everything in it durable.
    pub(crate) fn sync(&self) -> Result<(), FormatsError> {
        let directory = open_directory(&self.partial).map_err(FormatsError::system("open", &self.partial))?;
        rustix::fs::syncfs(&directory).map_err(FormatsError::system("make durable", &self.partial))
    }

    pub(crate) fn commit(&mut self) -> Result<(), FormatsError> {
        self.rename(&self.partial_name, &self.name, RenameFlags::NOREPLACE)?;
        self.committed = true;
        rustix::fs::fsync(&self.parent).map_err(FormatsError::system("make durable", &self.shown))
    }

    /// Takes the result away, committed or not.
    pub(crate) fn undo(&mut self) -> Result<(), FormatsError> {
        if std::mem::take(&mut self.committed) {
            self.rename(&self.name, &self.partial_name, RenameFlags::NOREPLACE)?;
        }
        self.remove()
    }

    fn rename(&self, from: &CString, to: &CString, flags: RenameFlags) -> Result<(), FormatsError> {
        let renamed = match rustix::fs::renameat_with(&self.parent, from, &self.parent, to, flags) {
            // A file system without this flag: a directory can only replace an empty one.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                rustix::fs::renameat(&self.parent, from, &self.parent, to)
            }
            renamed => renamed,
        };
        match renamed {
            Err(Errno::EXIST | Errno::NOTEMPTY) => Err(FormatsError::Exists { path: self.shown.clone() }),
            renamed => renamed.map_err(FormatsError::system("rename", &self.partial)),
        }
    }

    fn remove(&self) -> Result<(), FormatsError> {
        godwit_files::remove_tree(&self.parent, &self.partial_name, &self.partial)
            .map_err(|error| FormatsError::system("remove", &self.partial)(io::Error::other(error)))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.committed {
            // What cannot be removed now is removed by the next run.
            let _ = self.remove();
        }
    }
}

fn clear(parent: &OwnedFd, name: &CString, partial: &Path, mark: &str) -> Result<(), FormatsError> {
    let left = match partial.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        left => left.map_err(FormatsError::system("examine", partial))?,
    };
    let in_the_way = || FormatsError::InTheWay { path: partial.to_owned() };
    if !left.is_dir() {
        return Err(in_the_way());
    }
    let directory = open_directory(partial).map_err(FormatsError::system("open", partial))?;
    lock(&directory, partial)?;
    let empty = fs::read_dir(partial).map_err(FormatsError::system("list", partial))?.next().is_none();
    if !empty && partial.join(mark).symlink_metadata().is_err() {
        return Err(in_the_way());
    }
    godwit_files::remove_tree(parent, name, partial)
        .map_err(|error| FormatsError::system("remove", partial)(io::Error::other(error)))
}

fn open_directory(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

fn lock(directory: &OwnedFd, partial: &Path) -> Result<(), FormatsError> {
    match rustix::fs::flock(directory, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(FormatsError::Locked { path: partial.to_owned() }),
        // A file system without locks: the run's own lock has to do.
        _ => Ok(()),
    }
}

fn c_name(path: &Path) -> Result<CString, FormatsError> {
    let name = path.file_name().unwrap_or_default().as_bytes();
    CString::new(name).map_err(|error| FormatsError::Place { path: path.to_owned(), source: error.into() })
}
