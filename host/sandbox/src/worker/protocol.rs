//! What passes through the pipes: frames of a JSON head and a body of bytes.
//!
//! A frame is the head's length (4 bytes, little endian), the body's length (8 bytes), the head, the body. The
//! parent sends a [`Request`] and gets [`Reply`]s until one of them [ends](Reply::ends) the answer.

use std::io::{self, Read, Write};

use godwit_model::{CollectionId, CollectionName, Database, DatabaseName, ModuleManifest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::wishes::Wish;
use crate::{Limits, LogLine, Parameters, SandboxError};

/// Largest head: a catalog of very many collections.
pub(super) const HEAD_BYTES_MAX: usize = 256 << 20;

/// Bytes before the head.
pub(super) const PREFIX_BYTES: usize = 12;

/// What the parent asks.
#[derive(Serialize, Deserialize)]
pub(super) enum Request {
    /// First of all. The body is every module's code, one after the other.
    Start {
        /// The modules of the chain.
        steps: Vec<StepSetup>,
        /// What each may use up.
        limits: Limits,
    },
    /// What the first module makes of a catalog.
    Evolve(Database),
    /// New records for old. The body is JSON lines.
    Transform { collection: CollectionId, first: u64 },
    /// Every chunk was given.
    Finish,
    /// Check the result.
    Verify,
}

/// One module of the chain.
#[derive(Serialize, Deserialize)]
pub(super) struct StepSetup {
    pub(super) manifest: ModuleManifest,
    pub(super) parameters: Parameters,
    pub(super) database: DatabaseName,
    pub(super) code_bytes: usize,
}

/// What the worker answers.
#[derive(Serialize, Deserialize)]
pub(super) enum Reply {
    /// A module is called now: its time begins.
    Begin { step: usize, call: String, collection: Option<CollectionName>, first: Option<u64> },
    /// A module wrote to its log.
    Log { step: usize, line: LogLine },
    /// Records of a collection. The body is JSON lines.
    Flow(CollectionId),
    /// A module asks something of the parent, which answers with a frame of its own.
    Wish(Wish),
    /// The catalog as the module leaves it.
    Evolved(Database),
    /// All was answered.
    Done,
    /// Loaded and ready; what the worker could not give up.
    Ready { kept: Vec<String> },
    /// It cannot go on.
    Failed(SandboxError),
}

impl Reply {
    /// Whether nothing more comes after it.
    pub(super) fn ends(&self) -> bool {
        matches!(self, Self::Done | Self::Ready { .. } | Self::Failed(_))
    }
}

/// The lengths of head and body.
pub(super) fn lengths(prefix: [u8; PREFIX_BYTES]) -> (usize, usize) {
    let [a, b, c, d, body @ ..] = prefix;
    let head = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    (head, usize::try_from(u64::from_le_bytes(body)).unwrap_or(usize::MAX))
}

/// Prefix and head of a frame with a body of so many bytes.
pub(super) fn head(message: &impl Serialize, body: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; PREFIX_BYTES];
    serde_json::to_writer(&mut bytes, message)?;
    let head = u32::try_from(bytes.len() - PREFIX_BYTES).map_err(io::Error::other)?;
    bytes[..4].copy_from_slice(&head.to_le_bytes());
    bytes[4..PREFIX_BYTES].copy_from_slice(&(body as u64).to_le_bytes());
    Ok(bytes)
}

/// Writes a frame.
pub(super) fn write(out: &mut impl Write, message: &impl Serialize, body: &[u8]) -> io::Result<()> {
    out.write_all(&head(message, body.len())?)?;
    out.write_all(body)
}

/// Reads a frame from somebody trusted; none at the end.
pub(super) fn read<T: DeserializeOwned>(input: &mut impl Read) -> io::Result<Option<(T, Vec<u8>)>> {
    let mut prefix = [0; PREFIX_BYTES];
    if input.read(&mut prefix[..1])? == 0 {
        return Ok(None);
    }
    input.read_exact(&mut prefix[1..])?;
    let (head, body) = lengths(prefix);
    let mut bytes = vec![0; head];
    input.read_exact(&mut bytes)?;
    let message = serde_json::from_slice(&bytes)?;
    let mut bytes = vec![0; body];
    input.read_exact(&mut bytes)?;
    Ok(Some((message, bytes)))
}
