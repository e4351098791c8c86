//! What the tests of this crate share.
#![allow(dead_code, missing_docs, unreachable_pub)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use godwit_files::{LiveTrees, Replace, StagedTrees, TreeSpec};
use godwit_model::{EntryKind, Fault, Staged, TreeEntry, TreeName, TreePath, TreeSource, TreeTarget};

pub type Listed = Vec<(TreeEntry, Vec<u8>)>;

pub fn tree() -> TreeName {
    TreeName::new("data").unwrap()
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub fn source(path: &Path, include: &[&str], exclude: &[&str]) -> LiveTrees {
    let owned = |globs: &[&str]| globs.iter().map(|&glob| glob.to_owned()).collect();
    let spec = TreeSpec { path: path.to_owned(), include: owned(include), exclude: owned(exclude) };
    LiveTrees::open(BTreeMap::from([(tree(), spec)])).unwrap()
}

pub fn list(source: &mut LiveTrees) -> Result<Listed, Fault> {
    list_tree(source, &tree())
}

pub fn list_tree(source: &mut dyn TreeSource, name: &TreeName) -> Result<Listed, Fault> {
    let mut listed = vec![];
    source.read_tree(name, &mut |entry, content| {
        let mut bytes = vec![];
        content.read_to_end(&mut bytes).map_err(Fault::system)?;
        listed.push((entry.clone(), bytes));
        Ok(())
    })?;
    Ok(listed)
}

pub fn read(path: &Path) -> Listed {
    list(&mut source(path, &[], &[])).unwrap()
}

pub fn paths(listed: &Listed) -> Vec<&str> {
    listed.iter().map(|(entry, _)| entry.path.as_str()).collect()
}

pub fn target(path: &Path, replace: Replace) -> Result<StagedTrees, Fault> {
    StagedTrees::open(BTreeMap::from([(tree(), path.to_owned())]), replace)
}

pub fn write(target: &mut StagedTrees, entries: &Listed) -> Result<(), Fault> {
    entries.iter().try_for_each(|(entry, bytes)| target.write_entry(&tree(), entry, &mut bytes.as_slice()))
}

pub fn restore(path: &Path, replace: Replace, entries: &Listed) -> Result<(), Fault> {
    let mut target = target(path, replace)?;
    target.begin_tree(&tree())?;
    write(&mut target, entries)?;
    target.prepare()?;
    target.commit()?;
    target.settle()
}

pub fn file(path: &str, content: &[u8]) -> (TreeEntry, Vec<u8>) {
    (entry(path, EntryKind::File { size: content.len() as u64 }, 0o644), content.to_vec())
}

pub fn directory(path: &str) -> (TreeEntry, Vec<u8>) {
    (entry(path, EntryKind::Directory, 0o755), vec![])
}

pub fn link(path: &str, target: &str) -> (TreeEntry, Vec<u8>) {
    (entry(path, EntryKind::Link { target: target.to_owned() }, 0o777), vec![])
}

pub fn entry(path: &str, kind: EntryKind, mode: u32) -> TreeEntry {
    TreeEntry { path: TreePath::new(path).unwrap(), kind, mode, modified: 1_234_567_890_123_456_789 }
}

pub fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

/// The names in a directory, sorted.
pub fn names(path: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into()).collect();
    names.sort();
    names
}
