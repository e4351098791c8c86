//! The content of a file of a tree, checked on its way.
//!
//! Files can be larger than memory, so bytes go out before the last one is checked. The end of the
//! content is given only where everything was right, and what was built from it stays aside until then.

use std::io::{self, BufReader, Read};

use godwit_model::{Digest, Fault, Hasher};

use super::{same_digest, trees::drain};
use crate::error::{Damage, Reading, Trouble};
use crate::index::{Compression, ContentLine};
use crate::store::{Stored, StoredReader};

/// See the file's top.
pub(crate) struct Content {
    path: String,
    recorded: Digest,
    left: u64,
    state: State,
}

enum State {
    Fresh(Box<Inner>),
    Started(Box<Inner>),
    Over,
    Failed(Option<Trouble>),
}

enum Inner {
    Raw(Hashing),
    Packed(zstd::Decoder<'static, BufReader<Hashing>>),
}

impl Content {
    /// The content as its line in the index describes it.
    pub(crate) fn new(stored: Stored, line: &ContentLine) -> Reading<Self> {
        let path = stored.path.clone();
        let hashing = Hashing { reader: stored.into_reader(), hasher: Hasher::default() };
        let inner = match line.compression {
            Compression::None => Inner::Raw(hashing),
            Compression::Zstd => Inner::Packed(zstd::Decoder::new(hashing).map_err(Fault::system)?.single_frame()),
        };
        Ok(Self { path, recorded: line.sha256, left: line.size, state: State::Fresh(Box::new(inner)) })
    }

    /// Checks the rest, where anything was read, and tells what was wrong.
    pub(crate) fn close(mut self) -> Reading<()> {
        if matches!(self.state, State::Started(_)) {
            let _ = drain(&mut self);
        }
        match self.state {
            State::Failed(Some(trouble)) => Err(trouble),
            _ => Ok(()),
        }
    }

    fn advance(&mut self, buffer: &mut [u8]) -> Reading<usize> {
        let inner = match std::mem::replace(&mut self.state, State::Over) {
            State::Fresh(inner) | State::Started(inner) => inner,
            State::Over | State::Failed(_) => return Ok(0),
        };
        match self.left {
            0 => inner.finish(&self.path, self.recorded).map(|()| 0),
            _ => self.read_some(inner, buffer),
        }
    }

    fn read_some(&mut self, mut inner: Box<Inner>, buffer: &mut [u8]) -> Reading<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = inner.read(&mut buffer[..wanted]).map_err(|error| io_trouble(&self.path, error))?;
        if read == 0 && wanted > 0 {
            return Err(Damage::Malformed(format!("{} bytes of content are missing", self.left)).of(&self.path));
        }
        self.left -= read as u64;
        self.state = State::Started(inner);
        Ok(read)
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if matches!(self.state, State::Failed(_)) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the content is damaged, as was said before"));
        }
        self.advance(buffer).map_err(|trouble| {
            let error = io::Error::new(io::ErrorKind::InvalidData, describe(&trouble));
            self.state = State::Failed(Some(trouble));
            error
        })
    }
}

fn describe(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Damaged { file, damage } => format!("{file} of the archive {damage}"),
        Trouble::Newer(format) => format!("format {format}"),
        Trouble::Passed(fault) => fault.to_string(),
    }
}

/// An error of the operating system is its own; any other means wrong bytes.
fn io_trouble(path: &str, error: io::Error) -> Trouble {
    if error.raw_os_error().is_some() {
        crate::error::failed::<io::Error>("read", path.as_ref())(error).into()
    } else {
        Damage::Malformed(error.to_string()).of(path)
    }
}

impl Inner {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Raw(reader) => reader.read(buffer),
            Self::Packed(decoder) => decoder.read(buffer),
        }
    }

    /// Nothing may follow, neither in the frame nor after it, and the digest must be right.
    fn finish(mut self: Box<Self>, path: &str, recorded: Digest) -> Reading<()> {
        let more = self.read(&mut [0]).map_err(|error| io_trouble(path, error))?;
        let mut hashing = match *self {
            Self::Raw(hashing) => hashing,
            Self::Packed(decoder) => into_hashing(decoder),
        };
        drain(&mut hashing).map_err(|error| io_trouble(path, error))?;
        same_digest(path, hashing.hasher.finish(), recorded)?;
        match more {
            0 => Ok(()),
            _ => Err(Damage::Malformed("there is more content than was recorded".to_owned()).of(path)),
        }
    }
}

/// What the decoder had buffered was hashed when it was buffered.
fn into_hashing(decoder: zstd::Decoder<'static, BufReader<Hashing>>) -> Hashing {
    decoder.finish().into_inner()
}

/// Hashes what passes.
struct Hashing {
    reader: StoredReader,
    hasher: Hasher,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}
