//! The interface `files`.
#![allow(unreachable_pub)] // the generated bindings want their resources public

use godwit_model::{FileAccess, FileChange, FileFailure, FileKind, FileStat};
use wasmtime::Result;
use wasmtime::component::Resource;

use crate::bindings::files::{Error, Host as Interface, HostTree, Kind, Stat};
use crate::host::Host;
use crate::limits::FILE_PIECE_BYTES;

/// A file tree that a module holds.
pub struct Tree(String);

impl Host {
    fn trees(&mut self) -> Result<&mut dyn FileAccess, FileFailure> {
        match &mut self.capabilities.files {
            Some(files) if self.phase.has_capabilities() => Ok(files.as_mut()),
            _ => Err(FileFailure::NotFound),
        }
    }

    /// Asks something of a tree that the module holds.
    fn ask<T>(
        &mut self,
        held: &Resource<Tree>,
        ask: impl FnOnce(&mut dyn FileAccess, &str) -> Result<T, FileFailure>,
    ) -> Result<Result<T, Error>> {
        self.count_call()?;
        let tree = self.held.get(held)?.0.clone();
        Ok(self.trees().and_then(|trees| ask(trees, &tree)).map_err(Error::from))
    }

    fn change(&mut self, held: &Resource<Tree>, path: &str, change: FileChange<'_>) -> Result<Result<(), Error>> {
        self.ask(held, |trees, tree| trees.change(tree, path, change))
    }
}

impl Interface for Host {}

impl HostTree for Host {
    fn open(&mut self, name: String) -> Result<Result<Resource<Tree>, Error>> {
        self.count_call()?;
        match self.trees().and_then(|trees| trees.open(&name)) {
            Ok(()) => Ok(Ok(self.hold(Tree(name))?)),
            Err(failure) => Ok(Err(failure.into())),
        }
    }

    fn list(&mut self, held: Resource<Tree>, path: String) -> Result<Result<Vec<String>, Error>> {
        self.ask(&held, |trees, tree| trees.list(tree, &path))
    }

    fn stat(&mut self, held: Resource<Tree>, path: String) -> Result<Result<Stat, Error>> {
        self.ask(&held, |trees, tree| trees.stat(tree, &path).map(Stat::from))
    }

    fn read(&mut self, held: Resource<Tree>, path: String, offset: u64, length: u32) -> Result<Result<Vec<u8>, Error>> {
        self.ask(&held, |trees, tree| trees.read(tree, &path, offset, length.min(FILE_PIECE_BYTES)))
    }

    fn write(&mut self, held: Resource<Tree>, path: String, offset: u64, bytes: Vec<u8>) -> Result<Result<(), Error>> {
        self.change(&held, &path, FileChange::Write { offset, bytes: &bytes })
    }

    fn truncate(&mut self, held: Resource<Tree>, path: String, size: u64) -> Result<Result<(), Error>> {
        self.change(&held, &path, FileChange::Truncate(size))
    }

    fn set_mode(&mut self, held: Resource<Tree>, path: String, mode: u32) -> Result<Result<(), Error>> {
        self.change(&held, &path, FileChange::SetMode(mode))
    }

    fn make_directory(&mut self, held: Resource<Tree>, path: String) -> Result<Result<(), Error>> {
        self.change(&held, &path, FileChange::MakeDirectory)
    }

    fn rename(&mut self, held: Resource<Tree>, from: String, to: String) -> Result<Result<(), Error>> {
        self.change(&held, &from, FileChange::Rename(&to))
    }

    fn remove(&mut self, held: Resource<Tree>, path: String) -> Result<Result<(), Error>> {
        self.change(&held, &path, FileChange::Remove)
    }

    fn drop(&mut self, held: Resource<Tree>) -> Result<()> {
        self.held.delete(held)?;
        Ok(())
    }
}

impl From<FileStat> for Stat {
    fn from(stat: FileStat) -> Self {
        let kind = match stat.kind {
            FileKind::File => Kind::File,
            FileKind::Directory => Kind::Directory,
            FileKind::Link => Kind::Link,
        };
        Self { kind, size: stat.size, mode: stat.mode, modified: stat.modified }
    }
}

impl From<FileFailure> for Error {
    fn from(failure: FileFailure) -> Self {
        match failure {
            FileFailure::NotFound => Self::NotFound,
            FileFailure::AlreadyExists => Self::AlreadyExists,
            FileFailure::NotADirectory => Self::NotADirectory,
            FileFailure::NotAFile => Self::NotAFile,
            FileFailure::NotEmpty => Self::NotEmpty,
            FileFailure::InvalidPath => Self::InvalidPath,
            FileFailure::ReadOnly => Self::ReadOnly,
            FileFailure::Limit => Self::Limit,
            FileFailure::Io => Self::Io,
        }
    }
}
