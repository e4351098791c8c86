//! The directory in which an archive is built: private, every file new, every digest noted.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use godwit_model::{Digest, Fault, Hasher};

use crate::error::{ArchiveError, failed};
use crate::sums::Sums;

/// See the file's top.
pub(crate) struct Folder {
    pub(crate) root: PathBuf,
    pub(crate) sums: Sums,
    /// Whether the files themselves become the archive; those of a tar file need not be durable.
    durable: bool,
    folders: BTreeSet<String>,
}

impl Folder {
    /// Makes the root.
    pub(crate) fn create(root: PathBuf, durable: bool) -> Result<Self, Fault> {
        make(&root)?;
        Ok(Self { root, sums: Sums::new(), durable, folders: BTreeSet::new() })
    }

    /// A whole small file, listed in `SHA256SUMS`.
    pub(crate) fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), Fault> {
        self.put_unlisted(path, bytes)?;
        self.list(path, Digest::of(bytes));
        Ok(())
    }

    /// A whole small file.
    pub(crate) fn put_unlisted(&mut self, path: &str, bytes: &[u8]) -> Result<(), Fault> {
        let (mut file, place) = self.open_new(path)?;
        file.write_all(bytes).map_err(failed("write", &place))?;
        self.sync(&file, &place)
    }

    /// Notes a finished file's digest.
    pub(crate) fn list(&mut self, path: &str, digest: Digest) {
        self.sums.insert(path.to_owned(), digest);
    }

    /// A new file, together with where it is on disk.
    pub(crate) fn open_new(&mut self, path: &str) -> Result<(File, PathBuf), Fault> {
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.make_folders(parent)?;
        }
        let place = self.root.join(path);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&place);
        Ok((file.map_err(failed("create", &place))?, place))
    }

    /// A file that grows bit by bit, without keeping it open in between.
    pub(crate) fn start(&mut self, path: String) -> Result<Growing, Fault> {
        self.open_new(&path)?;
        Ok(Growing { path, length: 0, hasher: Hasher::default() })
    }

    /// Makes a file's bytes durable.
    pub(crate) fn sync(&self, file: &File, place: &Path) -> Result<(), Fault> {
        if self.durable { file.sync_all().map_err(failed("sync", place)) } else { Ok(()) }
    }

    /// Makes the names of all files durable.
    pub(crate) fn sync_folders(&self) -> Result<(), Fault> {
        let places = self.folders.iter().rev().map(|folder| self.root.join(folder));
        if self.durable { places.chain([self.root.clone()]).try_for_each(|place| sync_folder(&place)) } else { Ok(()) }
    }

    fn make_folders(&mut self, path: &str) -> Result<(), Fault> {
        if self.folders.contains(path) {
            return Ok(());
        }
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.make_folders(parent)?;
        }
        make(&self.root.join(path))?;
        self.folders.insert(path.to_owned());
        Ok(())
    }
}

fn make(place: &Path) -> Result<(), Fault> {
    DirBuilder::new().mode(0o700).create(place).map_err(failed("create", place))
}

/// Makes the names in a directory durable.
pub(crate) fn sync_folder(place: &Path) -> Result<(), Fault> {
    File::open(place).and_then(|folder| folder.sync_all()).map_err(failed("sync", place))
}

/// A file that grows bit by bit.
pub(crate) struct Growing {
    path: String,
    pub(crate) length: u64,
    hasher: Hasher,
}

impl Growing {
    /// Adds bytes at the end.
    pub(crate) fn append(&mut self, bytes: &[u8], folder: &Folder) -> Result<(), Fault> {
        let place = folder.root.join(&self.path);
        let file = OpenOptions::new().append(true).open(&place);
        file.and_then(|mut file| file.write_all(bytes)).map_err(failed("write", &place))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Makes it durable and lists it. What grew otherwise than by `append` is refused.
    pub(crate) fn finish(self, folder: &mut Folder) -> Result<(), Fault> {
        let place = folder.root.join(&self.path);
        let file = File::open(&place).map_err(failed("open", &place))?;
        let found = file.metadata().map_err(failed("examine", &place))?.len();
        if found != self.length {
            let error = io::Error::other(format!("it has {found} bytes where {} were written", self.length));
            return Err(ArchiveError::Io { action: "finish", path: place, error }.into());
        }
        folder.sync(&file, &place)?;
        folder.list(&self.path, self.hasher.finish());
        Ok(())
    }
}
