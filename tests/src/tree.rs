//! What is in a folder.
//!
//! SQLite keeps a `-shm` and an empty `-wal` beside a database in WAL mode that was opened for reading only.
//! They hold nothing, and are left out.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use godwit_model::Digest;

/// Every path below a folder with its kind, mode, and content as a digest.
pub fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    walk(folder, "", &mut found);
    found
}

fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a folder that is listed can be listed to its end").path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().display());
        if is_side_file(&path) {
            continue;
        }
        found.insert(name.clone(), describe(&path));
        if path.is_dir() && !path.is_symlink() {
            walk(&path, &format!("{name}/"), found);
        }
    }
}

fn is_side_file(path: &Path) -> bool {
    let named = |suffix| path.to_string_lossy().ends_with(suffix);
    named("-shm") || (named("-wal") && fs::metadata(path).is_ok_and(|about| about.len() == 0))
}

fn describe(path: &Path) -> String {
    let read = || {
        let about = fs::symlink_metadata(path)?;
        let what = match about.file_type() {
            kind if kind.is_symlink() => format!("link to {}", fs::read_link(path)?.display()),
            kind if kind.is_dir() => "folder".to_owned(),
            kind if kind.is_file() => format!("file {}", Digest::of(&fs::read(path)?)),
            _ => "something else".to_owned(),
        };
        Ok::<_, std::io::Error>(format!("{:o} {what}", about.mode() & 0o7777))
    };
    read().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
