//! The chunk: consecutive records of one collection, the unit of everything.

use crate::{CollectionId, Digest, Fault, limits};

/// Consecutive records of one collection.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Whose records these are.
    pub collection: CollectionId,
    /// Position among the collection's chunks, from 0.
    pub sequence: u64,
    /// How many records it holds.
    pub records: u64,
    /// The records.
    pub body: Body,
}

/// Records in one of their two forms.
#[derive(Debug, Clone)]
pub enum Body {
    /// JSON lines.
    Lines(Vec<u8>),
    /// One zstd frame of JSON lines.
    Packed(Packed),
}

/// A zstd frame of JSON lines with what must hold of it.
#[derive(Debug, Clone)]
pub struct Packed {
    /// The frame.
    pub frame: Vec<u8>,
    /// Bytes of JSON lines inside.
    pub length: u64,
    /// Digest of the frame.
    pub digest: Digest,
}

impl Packed {
    /// Compresses JSON lines into a frame that carries its content size and a checksum.
    pub fn pack(lines: &[u8], level: i32) -> Result<Self, Fault> {
        let frame = zstd::bulk::Compressor::new(level)
            .and_then(|mut compressor| {
                compressor.include_checksum(true)?;
                compressor.compress(lines)
            })
            .map_err(Fault::system)?;
        Ok(Self { digest: Digest::of(&frame), length: lines.len() as u64, frame })
    }

    /// The JSON lines. The frame is taken as verified; its length is not trusted.
    pub fn unpack(&self) -> Result<Vec<u8>, Fault> {
        let length = usize::try_from(self.length).unwrap_or(usize::MAX);
        if length > limits::CHUNK_BYTES_MAX {
            return Err(Fault::damaged(format!(
                "a chunk of {length} bytes is over the limit of {} bytes",
                limits::CHUNK_BYTES_MAX
            )));
        }
        let lines = zstd::bulk::decompress(&self.frame, length)
            .map_err(|error| Fault::damaged(format!("a chunk cannot be decompressed: {error}")))?;
        match lines.len() == length {
            true => Ok(lines),
            false => Err(Fault::damaged(format!("a chunk holds {} bytes where {length} were promised", lines.len()))),
        }
    }
}

impl Body {
    /// JSON lines, decompressed where needed.
    pub fn into_lines(self) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Lines(lines) => Ok(lines),
            Self::Packed(packed) => packed.unpack(),
        }
    }

    /// A compressed frame, made where needed.
    pub fn into_packed(self, level: i32) -> Result<Packed, Fault> {
        match self {
            Self::Lines(lines) => Packed::pack(&lines, level),
            Self::Packed(packed) => Ok(packed),
        }
    }

    /// Bytes of JSON lines in it.
    pub fn length(&self) -> u64 {
        match self {
            Self::Lines(lines) => lines.len() as u64,
            Self::Packed(packed) => packed.length,
        }
    }
}
