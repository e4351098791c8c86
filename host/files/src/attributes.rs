//! What the system says of a file, in the model's units.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{FileType, Stat, Timespec, Timestamps, UTIME_OMIT};

const SECOND: i128 = 1_000_000_000;

/// The time that leaves a file's time as it is.
pub(crate) const UNCHANGED: Timespec = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };

/// Permission bits, 0o7777 at most.
pub(crate) fn mode(stat: &Stat) -> u32 {
    stat.st_mode & 0o7777
}

/// Modification time in nanoseconds since 1970.
pub(crate) fn modified(stat: &Stat) -> i128 {
    nanoseconds(stat.st_mtime, stat.st_mtime_nsec)
}

/// Bytes of content.
pub(crate) fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

pub(crate) fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// How long ago the file was modified; none where that is in the future.
pub(crate) fn age(stat: &Stat) -> Option<Duration> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let age = i128::try_from(now.as_nanos()).ok()? - modified(stat);
    u64::try_from(age).ok().map(Duration::from_nanos)
}

/// Equal before and after means: nobody wrote to the file in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    file: (u64, u64),
    size: u64,
    modified: i128,
    changed: i128,
}

impl Fingerprint {
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            file: (stat.st_dev, stat.st_ino),
            size: size(stat),
            modified: modified(stat),
            changed: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
        }
    }
}

/// This modification time for `utimensat`, access time left alone; none where the system cannot
/// hold it.
pub(crate) fn timestamps(modified: i128) -> Option<Timestamps> {
    let seconds = i64::try_from(modified.div_euclid(SECOND)).ok()?;
    let nanoseconds = modified.rem_euclid(SECOND).try_into().ok()?;
    Some(Timestamps { last_access: UNCHANGED, last_modification: Timespec { tv_sec: seconds, tv_nsec: nanoseconds } })
}

fn nanoseconds(seconds: impl Into<i128>, nanoseconds: impl Into<i128>) -> i128 {
    seconds.into() * SECOND + nanoseconds.into()
}
