//! Files by pieces, for whatever reads and writes as the standard library does.

use std::io::{self, BufRead, Read, Write};

use super::Tree;
use crate::Error;

/// Reads a file from its start, a piece at a time. It is buffered as it is.
pub struct Reader {
    tree: Tree,
    path: String,
    piece: Vec<u8>,
    /// Of the piece, how much is read.
    read: usize,
    /// Where the next piece begins.
    next: u64,
}

impl Reader {
    pub(super) fn new(tree: Tree, path: &str, piece: Vec<u8>) -> Self {
        Self { tree, path: path.to_owned(), next: piece.len() as u64, piece, read: 0 }
    }
}

impl BufRead for Reader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.read >= self.piece.len() {
            self.piece = self.tree.piece(&self.path, self.next).map_err(|error| io_error(&error))?;
            self.next += self.piece.len() as u64;
            self.read = 0;
        }
        Ok(&self.piece[self.read..])
    }

    fn consume(&mut self, amount: usize) {
        self.read += amount;
    }
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

/// Writes a file from its start; every write goes to the host.
pub struct Writer {
    tree: Tree,
    path: String,
    next: u64,
}

impl Writer {
    pub(super) fn new(tree: Tree, path: &str) -> Self {
        Self { tree, path: path.to_owned(), next: 0 }
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            self.tree.write_at(&self.path, self.next, bytes).map_err(|error| io_error(&error))?;
            self.next += bytes.len() as u64;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn io_error(error: &Error) -> io::Error {
    io::Error::other(error.message().to_owned())
}
