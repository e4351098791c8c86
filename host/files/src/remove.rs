//! Removing a tree without following a link out of it.

use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, StatxAttributes, StatxFlags};
use rustix::io::Errno;

use crate::FilesError;
use crate::walk::{names, open_directory};

/// A path this deep was made to do harm.
const DEPTH_MAX: usize = 1_000;

/// Removes what has this name in an open directory, with all that is in it; nothing there is
/// fine. A directory that its owner may not write to is no obstacle; a file system mounted in
/// there is, and stays untouched.
///
/// # Errors
/// System: the file system refuses.
pub fn remove_tree(parent: &OwnedFd, name: &CStr, shown: &Path) -> Result<(), FilesError> {
    remove(parent, name, 0).map_err(FilesError::system("remove", shown))
}

fn remove(parent: &OwnedFd, name: &CStr, depth: usize) -> rustix::io::Result<()> {
    let removed = match is_directory(parent, name) {
        Ok(true) => remove_directory(parent, name, depth),
        Ok(false) => rustix::fs::unlinkat(parent, name, AtFlags::empty()),
        Err(error) => Err(error),
    };
    match removed {
        Err(Errno::NOENT) => Ok(()),
        removed => removed,
    }
}

fn is_directory(parent: &OwnedFd, name: &CStr) -> rustix::io::Result<bool> {
    let stat = rustix::fs::statx(parent, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE)?;
    if stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) {
        return Err(Errno::BUSY);
    }
    Ok(FileType::from_raw_mode(stat.stx_mode.into()) == FileType::Directory)
}

fn remove_directory(parent: &OwnedFd, name: &CStr, depth: usize) -> rustix::io::Result<()> {
    if depth > DEPTH_MAX {
        return Err(Errno::NAMETOOLONG);
    }
    let directory = match open_directory(parent, name) {
        Err(Errno::ACCESS) => {
            rustix::fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
            open_directory(parent, name)?
        }
        directory => directory?,
    };
    rustix::fs::fchmod(&directory, Mode::RWXU)?;
    for below in names(&directory)? {
        remove(&directory, &below, depth + 1)?;
    }
    rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)
}
