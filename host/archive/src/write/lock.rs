//! The lock beside an archive that is being written.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use godwit_model::Fault;
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use crate::error::{ArchiveError, failed};

/// Held as long as the archive is written. The kernel lets go of a dead run's lock; the file that it
/// leaves behind is taken over.
pub(crate) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock for writing `archive`.
    pub(crate) fn take(path: PathBuf, archive: &Path) -> Result<Self, Fault> {
        loop {
            let file = open(&path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) if is_still_there(&file, &path)? => return Ok(Self { path, _file: file }),
                // Its holder removed it between our opening and our locking.
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Err(ArchiveError::Busy(archive.to_owned()).into()),
                Err(error) => return Err(failed("lock", &path)(error)),
            }
        }
    }
}

fn open(path: &Path) -> Result<File, Fault> {
    let nofollow = OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600).custom_flags(nofollow);
    options.open(path).map_err(failed("create", path))
}

fn is_still_there(file: &File, path: &Path) -> Result<bool, Fault> {
    let ours = file.metadata().map_err(failed("examine", path))?;
    Ok(fs::symlink_metadata(path).is_ok_and(|named| (named.dev(), named.ino()) == (ours.dev(), ours.ino())))
}

impl Drop for Lock {
    /// Removed while still held, so that nobody else's lock is removed.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
