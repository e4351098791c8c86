//! A file tree built entry by entry in an empty directory.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use godwit_model::{EntryKind, Fault, TreeEntry};
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Stat, Timestamps, Uid};
use rustix::io::Errno;

use crate::directories::{Directories, Parts, link_target, name, parts};
use crate::{FilesError, attributes, walk};

const SET_ID: u32 = 0o6000;
const COPY_BYTES: usize = 128 << 10;

/// Builds a file tree; a parent must come before what is in it.
///
/// Every entry is created, never opened: a name that exists is an error, and so is a parent
/// that is no directory of this tree. Links are made as recorded and never followed.
///
/// Entries belong to whoever runs Godwit. Root that replaces a tree gives them to the owner of the
/// root it replaces. The set-user and set-group bits of a file lend its owner's rights, which are then
/// not those that were meant: run by root, they are left out with a warning.
pub struct TreeBuilder {
    shown: PathBuf,
    directories: Directories,
    /// Modes and times are set last: a directory without write permission must be filled first,
    /// and filling it changes its time.
    unfinished: Vec<(Parts, Look)>,
    root: Option<Look>,
    owner: Option<Owner>,
    by_root: bool,
    warnings: Vec<String>,
}

type Owner = (Uid, Gid);

/// What an entry has beside name and content.
struct Look {
    mode: Mode,
    times: Timestamps,
}

impl TreeBuilder {
    /// Builds in an existing empty directory that nobody else may write to.
    ///
    /// # Errors
    /// System: the directory cannot be opened.
    pub fn new(directory: &Path) -> Result<Self, Fault> {
        let root = walk::open_root(directory).map_err(FilesError::system("open the directory", directory))?;
        Ok(Self::within(root, directory))
    }

    /// Builds in an open empty directory.
    pub(crate) fn within(root: OwnedFd, shown: &Path) -> Self {
        Self {
            shown: shown.to_owned(),
            directories: Directories::new(root),
            unfinished: vec![],
            root: None,
            owner: None,
            by_root: rustix::process::geteuid().is_root(),
            warnings: vec![],
        }
    }

    /// Makes the root look like one that exists, and, as root, gives every entry to its owner.
    pub(crate) fn like(mut self, existing: &Stat) -> Self {
        let times = attributes::timestamps(attributes::modified(existing));
        self.root = times.map(|times| Look { mode: Mode::from_raw_mode(existing.st_mode), times });
        self.owner = self.by_root.then(|| (Uid::from_raw(existing.st_uid), Gid::from_raw(existing.st_gid)));
        self
    }

    /// Lets everybody look into the root: the mode of a folder newly made by hand.
    pub(crate) fn open_to_readers(mut self) -> Self {
        let times = Timestamps { last_access: attributes::UNCHANGED, last_modification: attributes::UNCHANGED };
        self.root = Some(Look { mode: Mode::from_raw_mode(0o755), times });
        self
    }

    /// Adds an entry with its content.
    ///
    /// # Errors
    /// Damaged: an entry that cannot be part of a tree, or content of another length. System: the
    /// file system refuses. An error of the content that wraps a [`Fault`] is handed on as that.
    pub fn write_entry(&mut self, entry: &TreeEntry, content: &mut dyn Read) -> Result<(), Fault> {
        let path = parts(entry)?;
        let look = self.look(entry)?;
        let (last, parents) = path.split_last().expect("a tree path has a part");
        let parent = self.directories.enter(parents).map_err(|error| no_parent(entry, error, &self.shown))?;
        let new = New { entry, parent, name: last, owner: self.owner, shown: &self.shown };
        match (&entry.kind, link_target(entry)?) {
            (EntryKind::File { size }, _) => new.file(*size, &look, content),
            (_, Some(target)) => Ok(new.link(&target, &look)?),
            (_, None) => {
                new.directory()?;
                self.unfinished.push((path, look));
                Ok(())
            }
        }
    }

    /// Sets the directories' modes and times and makes the tree durable.
    ///
    /// # Errors
    /// System: the file system refuses.
    pub fn finish(&mut self) -> Result<(), Fault> {
        for (path, look) in std::mem::take(&mut self.unfinished).iter().rev() {
            let directory = self.directories.enter(path).map_err(FilesError::system("finish", &self.shown))?;
            look.put_on(directory, self.owner).map_err(FilesError::system("finish", &self.shown))?;
        }
        if let Some(look) = &self.root {
            look.put_on(self.directories.root(), self.owner).map_err(FilesError::system("finish", &self.shown))?;
        }
        rustix::fs::syncfs(self.directories.root()).map_err(FilesError::system("make durable", &self.shown))?;
        Ok(())
    }

    /// What the operator should know about the entries written so far.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn look(&mut self, entry: &TreeEntry) -> Result<Look, FilesError> {
        if entry.mode > 0o7777 {
            return Err(FilesError::entry(&entry.path, format!("its mode {:o} is none", entry.mode)));
        }
        let times = attributes::timestamps(entry.modified)
            .ok_or_else(|| FilesError::entry(&entry.path, "its modification time is none"))?;
        let lends_rights = matches!(entry.kind, EntryKind::File { .. }) && entry.mode & SET_ID != 0;
        let mode = if lends_rights && self.by_root {
            self.warnings.push(format!("{}: restored without its set-user and set-group bits", entry.path));
            entry.mode & !SET_ID
        } else {
            entry.mode
        };
        Ok(Look { mode: Mode::from_raw_mode(mode), times })
    }
}

impl Look {
    /// The owner first: a change of owner clears mode bits. The time last.
    fn put_on(&self, file: impl AsFd, owner: Option<Owner>) -> rustix::io::Result<()> {
        if let Some((user, group)) = owner {
            rustix::fs::fchown(&file, Some(user), Some(group))?;
        }
        rustix::fs::fchmod(&file, self.mode)?;
        rustix::fs::futimens(&file, &self.times)
    }
}

/// An entry that is about to be.
struct New<'a> {
    entry: &'a TreeEntry,
    parent: &'a OwnedFd,
    name: &'a [u8],
    owner: Option<Owner>,
    shown: &'a Path,
}

impl New<'_> {
    fn file(&self, size: u64, look: &Look, content: &mut dyn Read) -> Result<(), Fault> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(self.parent, name(self.name), flags, Mode::RUSR | Mode::WUSR);
        let mut file = File::from(file.map_err(|error| self.refused(error))?);
        self.fill(&mut file, size, content)?;
        Ok(look.put_on(&file, self.owner).map_err(|error| self.refused(error))?)
    }

    fn fill(&self, file: &mut File, size: u64, content: &mut dyn Read) -> Result<(), Fault> {
        let mut buffer = vec![0; COPY_BYTES];
        let mut length = 0_u64;
        loop {
            let read = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unreadable(error, &self.path())),
            };
            length += read as u64;
            if length > size {
                break;
            }
            file.write_all(&buffer[..read]).map_err(FilesError::system("write", &self.path()))?;
        }
        if length != size {
            let problem = format!("it is not the {size} bytes long it says");
            return Err(FilesError::entry(&self.entry.path, problem).into());
        }
        Ok(())
    }

    fn link(&self, target: &[u8], look: &Look) -> Result<(), FilesError> {
        let linked = name(self.name);
        rustix::fs::symlinkat(name(target), self.parent, linked).map_err(|error| self.refused(error))?;
        if let Some((user, group)) = self.owner {
            rustix::fs::chownat(self.parent, linked, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|error| self.refused(error))?;
        }
        rustix::fs::utimensat(self.parent, linked, &look.times, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error| self.refused(error))
    }

    fn directory(&self) -> Result<(), FilesError> {
        rustix::fs::mkdirat(self.parent, name(self.name), Mode::RWXU).map_err(|error| self.refused(error))
    }

    fn path(&self) -> PathBuf {
        self.shown.join(self.entry.path.as_str())
    }

    fn refused(&self, error: Errno) -> FilesError {
        match error {
            Errno::EXIST => FilesError::entry(&self.entry.path, "another entry has this name already"),
            error => FilesError::system("write", &self.path())(error),
        }
    }
}

/// Content that cannot be read, in the class that its own source gave the error, where it gave one.
pub(crate) fn unreadable(error: io::Error, shown: &Path) -> Fault {
    match error.downcast::<Fault>() {
        Ok(fault) => fault,
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
            Fault::damaged(error)
        }
        Err(error) => FilesError::system("read the content of", shown)(error).into(),
    }
}

fn no_parent(entry: &TreeEntry, error: Errno, shown: &Path) -> FilesError {
    match error {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP => {
            FilesError::entry(&entry.path, "it is not in a directory of this tree")
        }
        error => FilesError::system("enter the directory of", &shown.join(entry.path.as_str()))(error),
    }
}
