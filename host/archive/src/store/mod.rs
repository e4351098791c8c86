//! Files of an archive by their paths, whether it is a directory or a tar file.

mod dir;
mod tar;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Damage, Reading, failed};

pub(crate) use dir::DirStore;
pub(crate) use tar::{TarStore, looks_like_tar};

/// Where an archive's files are.
pub(crate) trait Store: Send + Sync {
    /// Every file there is, with its length.
    fn files(&self) -> Reading<BTreeMap<String, u64>>;

    /// A file by its path.
    fn open(&self, path: &str) -> Reading<Stored>;
}

/// A file of an archive, open for reading.
pub(crate) struct Stored {
    pub(crate) path: String,
    pub(crate) length: u64,
    file: Arc<File>,
    start: u64,
}

impl Stored {
    /// All of it, where it is no larger than `limit`.
    pub(crate) fn read_whole(&self, limit: u64) -> Reading<Vec<u8>> {
        if self.length > limit {
            Err(Damage::TooLarge { bytes: self.length, limit }.of(&self.path))
        } else {
            self.read_range(0, self.length)
        }
    }

    /// Some bytes from the middle.
    pub(crate) fn read_range(&self, offset: u64, length: u64) -> Reading<Vec<u8>> {
        let end = offset.checked_add(length).filter(|&end| end <= self.length);
        end.ok_or_else(|| self.too_short(offset.saturating_add(length)))?;
        let size = usize::try_from(length).map_err(|_| Damage::TooLarge { bytes: length, limit: 0 }.of(&self.path))?;
        let mut bytes = vec![0; size];
        self.file.read_exact_at(&mut bytes, self.start + offset).map_err(|error| self.blame(error))?;
        Ok(bytes)
    }

    /// A reader from the start to the end.
    pub(crate) fn into_reader(self) -> StoredReader {
        StoredReader { stored: self, at: 0 }
    }

    /// Refuses any other length than that recorded.
    pub(crate) fn expect_length(&self, recorded: u64) -> Reading<()> {
        if self.length == recorded {
            Ok(())
        } else {
            Err(Damage::Length { recorded, found: self.length }.of(&self.path))
        }
    }

    fn too_short(&self, recorded: u64) -> crate::error::Trouble {
        Damage::Length { recorded, found: self.length }.of(&self.path)
    }

    fn blame(&self, error: io::Error) -> crate::error::Trouble {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Damage::CutOff(self.length).of(&self.path),
            _ => failed::<io::Error>("read", Path::new(&self.path))(error).into(),
        }
    }
}

/// Reads a [`Stored`] file from the start to the end.
pub(crate) struct StoredReader {
    stored: Stored,
    at: u64,
}

impl Read for StoredReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.stored.length - self.at).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = self.stored.file.read_at(&mut buffer[..wanted], self.stored.start + self.at)?;
        if read == 0 && wanted > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += read as u64;
        Ok(read)
    }
}
