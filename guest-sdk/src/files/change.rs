//! The writing side of a tree: all of it in `finish` only.

use super::failure::WRITTEN;
use super::{Failure, Kind, PIECE, Tree, Writer};
use crate::Result;

impl Tree {
    /// Makes this the content of a file, new (mode 0644) or not. The directory must be there:
    /// see [`Tree::make_directory_all`].
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        self.empty(path)?;
        self.write_at(path, 0, content.as_ref())
    }

    /// Adds to the end of a file, new or not.
    pub fn append(&self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let end = match self.0.handle.stat(path) {
            Ok(stat) => stat.size,
            Err(Failure::NotFound) => 0,
            Err(error) => return Err(self.failed(WRITTEN, path, error)),
        };
        self.write_at(path, end, content.as_ref())
    }

    /// Writes a file from its start by pieces, for what need not be in memory at once. Each write is a call of
    /// the host: put a [`BufWriter`](std::io::BufWriter) around it, and flush that at the end.
    pub fn writer(&self, path: &str) -> Result<Writer> {
        self.empty(path)?;
        self.write_at(path, 0, &[])?;
        Ok(Writer::new(self.clone(), path))
    }

    /// Sets the permission bits.
    pub fn set_mode(&self, path: &str, mode: u32) -> Result<()> {
        self.told("given another mode", path, self.0.handle.set_mode(path, mode))
    }

    /// Makes a directory in one that is there.
    pub fn make_directory(&self, path: &str) -> Result<()> {
        self.told("made", path, self.0.handle.make_directory(path))
    }

    /// Makes a directory, and those that it is in; those that are there already stay.
    pub fn make_directory_all(&self, path: &str) -> Result<()> {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        ends.map(|end| &path[..end]).try_for_each(|path| self.ensure_directory(path))
    }

    /// Gives an entry, and all that is in it, another path, where nothing is yet.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.0.handle.rename(from, to).map_err(|error| self.failed(&format!("renamed to {to}"), from, error))
    }

    /// Removes a file, a link, or a directory that is empty.
    pub fn remove(&self, path: &str) -> Result<()> {
        self.told("removed", path, self.0.handle.remove(path))
    }

    /// Removes an entry and all that is in it.
    pub fn remove_all(&self, path: &str) -> Result<()> {
        if self.stat(path)?.kind == Kind::Directory {
            let below = self.walk(path)?.collect::<Result<Vec<_>>>()?;
            below.iter().rev().try_for_each(|entry| self.remove(&entry.path))?;
        }
        self.remove(path)
    }

    /// What is not there yet is empty enough.
    fn empty(&self, path: &str) -> Result<()> {
        match self.0.handle.truncate(path, 0) {
            Ok(()) | Err(Failure::NotFound) => Ok(()),
            Err(error) => Err(self.failed(WRITTEN, path, error)),
        }
    }

    /// Without content still a write: it makes the file.
    pub(super) fn write_at(&self, path: &str, offset: u64, content: &[u8]) -> Result<()> {
        let write = |offset, piece: &[u8]| self.told(WRITTEN, path, self.0.handle.write(path, offset, piece));
        if content.is_empty() {
            return write(offset, content);
        }
        let offsets = (offset..).step_by(PIECE as usize);
        offsets.zip(content.chunks(PIECE as usize)).try_for_each(|(offset, piece)| write(offset, piece))
    }

    fn ensure_directory(&self, path: &str) -> Result<()> {
        match self.0.handle.make_directory(path) {
            Err(Failure::AlreadyExists) if self.stat(path)?.kind == Kind::Directory => Ok(()),
            answer => self.told("made", path, answer),
        }
    }
}
