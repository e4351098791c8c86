//! Every limit on what a module, an archive or a database may hand us.

/// Default size of a chunk: bytes of JSON lines after which the next record starts a new chunk.
pub const CHUNK_BYTES: usize = 1 << 20;

/// Largest chunk, and so the largest single record, in bytes of JSON lines.
pub const CHUNK_BYTES_MAX: usize = 256 << 20;

/// Bytes of compressed chunks after which the archive starts a new record file.
pub const RECORD_FILE_BYTES: u64 = 64 << 20;

/// Deepest nesting of arrays and objects in one record.
pub const JSON_DEPTH_MAX: usize = 128;

/// Longest name of a collection, column or object, in bytes.
pub const NAME_BYTES_MAX: usize = 512;

/// Longest path inside a file tree, in bytes.
pub const TREE_PATH_BYTES_MAX: usize = 4096;

/// Largest `manifest.json` and `catalog.json`, in bytes.
pub const METADATA_BYTES_MAX: u64 = 64 << 20;

/// Largest module, in bytes.
pub const MODULE_BYTES_MAX: u64 = 256 << 20;

/// Default zstd level for chunks and files.
pub const COMPRESSION_LEVEL: i32 = 3;
