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
