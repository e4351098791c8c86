//! Reading collections: each chunk's frame as it is, its digest checked, its content not looked at.

use godwit_model::{Body, Catalog, Chunk, CollectionId, Emit, Fault, Packed, RecordSource};

use super::{Archive, same_digest};
use crate::error::{Damage, Reading};
use crate::index::{self, ChunkLine};
use crate::limits::LISTING_BYTES_MAX;
use crate::store::Stored;
use crate::{CollectionTotals, layout};

impl RecordSource for Archive {
    fn catalog(&self) -> &Catalog {
        self.catalog()
    }

    fn read(&mut self, collection: &CollectionId, emit: Emit<'_, Chunk>) -> Result<(), Fault> {
        let totals = self.collection_totals(collection)?;
        let chunks = self.explain(self.chunk_lines(totals))?;
        for file in record_files(&chunks) {
            let stored = self.explain(self.open_record_file(collection, file))?;
            for (sequence, line) in file {
                let packed = self.explain(read_frame(&stored, line))?;
                let (collection, records, body) = (collection.clone(), line.records, Body::Packed(packed));
                emit(Chunk { collection, sequence: *sequence, records, body })?;
            }
        }
        Ok(())
    }

    fn estimate(&self, collection: &CollectionId) -> Option<u64> {
        self.collection_totals(collection).ok().map(|totals| totals.bytes)
    }
}

/// A chunk's line with the chunk's number.
pub(super) type Numbered = (u64, ChunkLine);

/// The chunks file by file.
pub(super) fn record_files(chunks: &[Numbered]) -> impl Iterator<Item = &[Numbered]> {
    chunks.chunk_by(|(_, one), (_, next)| one.file == next.file)
}

impl Archive {
    /// A collection's index, checked: against its digest, in itself, and against the manifest.
    pub(super) fn chunk_lines(&self, totals: &CollectionTotals) -> Reading<Vec<Numbered>> {
        let path = layout::chunk_index(&totals.id);
        let text = self.read_listed(&path, LISTING_BYTES_MAX)?;
        let chunks = index::chunks(&text).map_err(|damage| damage.of(&path))?;
        check_totals(&chunks, totals).map_err(|damage| damage.of(&path))?;
        Ok((0..).zip(chunks).collect())
    }

    /// A record file, no longer and no shorter than its chunks.
    pub(super) fn open_record_file(&self, id: &CollectionId, chunks: &[Numbered]) -> Reading<Stored> {
        let (_, last) = chunks.last().expect("chunk_by gives no empty groups");
        let stored = self.store.open(&format!("{}/{}", layout::collection_folder(id), last.file))?;
        stored.expect_length(last.offset + last.length)?;
        Ok(stored)
    }
}

/// The frame of a chunk, its digest checked.
pub(super) fn read_frame(stored: &Stored, line: &ChunkLine) -> Reading<Packed> {
    let frame = stored.read_range(line.offset, line.length)?;
    same_digest(&stored.path, godwit_model::Digest::of(&frame), line.sha256)?;
    Ok(Packed { frame, length: line.bytes, digest: line.sha256 })
}

fn check_totals(chunks: &[ChunkLine], totals: &CollectionTotals) -> Result<(), Damage> {
    let sum = |of: fn(&ChunkLine) -> u64| chunks.iter().try_fold(0_u64, |sum, line| sum.checked_add(of(line)));
    let found = (chunks.len() as u64, sum(|line| line.records), sum(|line| line.bytes));
    if found == (totals.chunks, Some(totals.records), Some(totals.bytes)) {
        Ok(())
    } else {
        Err(Damage::Contradiction("its totals are not those in manifest.json".to_owned()))
    }
}
