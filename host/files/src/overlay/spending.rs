//! How much a module may write.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use godwit_model::FileFailure;

use crate::limits;

/// What a module may write in one run, all its trees together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeLimits {
    /// Files and directories that it makes, and files of the source that it changes.
    pub files_written: u64,
    /// Bytes of content: those it writes, those that a gap reads as zeros, and all that is kept of a
    /// file of the source that it changes, for the host must copy that.
    pub bytes_written: u64,
}

impl Default for TreeLimits {
    fn default() -> Self {
        Self { files_written: limits::FILES_WRITTEN, bytes_written: limits::BYTES_WRITTEN }
    }
}

/// What a module has written so far; clones count together. What is removed is not given back, so that a
/// module that writes and removes in a loop comes to an end.
#[derive(Debug, Clone)]
pub struct Spending(Arc<Left>);

#[derive(Debug)]
struct Left {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Spending {
    /// Nothing yet.
    pub fn new(limits: TreeLimits) -> Self {
        let TreeLimits { files_written, bytes_written } = limits;
        Self(Arc::new(Left { files: files_written.into(), bytes: bytes_written.into() }))
    }

    /// Both or neither.
    pub(super) fn take(&self, files: u64, bytes: u64) -> Result<(), FileFailure> {
        take(&self.0.files, files)?;
        take(&self.0.bytes, bytes).inspect_err(|_| {
            self.0.files.fetch_add(files, Ordering::Relaxed);
        })
    }
}

fn take(left: &AtomicU64, count: u64) -> Result<(), FileFailure> {
    let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(count));
    taken.map(drop).map_err(|_| FileFailure::Limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_count_together_and_what_is_refused_is_not_taken() {
        let spending = Spending::new(TreeLimits { files_written: 2, bytes_written: 10 });
        assert_eq!(spending.clone().take(1, 7), Ok(()));
        assert_eq!(spending.take(1, 4), Err(FileFailure::Limit));
        assert_eq!(spending.take(0, u64::MAX), Err(FileFailure::Limit));
        assert_eq!(spending.take(1, 3), Ok(()));
        assert_eq!(spending.take(1, 0), Err(FileFailure::Limit));
    }
}
