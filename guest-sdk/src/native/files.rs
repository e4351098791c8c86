//! File trees in memory.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::{BACKEND, Backend, Call};
use crate::bindings::godwit::migration::files::{Error, Kind, Stat};

/// The entries of a tree by their paths; the root is not among them.
#[derive(Default)]
pub(crate) struct Entries(BTreeMap<String, Entry>);

#[derive(Clone)]
struct Entry {
    mode: u32,
    /// None: a directory.
    content: Option<Vec<u8>>,
}

impl Entries {
    /// Puts a file where a test wants it, with the directories that it needs.
    pub(crate) fn place(&mut self, path: &str, content: Vec<u8>) -> Result<(), Error> {
        for (end, _) in path.match_indices('/') {
            self.0.entry(path[..end].to_owned()).or_insert(Entry { mode: 0o755, content: None });
        }
        self.new_entry(path, Entry { mode: 0o644, content: Some(content) })
    }

    /// The files with their content.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.0.iter().filter_map(|(path, entry)| Some((path.clone(), entry.content.clone()?))).collect()
    }

    fn below<'a>(&'a self, directory: &str) -> impl Iterator<Item = (&'a String, &'a Entry)> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let start = Bound::Included(prefix.clone());
        self.0.range((start, Bound::Unbounded)).take_while(move |(path, _)| path.starts_with(&prefix))
    }

    fn list(&self, path: &str) -> Result<Vec<String>, Error> {
        if !path.is_empty() && self.find(path)?.content.is_some() {
            return Err(Error::NotADirectory);
        }
        let skipped = if path.is_empty() { 0 } else { path.len() + 1 };
        let names = self.below(path).map(|(below, _)| &below[skipped..]);
        let mut names: Vec<String> = names.filter(|name| !name.contains('/')).map(str::to_owned).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn find(&self, path: &str) -> Result<&Entry, Error> {
        self.0.get(checked(path)?).ok_or(Error::NotFound)
    }

    fn find_mut(&mut self, path: &str) -> Result<&mut Entry, Error> {
        self.0.get_mut(checked(path)?).ok_or(Error::NotFound)
    }

    fn content_mut(&mut self, path: &str) -> Result<&mut Vec<u8>, Error> {
        self.find_mut(path)?.content.as_mut().ok_or(Error::NotAFile)
    }

    fn new_entry(&mut self, path: &str, entry: Entry) -> Result<(), Error> {
        let parent = checked(path)?.rsplit_once('/').map(|(parent, _)| self.find(parent)).transpose()?;
        if parent.is_some_and(|parent| parent.content.is_some()) {
            return Err(Error::NotADirectory);
        }
        if self.0.contains_key(path) {
            return Err(Error::AlreadyExists);
        }
        self.0.insert(path.to_owned(), entry);
        Ok(())
    }

    fn write(&mut self, path: &str, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        if matches!(self.find(path), Err(Error::NotFound)) {
            self.new_entry(path, Entry { mode: 0o644, content: Some(Vec::new()) })?;
        }
        let content = self.content_mut(path)?;
        let start = usize::try_from(offset).map_err(|_| Error::Limit)?;
        let end = start.checked_add(bytes.len()).ok_or(Error::Limit)?;
        content.resize(content.len().max(end), 0);
        content[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Error> {
        let entry = self.find(from)?.clone();
        if checked(to)?.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
            return Err(Error::InvalidPath);
        }
        self.new_entry(to, entry)?;
        self.0.remove(from);
        let moved: Vec<String> = self.below(from).map(|(path, _)| path.clone()).collect();
        for path in moved {
            let entry = self.0.remove(&path).ok_or(Error::NotFound)?;
            self.0.insert(format!("{to}{}", &path[from.len()..]), entry);
        }
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), Error> {
        self.find(path)?;
        if self.below(path).next().is_some() {
            return Err(Error::NotEmpty);
        }
        self.0.remove(path);
        Ok(())
    }
}

/// Relative, without `.`, `..` and empty parts; the root is no entry.
fn checked(path: &str) -> Result<&str, Error> {
    let odd = |part: &str| matches!(part, "" | "." | "..") || part.contains('\0');
    if path.split('/').any(odd) { Err(Error::InvalidPath) } else { Ok(path) }
}

pub(crate) struct Tree {
    name: String,
}

impl Tree {
    pub(crate) fn open(name: &str) -> Result<Self, Error> {
        let granted = BACKEND.with_borrow(|backend| backend.shows(name));
        if granted { Ok(Self { name: name.to_owned() }) } else { Err(Error::NotFound) }
    }

    pub(crate) fn list(&self, path: &str) -> Result<Vec<String>, Error> {
        self.look(|entries| entries.list(path))
    }

    pub(crate) fn stat(&self, path: &str) -> Result<Stat, Error> {
        if path.is_empty() {
            return Ok(Stat { kind: Kind::Directory, size: 0, mode: 0o755, modified: 0 });
        }
        self.look(|entries| {
            let Entry { mode, content } = entries.find(path)?;
            let kind = if content.is_some() { Kind::File } else { Kind::Directory };
            let size = content.as_ref().map_or(0, |content| content.len() as u64);
            Ok(Stat { kind, size, mode: *mode, modified: 0 })
        })
    }

    /// Answers with fewer bytes than asked for, as the host may.
    pub(crate) fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
        self.look(|entries| {
            let content = entries.find(path)?.content.as_ref().ok_or(Error::NotAFile)?;
            let rest = usize::try_from(offset).ok().and_then(|start| content.get(start..)).unwrap_or_default();
            Ok(rest[..rest.len().min(length.div_ceil(2) as usize)].to_vec())
        })
    }

    pub(crate) fn write(&self, path: &str, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        self.change(|entries| entries.write(path, offset, bytes))
    }

    pub(crate) fn truncate(&self, path: &str, size: u64) -> Result<(), Error> {
        let size = usize::try_from(size).map_err(|_| Error::Limit)?;
        self.change(|entries| entries.content_mut(path).map(|content| content.resize(size, 0)))
    }

    pub(crate) fn set_mode(&self, path: &str, mode: u32) -> Result<(), Error> {
        self.change(|entries| entries.find_mut(path).map(|entry| entry.mode = mode))
    }

    pub(crate) fn make_directory(&self, path: &str) -> Result<(), Error> {
        self.change(|entries| entries.new_entry(path, Entry { mode: 0o755, content: None }))
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<(), Error> {
        self.change(|entries| entries.rename(from, to))
    }

    pub(crate) fn remove(&self, path: &str) -> Result<(), Error> {
        self.change(|entries| entries.remove(path))
    }

    fn look<T>(&self, look: impl FnOnce(&Entries) -> Result<T, Error>) -> Result<T, Error> {
        BACKEND.with_borrow(|backend| look(backend.trees.get(&self.name).unwrap_or(&Entries::default())))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Entries) -> Result<T, Error>) -> Result<T, Error> {
        BACKEND.with_borrow_mut(|backend| {
            if backend.call == Call::Finish && backend.may_write(&self.name) {
                change(backend.trees.entry(self.name.clone()).or_default())
            } else {
                Err(Error::ReadOnly)
            }
        })
    }
}

impl Backend {
    fn shows(&self, tree: &str) -> bool {
        self.grants.as_ref().map_or(self.trees.contains_key(tree), |grants| grants.trees.contains_key(tree))
    }

    fn may_write(&self, tree: &str) -> bool {
        self.grants.as_ref().is_none_or(|grants| grants.trees.get(tree) == Some(&true))
    }
}
