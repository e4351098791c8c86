//! The records that a call returns: one buffer of JSON lines a collection.

mod lines;

use serde::Serialize;

use crate::bindings::Chunk;
use crate::{Error, Result};

/// Buffers by collection; the first is that of the collection being transformed.
pub(crate) struct Output {
    chunks: Vec<(String, Vec<u8>)>,
}

impl Output {
    /// Room for a chunk about as large as the one that came in.
    pub(crate) fn of(collection: &str, capacity: usize) -> Self {
        Self { chunks: vec![(collection.to_owned(), Vec::with_capacity(capacity + capacity / 8))] }
    }

    pub(crate) fn nowhere() -> Self {
        Self { chunks: Vec::new() }
    }

    /// The lines of the collection being transformed.
    pub(crate) fn own(&mut self) -> &mut Vec<u8> {
        &mut self.chunks.first_mut().expect("a chunk is being transformed, so its output was made").1
    }

    pub(crate) fn write<T: Serialize + ?Sized>(&mut self, collection: &str, record: &T) -> Result<()> {
        lines::write(self.buffer(collection), record)
            .map_err(|error| Error::new(format!("a record for {collection} cannot be written: {}", error.message())))
    }

    pub(crate) fn write_own<T: Serialize + ?Sized>(&mut self, record: &T) -> Result<()> {
        lines::write(self.own(), record)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.iter().all(|(_, records)| records.is_empty())
    }

    pub(crate) fn into_chunks(self) -> Vec<Chunk> {
        let filled = self.chunks.into_iter().filter(|(_, records)| !records.is_empty());
        filled.map(|(collection, records)| Chunk { collection, first: 0, records }).collect()
    }

    fn buffer(&mut self, collection: &str) -> &mut Vec<u8> {
        let known = self.chunks.iter().position(|(name, _)| name == collection);
        let at = known.unwrap_or_else(|| {
            self.chunks.push((collection.to_owned(), Vec::new()));
            self.chunks.len() - 1
        });
        &mut self.chunks[at].1
    }
}
