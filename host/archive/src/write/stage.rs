//! From `<name>.partial` to `<name>`, all at once, and back.

use std::fs;
use std::path::{Path, PathBuf};

use godwit_model::Fault;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::folder::{Folder, sync_folder};
use super::lock::Lock;
use super::pack;
use crate::error::{ArchiveError, failed};
use crate::found::{self, PACKED, TREE};

/// See the file's top. Dropped before it is published, it removes what there is.
pub(crate) struct Stage {
    /// What is being built.
    pub(crate) folder: Folder,
    path: PathBuf,
    partial: PathBuf,
    is_tar: bool,
    state: State,
    lock: Option<Lock>,
}

#[derive(PartialEq)]
enum State {
    Aside,
    Published,
    Over,
}

impl Stage {
    /// Takes the lock, clears away what a dead run left, and makes an empty directory.
    pub(crate) fn create(path: &Path) -> Result<Self, Fault> {
        let path = check_new(path)?;
        let partial = found::partial_of(&path);
        let lock = Lock::take(partial.with_added_extension("lock"), &path)?;
        if found::exists(&path)? {
            return Err(ArchiveError::Exists(path).into());
        }
        clear(&partial)?;
        let is_tar = path.extension().is_some_and(|extension| extension == "tar");
        let folder = make_folder(&partial, is_tar)?;
        Ok(Self { folder, path, partial, is_tar, state: State::Aside, lock: Some(lock) })
    }

    /// Makes the finished archive durable under its partial name.
    pub(crate) fn make_ready(&self) -> Result<(), Fault> {
        if self.is_tar {
            pack::pack(&self.folder, &self.ready())?;
        } else {
            sync_folder(&self.partial)?;
        }
        sync_folder(parent(&self.path))
    }

    /// Gives the archive its name.
    pub(crate) fn publish(&mut self) -> Result<(), Fault> {
        rename_new(&self.ready(), &self.path)?;
        self.state = State::Published;
        if let Err(fault) = sync_folder(parent(&self.path)) {
            self.withdraw()?;
            return Err(fault);
        }
        Ok(())
    }

    /// Takes a published archive back: its name goes first, all at once.
    pub(crate) fn withdraw(&mut self) -> Result<(), Fault> {
        if self.state == State::Published {
            let aside = self.ready();
            if self.is_tar {
                remove(&self.partial)?;
                fs::remove_file(&self.path).map_err(failed("remove", &self.path))?;
            } else {
                fs::rename(&self.path, &aside).map_err(failed("rename", &self.path))?;
            }
            self.state = State::Aside;
            sync_folder(parent(&self.path))?;
        }
        self.discard()
    }

    /// The archive stays; what it was packed from goes.
    pub(crate) fn settle(&mut self) -> Result<(), Fault> {
        if self.state == State::Published {
            self.state = State::Over;
            remove(&self.partial)?;
            self.lock = None;
        }
        Ok(())
    }

    fn discard(&mut self) -> Result<(), Fault> {
        if self.state == State::Aside {
            self.state = State::Over;
            remove(&self.partial)?;
        }
        self.lock = None;
        Ok(())
    }

    /// What will get the archive's name.
    fn ready(&self) -> PathBuf {
        if self.is_tar { self.partial.join(PACKED) } else { self.partial.clone() }
    }
}

impl Drop for Stage {
    /// What cannot be removed now is cleared away by the next run.
    fn drop(&mut self) {
        let _ = match self.state {
            State::Aside => self.discard(),
            State::Published => self.settle(),
            State::Over => Ok(()),
        };
    }
}

/// The path, if an archive can be made there, as far as can be told without writing.
pub(crate) fn check_new(path: &Path) -> Result<PathBuf, Fault> {
    let path = check_name(path)?;
    if !parent(&path).is_dir() {
        return Err(ArchiveError::NoFolder(parent(&path).to_owned()).into());
    }
    if found::exists(&path)? { Err(ArchiveError::Exists(path).into()) } else { Ok(path) }
}

/// The path without a `/` at its end, which may follow the name of a directory.
fn check_name(path: &Path) -> Result<PathBuf, Fault> {
    match path.file_name() {
        Some(name) if path.extension().is_none_or(|extension| extension != "partial") => Ok(path.with_file_name(name)),
        _ => Err(ArchiveError::Name(path.to_owned()).into()),
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn make_folder(partial: &Path, is_tar: bool) -> Result<Folder, Fault> {
    let folder = Folder::create(partial.to_owned(), !is_tar)?;
    if is_tar { Folder::create(partial.join(TREE), false) } else { Ok(folder) }
}

/// Removes what a dead run left, and nothing that anyone else put there.
fn clear(partial: &Path) -> Result<(), Fault> {
    match fs::symlink_metadata(partial) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("examine", partial)(error)),
        Ok(about) if about.is_dir() && found::is_left_over(partial)? => remove(partial),
        Ok(_) => Err(ArchiveError::InTheWay(partial.to_owned()).into()),
    }
}

fn remove(folder: &Path) -> Result<(), Fault> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("remove", folder)(error)),
        _ => Ok(()),
    }
}

/// Renames to a name that nothing has. Some network file systems cannot promise that by themselves.
fn rename_new(from: &Path, to: &Path) -> Result<(), Fault> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) => Err(ArchiveError::Exists(to.to_owned()).into()),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if !found::exists(to)? => {
            fs::rename(from, to).map_err(failed("rename", from))
        }
        Err(error) => Err(failed("rename", from)(error)),
    }
}
