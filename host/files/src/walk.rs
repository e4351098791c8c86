//! The way through a live tree: every entry meant, a directory before what is in it.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use godwit_model::{EntryKind, Fault, TreeEntry, TreePath};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::select::{Selection, Verdict};
use crate::{FilesError, attributes, escape, limits, unescape};

/// What is found on the way.
pub(crate) enum Found<'a> {
    /// A directory or a symbolic link.
    Entry(TreeEntry),
    /// A regular file, not opened yet.
    File(FileAt<'a>),
}

/// A regular file in an open directory.
pub(crate) struct FileAt<'a> {
    pub(crate) directory: &'a OwnedFd,
    pub(crate) name: &'a CStr,
    pub(crate) path: TreePath,
    /// For messages.
    pub(crate) shown: PathBuf,
    /// As listed; it may have changed since.
    pub(crate) stat: Stat,
}

/// Visits the entries of the tree below `root` in order: those of a directory sorted by the bytes
/// of their escaped names.
pub(crate) fn walk(
    root: &OwnedFd,
    shown: &Path,
    selection: &Selection,
    on: &mut dyn FnMut(Found<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    Walk { shown, selection, on, waiting: vec![] }.directory(root, &Place::default())
}

/// Goes straight to one entry and visits it, where it is part of the tree; a directory with all that is
/// in it. On the way there, too, no link is followed.
pub(crate) fn walk_to(
    root: &OwnedFd,
    shown: &Path,
    selection: &Selection,
    path: &TreePath,
    on: &mut dyn FnMut(Found<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut walk = Walk { shown, selection, on, waiting: vec![] };
    let (mut inner, mut place): (Option<OwnedFd>, _) = (None, Place::default());
    let (parents, last) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
    for part in parents.split('/').filter(|part| !part.is_empty()) {
        let Some(below) = walk.enter(inner.as_ref().unwrap_or(root), &place, part)? else { return Ok(()) };
        (inner, place) = (Some(below.0), below.1);
    }
    let Some(name) = c_name(last) else { return Ok(()) };
    walk.entry(inner.as_ref().unwrap_or(root), &place, last, &name)
}

/// A name as the file system has it; none where no name is written so.
fn c_name(escaped: &str) -> Option<CString> {
    unescape(escaped).and_then(|name| CString::new(name).ok())
}

/// Opens a directory that is no symbolic link.
pub(crate) fn open_directory(parent: &OwnedFd, name: &CStr) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// The names in a directory, without `.` and `..`.
pub(crate) fn names(directory: &OwnedFd) -> rustix::io::Result<Vec<CString>> {
    let mut names = vec![];
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_owned();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    Ok(names)
}

struct Walk<'a> {
    shown: &'a Path,
    selection: &'a Selection,
    on: &'a mut dyn FnMut(Found<'_>) -> Result<(), Fault>,
    /// Directories on the way down that are not meant themselves, and become part of the tree
    /// only with something in them.
    waiting: Vec<TreeEntry>,
}

/// A directory on the way.
#[derive(Default)]
struct Place {
    path: Option<TreePath>,
    relative: PathBuf,
    depth: usize,
    inside: bool,
}

impl Place {
    fn below(&self, path: TreePath, relative: &Path, inside: bool) -> Self {
        Self { path: Some(path), relative: relative.to_owned(), depth: self.depth + 1, inside }
    }
}

/// A name in a directory.
struct Entry<'a> {
    directory: &'a OwnedFd,
    name: &'a CStr,
    escaped: &'a str,
    relative: &'a Path,
    shown: &'a Path,
}

#[derive(PartialEq)]
enum Step {
    /// Visited, not meant, or gone.
    Done,
    /// By something of another kind since it was examined.
    Replaced,
}

impl Walk<'_> {
    fn directory(&mut self, directory: &OwnedFd, place: &Place) -> Result<(), Fault> {
        let shown = self.shown.join(&place.relative);
        if place.depth > limits::DEPTH_MAX {
            return Err(FilesError::too_deep(&shown).into());
        }
        let names = names(directory).map_err(FilesError::system("list the directory", &shown))?;
        let mut sorted: Vec<_> = names.iter().map(|name| (escape(name.to_bytes()), name)).collect();
        sorted.sort_unstable();
        sorted.into_iter().try_for_each(|(escaped, name)| self.entry(directory, place, &escaped, name))
    }

    /// The directory of this name, where there is one that is not left out.
    fn enter(
        &mut self,
        directory: &OwnedFd,
        place: &Place,
        escaped: &str,
    ) -> Result<Option<(OwnedFd, Place)>, FilesError> {
        let Some(name) = c_name(escaped) else { return Ok(None) };
        let relative = place.relative.join(OsStr::from_bytes(name.to_bytes()));
        let shown = self.shown.join(&relative);
        let verdict = self.selection.judge(&relative, true, place.inside);
        if verdict == Verdict::Out || place.depth >= limits::DEPTH_MAX {
            return Ok(None);
        }
        let below = match open_directory(directory, &name) {
            Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::NAMETOOLONG) => return Ok(None),
            below => below.map_err(FilesError::system("open the directory", &shown))?,
        };
        let path = tree_path(place, &Entry { directory, name: &name, escaped, relative: &relative, shown: &shown })?;
        Ok(Some((below, place.below(path, &relative, verdict == Verdict::In))))
    }

    fn entry(&mut self, directory: &OwnedFd, place: &Place, escaped: &str, name: &CStr) -> Result<(), Fault> {
        let relative = place.relative.join(OsStr::from_bytes(name.to_bytes()));
        let shown = self.shown.join(&relative);
        let entry = Entry { directory, name, escaped, relative: &relative, shown: &shown };
        for _ in 0..limits::READS_MAX {
            if self.try_entry(place, &entry)? == Step::Done {
                return Ok(());
            }
        }
        Err(FilesError::Changing { path: shown, reads: limits::READS_MAX }.into())
    }

    fn try_entry(&mut self, place: &Place, entry: &Entry<'_>) -> Result<Step, Fault> {
        let Entry { directory, name, shown, .. } = *entry;
        let stat = match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT | Errno::NAMETOOLONG) => return Ok(Step::Done),
            stat => stat.map_err(FilesError::system("examine", shown))?,
        };
        let kind = attributes::kind(&stat);
        let verdict = self.selection.judge(entry.relative, kind == FileType::Directory, place.inside);
        let meant = verdict == Verdict::In;
        if verdict == Verdict::Out || (!meant && kind != FileType::Directory) {
            return Ok(Step::Done);
        }
        let path = tree_path(place, entry)?;
        match kind {
            FileType::Directory => self.descend(entry, &place.below(path, entry.relative, meant)),
            FileType::Symlink => self.link(entry, path, &stat),
            FileType::RegularFile => {
                self.found(Found::File(FileAt { directory, name, path, shown: shown.to_owned(), stat }))?;
                Ok(Step::Done)
            }
            other => Err(FilesError::Special { path: shown.to_owned(), kind: kind_name(other) }.into()),
        }
    }

    fn descend(&mut self, entry: &Entry<'_>, place: &Place) -> Result<Step, Fault> {
        let directory = match open_directory(entry.directory, entry.name) {
            Err(Errno::NOENT) => return Ok(Step::Done),
            Err(Errno::LOOP | Errno::NOTDIR) => return Ok(Step::Replaced),
            directory => directory.map_err(FilesError::system("open the directory", entry.shown))?,
        };
        let stat = rustix::fs::fstat(&directory).map_err(FilesError::system("examine", entry.shown))?;
        let path = place.path.clone().expect("only the root has no path");
        let found = tree_entry(path, EntryKind::Directory, &stat);
        let waiting = self.waiting.len();
        if place.inside {
            self.found(Found::Entry(found))?;
        } else {
            self.waiting.push(found);
        }
        self.directory(&directory, place)?;
        self.waiting.truncate(waiting);
        Ok(Step::Done)
    }

    fn link(&mut self, entry: &Entry<'_>, path: TreePath, stat: &Stat) -> Result<Step, Fault> {
        let target = match rustix::fs::readlinkat(entry.directory, entry.name, vec![]) {
            Err(Errno::NOENT) => return Ok(Step::Done),
            Err(Errno::INVAL) => return Ok(Step::Replaced),
            target => target.map_err(FilesError::system("read the link", entry.shown))?,
        };
        let kind = EntryKind::Link { target: escape(target.to_bytes()) };
        self.found(Found::Entry(tree_entry(path, kind, stat)))?;
        Ok(Step::Done)
    }

    fn found(&mut self, found: Found<'_>) -> Result<(), Fault> {
        for directory in self.waiting.drain(..) {
            (self.on)(Found::Entry(directory))?;
        }
        (self.on)(found)
    }
}

fn tree_path(place: &Place, entry: &Entry<'_>) -> Result<TreePath, FilesError> {
    let text = match &place.path {
        Some(parent) => format!("{parent}/{}", entry.escaped),
        None => entry.escaped.to_owned(),
    };
    let unusable = |problem: &str| problem.strip_prefix("is ").unwrap_or(problem).to_owned();
    TreePath::new(&text)
        .map_err(|error| FilesError::TooDeep { path: entry.shown.to_owned(), problem: unusable(error.problem) })
}

fn tree_entry(path: TreePath, kind: EntryKind, stat: &Stat) -> TreeEntry {
    TreeEntry { path, kind, mode: attributes::mode(stat), modified: attributes::modified(stat) }
}

fn kind_name(kind: FileType) -> &'static str {
    match kind {
        FileType::Fifo => "FIFO",
        FileType::Socket => "socket",
        FileType::CharacterDevice | FileType::BlockDevice => "device",
        _ => "file of an unknown kind",
    }
}

/// Opens the root of a tree, following links on the way to it.
pub(crate) fn open_root(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}
