//! Putting a component in place.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::ToolchainError;

/// Writes a component where the file does not hold these bytes already; whether it wrote.
///
/// The file is replaced as a whole: who reads it meanwhile sees the old bytes or the new ones.
pub fn write_component(path: &Path, component: &[u8]) -> Result<bool, ToolchainError> {
    if fs::read(path).is_ok_and(|present| present == component) {
        return Ok(false);
    }
    let failed = |source| ToolchainError::File { doing: "write", path: path.to_owned(), source };
    let partial = partial_of(path);
    replace(path, &partial, component).map(|()| true).map_err(|error| {
        // Best effort: the error that counts is the first one.
        let _removed = fs::remove_file(&partial);
        failed(error)
    })
}

fn replace(path: &Path, partial: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = File::create_new(partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(partial, path)
}

/// A name that no other writer uses, of this process or of another.
fn partial_of(path: &Path) -> PathBuf {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{number}.partial", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_are_not_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/module.wasm");
        assert!(write_component(&path, b"one").unwrap());
        assert!(!write_component(&path, b"one").unwrap());
        assert!(write_component(&path, b"two").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing partial stays");
    }

    #[test]
    fn a_failed_write_names_the_file_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("module.wasm");
        fs::create_dir(&path).unwrap();
        let message = write_component(&path, b"one").unwrap_err().to_string();
        assert!(message.starts_with("cannot write") && message.contains("module.wasm"), "{message}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
