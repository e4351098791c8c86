//! The sources that a state stands upon: live trees and archives, at rest and not.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use godwit_archive::{Archive, ArchiveWriter, Header, WriterOptions};
use godwit_files::{Base, OverlayTrees, ScratchFolder, TreeState};
use godwit_model::{
    Catalog, Fault, FaultClass, FileChange, FileFailure as F, RecordTarget, Staged, TreeName, TreePath, TreeSource,
    TreeTarget, Visit,
};

use crate::common::{self, Listed, directory, file, link, list_tree, paths, tree};
use crate::fixture::*;

fn entries() -> Listed {
    let mut big = file("dir/big", &b"compress me, ".repeat(1000));
    big.0.mode = 0o600;
    vec![file("app.conf", b"port = 80\n"), directory("dir"), big, link("dir/out", "/etc"), file("z", b"")]
}

fn archive(path: &Path, entries: &Listed) -> Archive {
    let header = Header::new("inventory", "1.1.0".parse().unwrap(), "2026-03-01T12:00:00Z");
    let mut writer = ArchiveWriter::create(path, header, WriterOptions::default()).unwrap();
    writer.begin(&Catalog::default()).unwrap();
    for name in [tree(), TreeName::new("other").unwrap()] {
        writer.begin_tree(&name).unwrap();
        for (entry, content) in entries {
            writer.write_entry(&name, entry, &mut content.as_slice()).unwrap();
        }
    }
    writer.prepare().unwrap();
    writer.commit().unwrap();
    writer.settle().unwrap();
    Archive::open(path).unwrap()
}

#[test]
fn an_archive_is_a_base_like_any_other() {
    for name in ["a", "a.tar"] {
        let folder = tempfile::tempdir().unwrap();
        let archive = archive(&folder.path().join(name), &entries());
        let base = Base::new(Box::new(archive), &ScratchFolder::open(folder.path()).unwrap(), MOMENT);
        let mut state = TreeState::of(&base, &tree()).unwrap();
        assert_eq!(state.read("dir/big", 13, 13).unwrap(), b"compress me, ");
        change(&mut state, "dir", FileChange::Rename("moved")).unwrap();
        change(&mut state, "moved/big", FileChange::SetMode(0o640)).unwrap();
        write(&mut state, "app.conf", 7, b"8080\n").unwrap();
        let mut result = OverlayTrees::new(base, BTreeMap::from([(tree(), state)]));
        let other = TreeName::new("other").unwrap();
        assert_eq!(result.trees(), [tree(), other.clone()]);
        assert_eq!(list_tree(&mut result, &other).unwrap(), entries());
        let changed = list_tree(&mut result, &tree()).unwrap();
        assert_eq!(paths(&changed), ["app.conf", "moved", "moved/big", "moved/out", "z"]);
        assert_eq!(changed[0].1, b"port = 8080\n");
        assert_eq!((changed[2].0.mode, changed[2].0.modified), (0o640, entries()[2].0.modified));
        assert_eq!(changed[2].1, entries()[2].1);
        assert_eq!(changed[3].0.kind, entries()[3].0.kind);
        let found = |result: &mut OverlayTrees, path: &str| {
            result.read_entry(&tree(), &TreePath::new(path).unwrap(), &mut |_, _| Ok(())).unwrap()
        };
        assert!(found(&mut result, "moved/big") && !found(&mut result, "dir/big"));
    }
}

#[test]
fn a_damaged_archive_is_trouble_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let archive = archive(&path, &entries());
    let base = Base::new(Box::new(archive), &ScratchFolder::open(folder.path()).unwrap(), MOMENT);
    let state = TreeState::of(&base, &tree()).unwrap();
    fs::write(path.join("files/data/content/app.conf"), "port = 81\n").unwrap();
    assert_eq!(state.read("app.conf", 0, 10), Err(F::Io));
    let fault = state.trouble().unwrap();
    assert_eq!(fault.class(), FaultClass::Damaged);
    assert!(fault.to_string().contains("content/app.conf is damaged"), "{fault}");
    assert_eq!(state.read("dir/big", 0, 8).unwrap(), b"compress");
}

#[test]
fn a_tree_that_nobody_changed_is_the_sources_own() {
    let home = usual();
    let mut source = OverlayTrees::new(home.base.clone(), BTreeMap::from([(tree(), home.state())]));
    assert_eq!(list_tree(&mut source, &tree()).unwrap(), common::read(&home.at("live")));
}

#[test]
fn the_order_is_that_of_the_parts() {
    let home = home(|live| {
        fs::create_dir(live.join("b")).unwrap();
        fs::write(live.join("b/x"), "").unwrap();
        fs::write(live.join("b.txt"), "").unwrap();
    });
    let mut state = home.state();
    write(&mut state, "b-", 0, b"").unwrap();
    assert_eq!(paths(&home.materialise(&state)), ["b", "b/x", "b-", "b.txt"]);
}

#[test]
fn what_is_no_longer_as_it_was_listed_is_trouble() {
    let make = |change: &dyn Fn(&Path)| {
        let home = usual();
        let mut state = home.state();
        change(&home.at("live"));
        assert_eq!(state.read("app.conf", 0, 100), Err(F::Io));
        let read = state.trouble().unwrap();
        write(&mut state, "other", 0, b"").unwrap();
        let mut source = OverlayTrees::new(home.base.clone(), BTreeMap::from([(tree(), state)]));
        let streamed = list_tree(&mut source, &tree()).unwrap_err();
        for fault in [read, streamed] {
            assert_eq!(fault.class(), FaultClass::System);
            let text = fault.to_string();
            assert!(text.contains("app.conf of the file tree data is no longer as it was listed"), "{text}");
        }
    };
    make(&|live| fs::remove_file(live.join("app.conf")).unwrap());
    make(&|live| fs::write(live.join("app.conf"), "port = 8").unwrap());
    make(&|live| fs::write(live.join("app.conf"), "port = 81\n").unwrap());
    make(&|live| {
        fs::remove_file(live.join("app.conf")).unwrap();
        symlink("/etc/passwd", live.join("app.conf")).unwrap();
    });
}

#[test]
fn a_directory_replaced_by_a_link_leads_nowhere() {
    let home = usual();
    let state = home.state();
    fs::rename(home.at("live/dir"), home.at("elsewhere")).unwrap();
    symlink(home.at("elsewhere"), home.at("live/dir")).unwrap();
    assert_eq!(state.read("dir/a", 0, 10), Err(F::Io));
    assert!(state.trouble().unwrap().to_string().contains("dir/a"));
}

/// A source that lists what it is told to.
struct Told(Listed);

impl TreeSource for Told {
    fn trees(&self) -> Vec<TreeName> {
        vec![tree()]
    }

    fn read_tree(&mut self, _: &TreeName, visit: Visit<'_>) -> Result<(), Fault> {
        self.0.iter().try_for_each(|(entry, content)| visit(entry, &mut content.as_slice()))
    }
}

#[test]
fn a_hundred_thousand_entries_are_no_trouble() {
    let names = (0..100_000).map(|i| file(&format!("{i:06}"), b""));
    let folder = tempfile::tempdir().unwrap();
    let base = Base::new(Box::new(Told(names.collect())), &ScratchFolder::open(folder.path()).unwrap(), MOMENT);
    let before = TreeState::of(&base, &tree()).unwrap();
    let mut state = before.clone();
    for i in 0..1000 {
        change(&mut state, &format!("{i:06}"), FileChange::Remove).unwrap();
    }
    assert_eq!(state.changes_since(&before).len(), 1000);
    assert_eq!(list_tree(&mut OverlayTrees::new(base, [(tree(), state)].into()), &tree()).unwrap().len(), 99_000);
}

#[test]
fn a_source_whose_entries_make_no_tree_is_refused() {
    let of = |entries: Listed| {
        let folder = tempfile::tempdir().unwrap();
        let base = Base::new(Box::new(Told(entries)), &ScratchFolder::open(folder.path()).unwrap(), MOMENT);
        TreeState::of(&base, &tree()).map(|state| state.read("x", 0, 10).map_err(|_| state.trouble().unwrap()))
    };
    for entries in [
        vec![file("a/b", b"")],
        vec![file("a", b""), file("a/b", b"")],
        vec![link("a", "/etc"), file("a/passwd", b"")],
        vec![file("a", b""), file("a", b"")],
    ] {
        assert_eq!(of(entries).err().unwrap().class(), FaultClass::Damaged);
    }
    for content in [&b"too long"[..], b"x"] {
        let mut lying = file("x", b"four");
        lying.1 = content.to_vec();
        let fault = of(vec![lying]).unwrap().unwrap_err();
        assert!(fault.to_string().contains("not the 4 bytes long"), "{fault}");
    }
}
