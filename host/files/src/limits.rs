//! Every limit on what a file tree may hand us.

use std::time::Duration;

/// Deepest nesting of directories; each level keeps one directory open.
pub const DEPTH_MAX: usize = 256;

/// Largest file, in bytes, that is read into memory whole, so that it can be read again when it
/// changes meanwhile.
pub const BUFFER_BYTES: u64 = 8 << 20;

/// A larger file not modified for this long is streamed as it is read; one modified since is first
/// copied to an unnamed file in the folder for temporary files.
pub const QUIET: Duration = Duration::from_mins(1);

/// How often a file that keeps changing is read before the run gives up.
pub const READS_MAX: u32 = 5;

/// File systems stamp times in steps of up to 10 ms: within this long after a modification, another
/// one may leave the same time.
pub const STAMP_STEP: Duration = Duration::from_millis(20);

/// Longest name of a file that a module may give, in bytes as the file system has it.
pub const FILE_NAME_BYTES_MAX: usize = 255;

/// Most bytes that a module gets in one read.
pub const READ_BYTES_MAX: u32 = 1 << 20;

/// Default for the files and directories that a module may make or change in one run.
pub const FILES_WRITTEN: u64 = 10_000;

/// Default for the bytes of content that a module may write in one run.
pub const BYTES_WRITTEN: u64 = 1 << 30;

/// Bytes of the source's files that are kept aside at one time for modules to read, and so the largest
/// file that a module can read.
pub const BROUGHT_IN_BYTES: u64 = 4 << 30;

/// How many of the source's files are kept aside at one time for modules to read.
pub const BROUGHT_IN_FILES: usize = 1_000;
