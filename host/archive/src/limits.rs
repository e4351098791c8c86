//! Limits of the archive's own, beside those of the model.

/// Largest `SHA256SUMS` and `index.jsonl`, in bytes: some five million files or chunks.
pub const LISTING_BYTES_MAX: u64 = 1 << 30;

/// Longest path inside an archive, in bytes, and so the longest name in a tar file.
pub const PATH_BYTES_MAX: usize = 8192;

/// Longest part of a path inside an archive, in bytes; longer names are cut and get a digest.
pub const SEGMENT_BYTES_MAX: usize = 200;

/// Longest path of a file's content below its tree, in bytes; longer paths are replaced by their digest.
pub const CONTENT_PATH_BYTES_MAX: usize = 1024;

/// Files of a tree up to so many bytes are stored as they are.
pub const RAW_FILE_BYTES: u64 = 4096;

/// How much of a file of a tree is tried when deciding whether compression makes it smaller.
pub const SAMPLE_BYTES: usize = 1 << 20;
