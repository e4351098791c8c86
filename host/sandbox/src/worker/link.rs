//! A worker's way to its parent: standard input and output, framed.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::os::fd::AsFd;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::protocol;

/// Both directions. One thread speaks at a time.
pub(super) struct Link {
    input: BufReader<File>,
    output: BufWriter<File>,
}

impl Link {
    /// Of this process. Before the lock-down, for it duplicates both descriptors.
    pub(super) fn open() -> io::Result<Self> {
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Ok(Self { input: BufReader::new(input), output: BufWriter::new(output) })
    }

    /// The next frame; none at the end.
    pub(super) fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<(T, Vec<u8>)>> {
        protocol::read(&mut self.input)
    }

    /// Sends a frame, at the latest with the next `flush`.
    pub(super) fn send(&mut self, message: &impl Serialize, body: &[u8]) -> io::Result<()> {
        protocol::write(&mut self.output, message, body)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
