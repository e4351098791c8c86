//! What all states of a run's trees stand upon: the source, and the private folder.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use godwit_model::{EntryKind, Fault, FileFailure, TreeEntry, TreeName, TreePath, TreeSource, Visit};

use crate::scratch::{ScratchFile, ScratchFolder};
use crate::{FilesError, limits};

/// The source of a run's file trees, shared by every state of them, and a private folder for what modules
/// write.
///
/// A file of the source that a module reads is first brought into the folder whole, for content comes as a
/// stream and an archive vouches for it at its end only. A bounded number of such files stays there; the
/// one brought in first makes room for the next.
///
/// What goes wrong on the host's side answers [`FileFailure::Io`] to the module; the reason is kept
/// for [`Base::trouble`], and must end the run.
#[derive(Clone)]
pub struct Base(Arc<Shared>);

struct Shared {
    source: Mutex<Source>,
    scratch: ScratchFolder,
    moment: i64,
    trouble: Mutex<Option<Fault>>,
}

struct Source {
    trees: Box<dyn TreeSource>,
    brought_in: BroughtIn,
}

/// A file of the source as it was listed.
pub(super) struct Listed<'a> {
    pub(super) tree: &'a TreeName,
    pub(super) path: &'a TreePath,
    pub(super) size: u64,
    pub(super) modified: i128,
}

impl Base {
    /// What modules write goes to `scratch`, and gets the time `moment`, in nanoseconds since 1970: the moment that
    /// the data was taken, so that results are the same on every run.
    pub fn new(source: Box<dyn TreeSource>, scratch: &ScratchFolder, moment: i64) -> Self {
        let source = Mutex::new(Source { trees: source, brought_in: BroughtIn::default() });
        Self(Arc::new(Shared { source, scratch: scratch.clone(), moment, trouble: Mutex::default() }))
    }

    /// Why the host could not read or write, where a module was answered [`FileFailure::Io`]. Handed
    /// over once; the first reason of several.
    pub fn trouble(&self) -> Option<Fault> {
        lock(&self.0.trouble).take()
    }

    pub(super) fn moment(&self) -> i64 {
        self.0.moment
    }

    pub(super) fn trees(&self) -> Vec<TreeName> {
        lock(&self.0.source).trees.trees()
    }

    pub(super) fn read_tree(&self, tree: &TreeName, visit: Visit<'_>) -> Result<(), Fault> {
        lock(&self.0.source).trees.read_tree(tree, visit)
    }

    pub(super) fn read_entry(&self, tree: &TreeName, path: &TreePath, visit: Visit<'_>) -> Result<bool, Fault> {
        lock(&self.0.source).trees.read_entry(tree, path, visit)
    }

    /// Streams the content of a file of the source to a visitor, who is shown the entry as it is by now.
    pub(super) fn read_file(&self, file: &Listed<'_>, entry: &TreeEntry, visit: Visit<'_>) -> Result<(), Fault> {
        stream(lock(&self.0.source).trees.as_mut(), file, &mut |_, content| visit(entry, content))
    }

    pub(super) fn new_file(&self) -> Result<ScratchFile, FileFailure> {
        self.or_trouble(self.0.scratch.create())
    }

    /// The content of a file of the source, to be read anywhere.
    pub(super) fn open_file(&self, file: &Listed<'_>) -> Result<File, FileFailure> {
        if file.size > limits::BROUGHT_IN_BYTES {
            return Err(FileFailure::Limit);
        }
        let copy = self.or_trouble(lock(&self.0.source).bring_in(file, &self.0.scratch))?;
        self.or_trouble(copy.open())
    }

    /// For `map_err`: what was being done in the private folder.
    pub(super) fn failed(&self, action: &'static str) -> impl FnOnce(io::Error) -> FilesError {
        let path = self.0.scratch.path().to_owned();
        move |source| FilesError::Scratch { action, path, source }
    }

    /// Keeps the reason of what the guest is told in one word.
    pub(super) fn or_trouble<T>(&self, result: Result<T, impl Into<Fault>>) -> Result<T, FileFailure> {
        result.map_err(|error| {
            lock(&self.0.trouble).get_or_insert(error.into());
            FileFailure::Io
        })
    }
}

impl Source {
    fn bring_in(&mut self, file: &Listed<'_>, scratch: &ScratchFolder) -> Result<Arc<ScratchFile>, Fault> {
        let key = (file.tree.clone(), file.path.clone());
        if let Some((copy, _)) = self.brought_in.copies.get(&key) {
            return Ok(copy.clone());
        }
        self.brought_in.make_room(file.size);
        let copy = Arc::new(scratch.create()?);
        stream(self.trees.as_mut(), file, &mut |entry, content| fill(&copy, file, entry, content))?;
        self.brought_in.keep(key, &copy, file.size);
        Ok(copy)
    }
}

/// Visits a file that must still be as it was listed.
fn stream(trees: &mut dyn TreeSource, file: &Listed<'_>, visit: Visit<'_>) -> Result<(), Fault> {
    let changed = || FilesError::NotAsListed { tree: file.tree.clone(), path: file.path.clone() };
    let found = trees.read_entry(file.tree, file.path, &mut |entry, content| {
        let listed = (EntryKind::File { size: file.size }, file.modified);
        match (&entry.kind, entry.modified) == (&listed.0, listed.1) {
            true => visit(entry, content),
            false => Err(changed().into()),
        }
    })?;
    if found { Ok(()) } else { Err(changed().into()) }
}

/// Copies no more than was listed, whatever the source hands out.
fn fill(copy: &ScratchFile, file: &Listed<'_>, entry: &TreeEntry, content: &mut dyn Read) -> Result<(), Fault> {
    let mut to = copy.open()?;
    let mut from = Noted { content, error: None };
    let copied = io::copy(&mut (&mut from).take(file.size.saturating_add(1)), &mut to);
    match (copied, from.error) {
        (Ok(length), _) if length == file.size => Ok(()),
        (Ok(_), _) => {
            Err(FilesError::entry(&entry.path, format!("it is not the {} bytes long it says", file.size)).into())
        }
        (Err(_), Some(error)) => Err(crate::build::unreadable(error, file.path.as_str().as_ref())),
        (Err(error), None) => Err(copy.failed("write")(error).into()),
    }
}

/// Tells trouble with reading from trouble with writing.
struct Noted<'a> {
    content: &'a mut dyn Read,
    error: Option<io::Error>,
}

impl Read for Noted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.content.read(buffer).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.error = Some(error);
            }
            kind.into()
        })
    }
}

type Key = (TreeName, TreePath);

/// Copies of files of the source, the oldest first.
#[derive(Default)]
struct BroughtIn {
    copies: HashMap<Key, (Arc<ScratchFile>, u64)>,
    order: VecDeque<Key>,
    bytes: u64,
}

impl BroughtIn {
    /// A copy that is being read goes when that has ended.
    fn make_room(&mut self, size: u64) {
        while self.bytes.saturating_add(size) > limits::BROUGHT_IN_BYTES
            || self.copies.len() >= limits::BROUGHT_IN_FILES
        {
            let Some(oldest) = self.order.pop_front() else { return };
            self.bytes -= self.copies.remove(&oldest).map_or(0, |(_, size)| size);
        }
    }

    fn keep(&mut self, key: Key, copy: &Arc<ScratchFile>, size: u64) {
        self.order.push_back(key.clone());
        self.bytes += size;
        self.copies.insert(key, (copy.clone(), size));
    }
}

/// A thread that panicked left nothing half done that matters: the run ends.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
