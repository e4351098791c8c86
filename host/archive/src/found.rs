//! What is at a path, for good messages before anything is opened.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use godwit_model::Fault;

use crate::error::{ArchiveError, failed};
use crate::{layout, store};

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// What claims to be an archive; opening it tells whether it is.
    Archive,
    /// What a run left that was cut off, or writes at this moment.
    Partial,
    /// Nothing.
    Nothing,
    /// Something else.
    Other,
}

/// Tells what is at a path.
///
/// # Errors
/// The file system failed.
pub fn look(path: &Path) -> Result<Found, Fault> {
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => look_inside(path),
        Ok(about) if about.is_file() && store::looks_like_tar(path)? => Ok(Found::Archive),
        Ok(_) => Ok(Found::Other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(if partial_of(path).is_dir() { Found::Partial } else { Found::Nothing })
        }
        Err(error) => Err(failed("examine", path)(error)),
    }
}

fn look_inside(path: &Path) -> Result<Found, Fault> {
    Ok(match exists(&path.join(layout::MANIFEST))? {
        true => Found::Archive,
        false if is_left_over(path)? => Found::Partial,
        false => Found::Other,
    })
}

/// `<name>.partial`, where a run builds `<name>`.
pub(crate) fn partial_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// Whether something has this name; a dangling link does.
pub(crate) fn exists(path: &Path) -> Result<bool, Fault> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed("examine", path)(error)),
    }
}

/// Folder and file in which a tar file is made ready inside its `.partial`.
pub(crate) const TREE: &str = "tree";
pub(crate) const PACKED: &str = "packed.tar";

/// Whether a directory holds nothing but what a run that was cut off can have left.
pub(crate) fn is_left_over(path: &Path) -> Result<bool, Fault> {
    use layout::{CATALOG, FILES, MANIFEST, MODULES, RECORDS, SUMS, VERSION};
    let known = [VERSION, CATALOG, RECORDS, FILES, MODULES, SUMS, MANIFEST, TREE, PACKED];
    let (mut all_known, mut any) = (true, false);
    for entry in fs::read_dir(path).map_err(failed("list", path))? {
        let name = entry.map_err(failed("list", path))?.file_name();
        any = true;
        all_known &= known.iter().any(|known| name == *known);
    }
    let is_named_so = path.extension().is_some_and(|extension| extension == "partial");
    Ok(all_known && (any || is_named_so))
}

/// The error for what is no archive.
pub(crate) fn complain(path: &Path, found: Found) -> ArchiveError {
    match found {
        Found::Partial => ArchiveError::Unfinished(path.to_owned()),
        Found::Nothing => ArchiveError::Nothing(path.to_owned()),
        Found::Archive | Found::Other => ArchiveError::NoArchive(path.to_owned()),
    }
}
