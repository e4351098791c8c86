//! What a module may use up.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Linear memory of one instance, in bytes.
pub const MEMORY_BYTES: usize = 256 << 20;

/// Time for one call of the module.
pub const CALL_TIME: Duration = Duration::from_secs(30);

/// JSON lines that one call may return, in bytes.
pub const OUTPUT_BYTES: usize = 64 << 20;

/// The wasm stack of one instance, in bytes.
pub const STACK_BYTES: usize = 1 << 20;

/// Elements of all tables of one instance.
pub const TABLE_ELEMENTS: usize = 1 << 20;

/// Core instances, memories and tables inside one component instance.
pub const CORE_ITEMS: usize = 64;

/// Log lines kept from one call.
pub const LOG_LINES: usize = 1_000;

/// Bytes kept of one log line or failure message.
pub const TEXT_BYTES: usize = 4 << 10;

/// Bytes that one call may hand the host beside records: what they are counted in, names, a failure.
pub(crate) const HANDED_BYTES_MORE: usize = 16 << 20;

/// Rows that one query may give.
pub const ROWS: u64 = 10_000_000;

/// Rows handed over at once.
pub const ROWS_AT_ONCE: u32 = 10_000;

/// Connections, cursors and trees that one instance may hold open.
pub const HANDLES: usize = 1_000;

/// Bytes of the private database of a module.
pub const SCRATCH_BYTES: u64 = 256 << 20;

/// Bytes of a file handed over at once.
pub const FILE_PIECE_BYTES: u32 = 1 << 20;

/// A module's manifest, in bytes.
pub const MANIFEST_BYTES: usize = 1 << 20;

/// Collections, and objects, of one database in the catalog that a module makes.
pub const CATALOG_ITEMS: usize = 20_000;

/// Columns of one collection that a module makes, and as many in all its keys.
pub const COLUMNS: usize = 4_096;

/// How often running code looks whether its time is over.
pub(crate) const TICK: Duration = Duration::from_millis(20);

/// The limits that an operator may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// See [`MEMORY_BYTES`].
    pub memory_bytes: usize,
    /// See [`CALL_TIME`].
    pub call_time: Duration,
    /// See [`OUTPUT_BYTES`].
    pub output_bytes: usize,
    /// See [`ROWS`].
    pub rows: u64,
    /// See [`SCRATCH_BYTES`].
    pub scratch_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: MEMORY_BYTES,
            call_time: CALL_TIME,
            output_bytes: OUTPUT_BYTES,
            rows: ROWS,
            scratch_bytes: SCRATCH_BYTES,
        }
    }
}
