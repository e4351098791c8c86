//! One entry of a tree, read by itself.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use godwit_archive::Archive;
use godwit_model::{Fault, FaultClass, TreePath, TreeSource};
use tempfile::tempdir;

use crate::fixture::*;

fn one(archive: &mut Archive, path: &str) -> Result<Entries, Fault> {
    let mut visited = vec![];
    let there = archive.read_entry(&tree(), &TreePath::new(path).unwrap(), &mut |entry, content| {
        let mut bytes = vec![];
        content.read_to_end(&mut bytes).map_err(Fault::system)?;
        visited.push((entry.clone(), bytes));
        Ok(())
    })?;
    assert_eq!(visited.len(), usize::from(there), "{path}");
    Ok(visited)
}

/// A fresh archive, changed after it was opened.
fn fault(path: &str, looked_before: bool, change: impl FnOnce(&Path)) -> Fault {
    let folder = tempdir().unwrap();
    let place = folder.path().join("a");
    write(&place);
    let mut archive = Archive::open(&place).unwrap();
    if looked_before {
        one(&mut archive, path).unwrap();
    }
    change(&place.join("files/config"));
    one(&mut archive, path).unwrap_err()
}

#[test]
fn each_entry_by_itself_is_as_it_is_among_all() {
    let folder = tempdir().unwrap();
    for name in ["a", "a.tar"] {
        let path = folder.path().join(name);
        write(&path);
        let mut archive = Archive::open(&path).unwrap();
        for entry in entries().into_iter().rev() {
            assert_eq!(one(&mut archive, entry.0.path.as_str()).unwrap(), std::slice::from_ref(&entry));
        }
        for path in ["missing", "dir/missing", "link/x", "noise/x", "content/noise", "NOISE", "%2E%2E"] {
            assert!(one(&mut archive, path).unwrap().is_empty(), "{path}");
        }
    }
}

#[test]
fn an_unknown_tree_is_named() {
    let folder = tempdir().unwrap();
    write(&folder.path().join("a"));
    let mut archive = Archive::open(folder.path().join("a")).unwrap();
    let fault = archive.read_entry(&"other".parse().unwrap(), &"x".parse().unwrap(), &mut |_, _| Ok(())).unwrap_err();
    assert!(fault.to_string().contains("holds no file tree other"), "{fault}");
}

#[test]
fn damage_to_an_entry_is_found() {
    for looked_before in [false, true] {
        for (path, file) in [("noise", "content/noise"), ("log", "content/log.zst")] {
            let flip = |tree: &Path| {
                let mut bytes = fs::read(tree.join(file)).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 4;
                fs::write(tree.join(file), bytes).unwrap();
            };
            let link = |tree: &Path| {
                fs::rename(tree.join(file), tree.join("aside")).unwrap();
                symlink(tree.join("aside"), tree.join(file)).unwrap();
            };
            let longer = |tree: &Path| {
                let bytes = fs::read(tree.join(file)).unwrap();
                fs::write(tree.join(file), [&bytes[..], b"more"].concat()).unwrap();
            };
            let remove = |tree: &Path| fs::remove_file(tree.join(file)).unwrap();
            let found = |change: &dyn Fn(&Path), expected: &str| {
                let fault = fault(path, looked_before, change);
                assert_eq!(fault.class(), FaultClass::Damaged, "{fault}");
                let text = fault.to_string();
                assert!(text.contains(file) && text.contains(expected), "{text}");
            };
            found(&flip, "");
            found(&link, "is a link");
            found(&longer, "were recorded");
            found(&remove, "is missing");
        }
    }
}

#[test]
fn what_the_visitor_leaves_unread_is_checked_all_the_same() {
    let folder = tempdir().unwrap();
    let mut archive = with_damaged_noise(folder.path());
    let read = archive.read_entry(&tree(), &"noise".parse().unwrap(), &mut |_, content| {
        content.read_exact(&mut [0; 10]).map_err(Fault::system)
    });
    assert_eq!(read.unwrap_err().class(), FaultClass::Damaged);
}

#[test]
fn an_index_is_taken_as_it_was_checked() {
    let rewrite = |tree: &Path| {
        let text = fs::read_to_string(tree.join("index.jsonl")).unwrap();
        fs::write(tree.join("index.jsonl"), text.replace("content/noise", "content/.env")).unwrap();
    };
    let found = fault("noise", false, rewrite);
    assert!(found.class() == FaultClass::Damaged && found.to_string().contains("index.jsonl"), "{found}");

    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    let mut archive = Archive::open(&path).unwrap();
    let before = one(&mut archive, "noise").unwrap();
    rewrite(&path.join("files/config"));
    assert_eq!(one(&mut archive, "noise").unwrap(), before);
}

#[test]
fn the_visitors_error_is_handed_on() {
    let folder = tempdir().unwrap();
    write(&folder.path().join("a"));
    let mut archive = Archive::open(folder.path().join("a")).unwrap();
    for path in ["noise", "dir", "link"] {
        let answer = archive.read_entry(&tree(), &path.parse().unwrap(), &mut |_, _| Err(Fault::interrupted()));
        assert_eq!(answer.unwrap_err().class(), FaultClass::Interrupted);
    }
}
