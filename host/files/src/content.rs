//! The content of a live file, read so that nobody wrote to it meanwhile.
//!
//! A file's times and size are compared before and after. What changed is read again while nothing
//! was passed on yet: small files are read into memory first, large ones that were modified just now
//! are first copied aside. A large file at rest is streamed; should it change after all, the
//! run ends. Writes through a memory map show only once the system stamps the file's time.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread;

use godwit_model::Fault;
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::attributes::{self, Fingerprint};
use crate::walk::FileAt;
use crate::{FilesError, limits};

const COMPARE_BYTES: usize = 64 << 10;

/// A file whose size, times and content belong together.
pub(crate) struct Steady {
    pub(crate) stat: Stat,
    pub(crate) content: Content,
    /// How often it was read for that.
    pub(crate) reads: u32,
}

/// Where a file's content is read from.
pub(crate) enum Content {
    Memory(Cursor<Vec<u8>>),
    Aside(File),
    Streamed(Watched),
}

/// Opens a file; none where it is gone.
pub(crate) fn open(file: &FileAt<'_>) -> Result<Option<Steady>, FilesError> {
    for reads in 1..=limits::READS_MAX {
        match attempt(file)? {
            Attempt::Gone => return Ok(None),
            Attempt::Changed => thread::sleep(limits::STAMP_STEP * reads),
            Attempt::Steady(stat, content) => return Ok(Some(Steady { stat: *stat, content, reads })),
        }
    }
    Err(FilesError::Changing { path: file.shown.clone(), reads: limits::READS_MAX })
}

enum Attempt {
    Steady(Box<Stat>, Content),
    Changed,
    Gone,
}

fn attempt(file: &FileAt<'_>) -> Result<Attempt, FilesError> {
    let opened = match open_regular(file)? {
        Opened::Regular(opened) => opened,
        Opened::Replaced => return Ok(Attempt::Changed),
        Opened::Gone => return Ok(Attempt::Gone),
    };
    let stat = examine(&opened, &file.shown)?;
    let size = attributes::size(&stat);
    let at_rest = attributes::age(&stat).is_some_and(|age| age >= limits::QUIET);
    let content = match size {
        ..=limits::BUFFER_BYTES => into_memory(&opened, size, &file.shown)?,
        _ if at_rest => {
            return Ok(Attempt::Steady(stat.into(), Content::Streamed(Watched::new(opened, &stat, &file.shown))));
        }
        _ => copy_aside(&opened, size, &file.shown)?,
    };
    match content {
        Some(content) if holds(&opened, &stat, &content, &file.shown)? => Ok(Attempt::Steady(stat.into(), content)),
        _ => Ok(Attempt::Changed),
    }
}

/// Whether nobody wrote to the file since `stat`. Where times cannot tell, for they are stamped in
/// steps and at the beginning of a write, the file must read the same a second time.
fn holds(file: &File, stat: &Stat, content: &Content, shown: &Path) -> Result<bool, FilesError> {
    let stamps_tell = attributes::age(stat).is_some_and(|age| age >= limits::STAMP_STEP);
    let same = stamps_tell || reads_the_same(file, content).map_err(FilesError::system("read", shown))?;
    Ok(same && Fingerprint::of(&examine(file, shown)?) == Fingerprint::of(stat))
}

fn reads_the_same(file: &File, content: &Content) -> io::Result<bool> {
    let (mut one, mut other) = (vec![0; COMPARE_BYTES], vec![0; COMPARE_BYTES]);
    let mut at = 0;
    loop {
        let length = content.read_at(&mut one, at)?;
        if length == 0 {
            return Ok(true);
        }
        if file.read_exact_at(&mut other[..length], at).is_err() || one[..length] != other[..length] {
            return Ok(false);
        }
        at += length as u64;
    }
}

enum Opened {
    Regular(File),
    /// By something else of the same name.
    Replaced,
    Gone,
}

/// Neither follows a link nor waits for the other end of a FIFO.
fn open_regular(file: &FileAt<'_>) -> Result<Opened, FilesError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = match rustix::fs::openat(file.directory, file.name, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(Opened::Gone),
        Err(Errno::LOOP | Errno::NXIO) => return Ok(Opened::Replaced),
        opened => File::from(opened.map_err(FilesError::system("open", &file.shown))?),
    };
    let stat = examine(&opened, &file.shown)?;
    match attributes::kind(&stat) {
        FileType::RegularFile => Ok(Opened::Regular(opened)),
        _ => Ok(Opened::Replaced),
    }
}

fn examine(file: &File, shown: &Path) -> Result<Stat, FilesError> {
    rustix::fs::fstat(file).map_err(FilesError::system("examine", shown))
}

/// None where the file is not as long as it said.
fn into_memory(file: &File, size: u64, shown: &Path) -> Result<Option<Content>, FilesError> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    file.take(size + 1).read_to_end(&mut bytes).map_err(FilesError::system("read", shown))?;
    Ok((bytes.len() as u64 == size).then(|| Content::Memory(Cursor::new(bytes))))
}

/// Likewise.
fn copy_aside(file: &File, size: u64, shown: &Path) -> Result<Option<Content>, FilesError> {
    let spool = |source| FilesError::Spool { path: shown.to_owned(), size, source };
    let mut aside = tempfile::tempfile().map_err(spool)?;
    let length = io::copy(&mut file.take(size + 1), &mut aside).map_err(spool)?;
    aside.rewind().map_err(spool)?;
    Ok((length == size).then_some(Content::Aside(aside)))
}

/// A file that is streamed and must not change until its end.
pub(crate) struct Watched {
    file: File,
    before: Fingerprint,
    remaining: u64,
    shown: PathBuf,
}

impl Watched {
    fn new(file: File, stat: &Stat, shown: &Path) -> Self {
        let remaining = attributes::size(stat);
        Self { file, before: Fingerprint::of(stat), remaining, shown: shown.to_owned() }
    }

    /// Fails where the file is no longer as it was when it was opened.
    fn check(&self) -> Result<(), FilesError> {
        let unchanged = Fingerprint::of(&examine(&self.file, &self.shown)?) == self.before;
        if unchanged { Ok(()) } else { Err(FilesError::Changed { path: self.shown.clone() }) }
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = (&self.file).take(self.remaining).read(buffer)?;
        self.remaining -= length as u64;
        if length == 0 && !buffer.is_empty() {
            self.check().map_err(|error| io::Error::other(Fault::from(error)))?;
        }
        Ok(length)
    }
}

impl Content {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        match self {
            Self::Memory(bytes) => {
                bytes.get_ref().get(usize::try_from(at).unwrap_or(usize::MAX)..).unwrap_or(&[]).read(buffer)
            }
            Self::Aside(file) | Self::Streamed(Watched { file, .. }) => file.read_at(buffer, at),
        }
    }

    /// To be asked after the content was passed on: whether what was read still holds.
    pub(crate) fn check(&self) -> Result<(), FilesError> {
        match self {
            Self::Streamed(watched) => watched.check(),
            Self::Memory(_) | Self::Aside(_) => Ok(()),
        }
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Memory(bytes) => bytes.read(buffer),
            Self::Aside(file) => file.read(buffer),
            Self::Streamed(watched) => watched.read(buffer),
        }
    }
}
