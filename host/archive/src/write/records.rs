//! Writing one collection: chunk after chunk, file after file, and the index.

use godwit_model::limits::CHUNK_BYTES_MAX;
use godwit_model::{Chunk, CollectionId, Digest, Fault, Packed};

use super::WriterOptions;
use super::folder::{Folder, Growing};
use crate::CollectionTotals;
use crate::error::ArchiveError;
use crate::index::{self, ChunkLine};
use crate::layout;
use crate::limits::LISTING_BYTES_MAX;

/// See the file's top.
pub(crate) struct CollectionWriter {
    options: WriterOptions,
    index: Option<Growing>,
    file: Option<Growing>,
    files: u64,
    chunks: u64,
    records: u64,
    bytes: u64,
}

impl CollectionWriter {
    /// Starts the index; a collection without records has an empty one.
    pub(crate) fn begin(id: &CollectionId, options: WriterOptions, folder: &mut Folder) -> Result<Self, Fault> {
        let index = Some(folder.start(layout::chunk_index(id))?);
        Ok(Self { options, index, file: None, files: 0, chunks: 0, records: 0, bytes: 0 })
    }

    /// Stores the next chunk.
    pub(crate) fn write(&mut self, chunk: Chunk, folder: &mut Folder) -> Result<(), Fault> {
        self.check(&chunk)?;
        let Chunk { collection, sequence, records, body } = chunk;
        let packed = body.into_packed(self.options.level)?;
        if Digest::of(&packed.frame) != packed.digest {
            return Err(unfit(&collection, sequence, "its digest is not that of its bytes".to_owned()));
        }
        let line = self.store(&collection, records, &packed, folder)?;
        self.append_line(&collection, &line, folder)?;
        self.chunks += 1;
        self.records += records;
        self.bytes += packed.length;
        Ok(())
    }

    /// Makes everything durable and tells how much there is.
    pub(crate) fn finish(&mut self, id: &CollectionId, folder: &mut Folder) -> Result<CollectionTotals, Fault> {
        for growing in [self.file.take(), self.index.take()].into_iter().flatten() {
            growing.finish(folder)?;
        }
        Ok(CollectionTotals { id: id.clone(), chunks: self.chunks, records: self.records, bytes: self.bytes })
    }

    fn check(&self, chunk: &Chunk) -> Result<(), Fault> {
        let (id, sequence, length) = (&chunk.collection, chunk.sequence, chunk.body.length());
        match () {
            () if sequence != self.chunks => Err(unfit(id, sequence, format!("chunk {} comes next", self.chunks))),
            () if length > CHUNK_BYTES_MAX as u64 => {
                Err(unfit(id, sequence, format!("it has {length} bytes, the limit is {CHUNK_BYTES_MAX}")))
            }
            () if chunk.records > length => {
                Err(unfit(id, sequence, format!("{} records do not fit into {length} bytes", chunk.records)))
            }
            () => Ok(()),
        }
    }

    fn store(
        &mut self,
        id: &CollectionId,
        records: u64,
        packed: &Packed,
        folder: &mut Folder,
    ) -> Result<ChunkLine, Fault> {
        let length = packed.frame.len() as u64;
        self.make_room(id, length, folder)?;
        let file = self.file.as_mut().expect("make_room left a file open");
        let offset = file.length;
        file.append(&packed.frame, folder)?;
        let file = layout::record_file(self.files - 1);
        Ok(ChunkLine { file, offset, length, bytes: packed.length, records, sha256: packed.digest })
    }

    /// Turns to a new file where the frame does not fit into the present one.
    fn make_room(&mut self, id: &CollectionId, length: u64, folder: &mut Folder) -> Result<(), Fault> {
        let is_full = |file: &Growing| file.length > 0 && file.length + length > self.options.record_file_bytes;
        if self.file.as_ref().is_some_and(|file| !is_full(file)) {
            return Ok(());
        }
        if let Some(full) = self.file.take() {
            full.finish(folder)?;
        }
        let path = format!("{}/{}", layout::collection_folder(id), layout::record_file(self.files));
        self.file = Some(folder.start(path)?);
        self.files += 1;
        Ok(())
    }

    fn append_line(&mut self, id: &CollectionId, line: &ChunkLine, folder: &Folder) -> Result<(), Fault> {
        let index = self.index.as_mut().expect("chunks are written before finish only");
        let line = index::to_line(line);
        if index.length + line.len() as u64 > LISTING_BYTES_MAX {
            return Err(unfit(id, self.chunks, "the index would be over its limit; use larger chunks".to_owned()));
        }
        index.append(&line, folder)
    }
}

fn unfit(collection: &CollectionId, sequence: u64, problem: String) -> Fault {
    ArchiveError::Chunk { collection: collection.clone(), sequence, problem }.into()
}
