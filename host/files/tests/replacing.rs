//! Staged trees as a target.
#![allow(missing_docs)]

mod common;

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use common::*;
use godwit_files::{Replace, StagedTrees};
use godwit_model::{EntryKind, Fault, FaultClass, Staged, TreeName, TreeTarget};

/// A home with an old tree `data` that holds one file.
fn home_with_tree() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("data");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("old"), "old").unwrap();
    (home, root)
}

fn only_the_old_tree(home: &Path) {
    assert_eq!(names(home), [Path::new("data")]);
    assert_eq!(names(&home.join("data")), [Path::new("old")]);
    assert_eq!(fs::read(home.join("data/old")).unwrap(), b"old");
}

#[test]
fn what_was_read_comes_back_the_same() {
    let home = tempfile::tempdir().unwrap();
    let from = home.path().join("from");
    fs::create_dir_all(from.join("folder/empty")).unwrap();
    fs::write(from.join(OsStr::from_bytes(b"odd\xff\n%")), "odd").unwrap();
    fs::write(from.join("folder/file"), vec![3; 300_000]).unwrap();
    symlink("../..//etc/./passwd%", from.join("folder/link")).unwrap();
    symlink(OsStr::from_bytes(b"/\xff"), from.join("absolute")).unwrap();
    chmod(&from.join("folder/file"), 0o640);
    chmod(&from.join("folder/empty"), 0o3777);
    chmod(&from.join("folder"), 0o555);

    let (to, again) = (home.path().join("to"), read(&from));
    restore(&to, Replace::Never, &again).unwrap();
    assert_eq!(read(&to), again);
    assert_eq!(mode(&to), 0o755);
    assert_eq!(names(home.path()), [Path::new("from"), Path::new("to")]);
}

#[test]
fn ten_thousand_entries_come_back_the_same() {
    let home = tempfile::tempdir().unwrap();
    let mut entries = vec![];
    for folder in 0..100 {
        entries.push(directory(&format!("{folder:02}")));
        entries.extend((0..99).map(|i| file(&format!("{folder:02}/{i:02}"), format!("{i}").as_bytes())));
    }
    let root = home.path().join("data");
    restore(&root, Replace::Never, &entries).unwrap();
    assert!(read(&root) == entries);
}

#[test]
fn a_tree_that_is_not_empty_is_refused_at_once() {
    let (home, root) = home_with_tree();
    let fault = target(&root, Replace::Never).err().unwrap();
    assert_eq!(fault.class(), FaultClass::Refused);
    assert!(fault.to_string().contains("--empty"), "{fault}");
    only_the_old_tree(home.path());
}

#[test]
fn a_tree_that_fills_up_meanwhile_is_refused_at_commit() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("data");
    fs::create_dir(&root).unwrap();
    let mut target = target(&root, Replace::Never).unwrap();
    target.begin_tree(&tree()).unwrap();
    target.prepare().unwrap();
    fs::write(root.join("old"), "old").unwrap();
    assert_eq!(target.commit().unwrap_err().class(), FaultClass::Refused);
    only_the_old_tree(home.path());
}

#[test]
fn nothing_shows_before_commit_and_everything_after() {
    let (home, root) = home_with_tree();
    chmod(&root, 0o2750);
    let mut target = target(&root, Replace::Always).unwrap();
    only_the_old_tree(home.path());
    target.begin_tree(&tree()).unwrap();
    write(&mut target, &vec![file("new", b"new")]).unwrap();
    target.prepare().unwrap();
    assert_eq!(names(&root), [Path::new("old")]);
    target.commit().unwrap();
    assert_eq!(names(&root), [Path::new("new")]);
    assert_eq!(mode(&root), 0o2750, "the root keeps its mode");
    assert_eq!(names(home.path()), [Path::new(".data.godwit-old"), Path::new("data")]);
    target.settle().unwrap();
    drop(target);
    assert_eq!(names(home.path()), [Path::new("data")]);
}

#[test]
fn a_target_dropped_before_commit_leaves_no_trace() {
    let (home, root) = home_with_tree();
    for prepare in [false, true] {
        let mut target = target(&root, Replace::Always).unwrap();
        target.begin_tree(&tree()).unwrap();
        let sealed = (entry("sealed", EntryKind::Directory, 0o000), vec![]);
        write(&mut target, &vec![sealed, file("sealed/x", b"new")]).unwrap();
        if prepare {
            target.prepare().unwrap();
        }
        drop(target);
        only_the_old_tree(home.path());
    }
}

#[test]
fn undo_brings_the_former_tree_back() {
    let (home, root) = home_with_tree();
    let before = fs::metadata(&root).unwrap().ino();
    let mut target = target(&root, Replace::Always).unwrap();
    target.begin_tree(&tree()).unwrap();
    write(&mut target, &vec![file("new", b"new")]).unwrap();
    target.prepare().unwrap();
    target.commit().unwrap();
    target.undo().unwrap();
    only_the_old_tree(home.path());
    assert_eq!(fs::metadata(&root).unwrap().ino(), before);
    target.undo().unwrap();
    only_the_old_tree(home.path());
}

#[test]
fn undo_of_a_new_tree_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut target = target(&home.path().join("data"), Replace::Never).unwrap();
    target.begin_tree(&tree()).unwrap();
    target.prepare().unwrap();
    target.commit().unwrap();
    assert!(home.path().join("data").is_dir());
    target.undo().unwrap();
    assert!(names(home.path()).is_empty());
}

#[test]
fn when_one_tree_cannot_be_committed_none_is() {
    let (home, first) = home_with_tree();
    let second = home.path().join("second");
    let (a, b) = (TreeName::new("a").unwrap(), TreeName::new("b").unwrap());
    let places = [(a.clone(), first), (b.clone(), second.clone())].into();
    let mut target = StagedTrees::open(places, Replace::Always).unwrap();
    target.begin_tree(&a).unwrap();
    target.begin_tree(&b).unwrap();
    target.prepare().unwrap();
    fs::write(home.path().join(".second.godwit-old"), "").unwrap();
    assert_eq!(target.commit().unwrap_err().class(), FaultClass::Refused);
    fs::remove_file(home.path().join(".second.godwit-old")).unwrap();
    only_the_old_tree(home.path());
}

#[test]
fn only_trees_begun_are_replaced() {
    let (home, root) = home_with_tree();
    let mut target = target(&root, Replace::Always).unwrap();
    target.prepare().unwrap();
    target.commit().unwrap();
    target.settle().unwrap();
    only_the_old_tree(home.path());
}

#[test]
fn nothing_is_written_through_a_link() {
    let (home, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("victim"), "untouched").unwrap();
    let there = outside.path().to_str().unwrap();
    let attacks = [
        vec![link("a", there), file("a/b", b"evil")],
        vec![link("a", there), directory("a/b")],
        vec![link("a", there), link("a/b", "/")],
        vec![link("a", there), directory("a"), file("a/b", b"evil")],
        vec![link("a", &format!("{there}/victim")), file("a", b"evil")],
        vec![link("a", &format!("{there}/created")), file("a", b"evil")],
        vec![directory("d"), link("d/up", ".."), link("d/up/out", there), file("d/up/out/b", b"evil")],
        vec![directory("d"), file("d/x", b""), file("d/x/y", b"evil")],
        vec![file("nowhere/x", b"evil")],
        vec![file("twice", b"1"), file("twice", b"2")],
        vec![directory("%2E%2E")],
        vec![file("a%2Fb", b"evil")],
        vec![file("%61", b"evil")],
        vec![link("empty", "")],
        vec![link("nul", "a%00b")],
        vec![(entry("mode", EntryKind::Directory, 0o10_755), vec![])],
        vec![(entry("long", EntryKind::File { size: 1 }, 0o644), vec![1, 2])],
        vec![(entry("short", EntryKind::File { size: 3 }, 0o644), vec![1, 2])],
        vec![file(&vec!["d"; 300].join("/"), b"deep")],
    ];
    for attack in attacks {
        let fault = restore(&home.path().join("data"), Replace::Never, &attack).unwrap_err();
        assert_eq!(fault.class(), FaultClass::Damaged, "{fault} {attack:?}");
        assert!(fault.to_string().contains("cannot be written to the file tree"), "{fault}");
        assert!(names(home.path()).is_empty(), "{attack:?}");
        assert_eq!(names(outside.path()), [Path::new("victim")]);
        assert_eq!(fs::read(outside.path().join("victim")).unwrap(), b"untouched");
    }
}

#[test]
fn a_former_tree_with_links_is_removed_without_following_them() {
    let (home, root) = home_with_tree();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("victim"), "untouched").unwrap();
    symlink(outside.path(), root.join("link")).unwrap();
    fs::create_dir(root.join("sealed")).unwrap();
    fs::write(root.join("sealed/x"), "").unwrap();
    chmod(&root.join("sealed"), 0o000);
    restore(&root, Replace::Always, &vec![file("new", b"")]).unwrap();
    assert_eq!(names(home.path()), [Path::new("data")]);
    assert_eq!(names(outside.path()), [Path::new("victim")]);
}

#[test]
fn leavings_of_a_killed_run_are_replaced() {
    let (home, root) = home_with_tree();
    for left in [".data.godwit-new", ".data.godwit-gone"] {
        fs::create_dir_all(home.path().join(left).join("half")).unwrap();
        chmod(&home.path().join(left).join("half"), 0o000);
    }
    restore(&root, Replace::Always, &vec![file("new", b"")]).unwrap();
    assert_eq!(names(home.path()), [Path::new("data")]);
    assert_eq!(names(&root), [Path::new("new")]);
}

#[test]
fn the_former_state_of_a_run_cut_off_is_never_removed() {
    let (home, root) = home_with_tree();
    let mut cut_off = target(&root, Replace::Always).unwrap();
    cut_off.begin_tree(&tree()).unwrap();
    cut_off.prepare().unwrap();
    cut_off.commit().unwrap();
    drop(cut_off);
    let fault = target(&root, Replace::Always).err().unwrap();
    assert_eq!(fault.class(), FaultClass::Refused);
    assert!(fault.to_string().contains(".data.godwit-old"), "{fault}");
    assert_eq!(names(&home.path().join(".data.godwit-old")), [Path::new("old")]);
}

#[test]
fn two_runs_do_not_build_in_each_others_tree() {
    let (home, root) = home_with_tree();
    let mut one = target(&root, Replace::Always).unwrap();
    let mut other = target(&root, Replace::Always).unwrap();
    one.begin_tree(&tree()).unwrap();
    write(&mut one, &vec![file("new", b"new")]).unwrap();
    assert_eq!(other.begin_tree(&tree()).unwrap_err().class(), FaultClass::Locked);
    one.prepare().unwrap();
    assert_eq!(other.begin_tree(&tree()).unwrap_err().class(), FaultClass::Locked);
    drop(other);
    one.commit().unwrap();
    one.settle().unwrap();
    assert_eq!(names(&root), [Path::new("new")]);
    assert_eq!(names(home.path()), [Path::new("data")]);
}

#[test]
fn a_root_that_is_a_link_stays_one() {
    let (home, root) = home_with_tree();
    symlink("data", home.path().join("current")).unwrap();
    restore(&home.path().join("current"), Replace::Always, &vec![file("new", b"")]).unwrap();
    assert!(home.path().join("current").is_symlink());
    assert_eq!(names(&root), [Path::new("new")]);
}

#[test]
fn places_that_cannot_be_replaced_are_refused_at_once() {
    let (home, root) = home_with_tree();
    let class = |path: &Path| target(path, Replace::Always).err().unwrap().class();
    assert_eq!(class(&root.join("old")), FaultClass::Usage, "a file");
    assert_eq!(class(&home.path().join("no/where")), FaultClass::Usage, "no parent");
    assert_eq!(class(Path::new("/")), FaultClass::Usage);
    symlink("nowhere", home.path().join("dangling")).unwrap();
    assert_eq!(class(&home.path().join("dangling")), FaultClass::Usage);
    let (a, b) = (TreeName::new("a").unwrap(), TreeName::new("b").unwrap());
    let nested = [(a, root.clone()), (b, root.join("inner"))].into();
    assert_eq!(StagedTrees::open(nested, Replace::Always).err().unwrap().class(), FaultClass::Usage);
    if Path::new("/proc/self/mountinfo").exists() && is_root() {
        assert_eq!(class(Path::new("/proc")), FaultClass::Refused, "a mount point");
    }
}

#[test]
fn run_by_root_no_file_lends_rights_and_entries_belong_to_the_owner_of_the_tree() {
    let (_home, root) = home_with_tree();
    if is_root() {
        std::os::unix::fs::chown(&root, Some(1234), Some(2345)).unwrap();
    }
    let set_id = (entry("tool", EntryKind::File { size: 0 }, 0o6755), vec![]);
    let mut target = target(&root, Replace::Always).unwrap();
    target.begin_tree(&tree()).unwrap();
    write(&mut target, &vec![directory("d"), link("l", "x"), set_id]).unwrap();
    target.prepare().unwrap();
    let warned = target.warnings().iter().any(|warning| warning.contains("tool"));
    target.commit().unwrap();
    target.settle().unwrap();
    assert_eq!((mode(&root.join("tool")), warned), if is_root() { (0o755, true) } else { (0o6755, false) });
    for path in ["", "d", "l", "tool"].map(|name| root.join(name)) {
        let owner = fs::symlink_metadata(&path).unwrap();
        assert!(!is_root() || (owner.uid(), owner.gid()) == (1234, 2345), "{path:?}");
    }
}

#[test]
fn an_error_of_the_content_keeps_its_class() {
    struct Failing(Option<io::Error>);
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(self.0.take().unwrap())
        }
    }
    let home = tempfile::tempdir().unwrap();
    let mut target = target(&home.path().join("data"), Replace::Never).unwrap();
    target.begin_tree(&tree()).unwrap();
    let mut class = |name: &str, error: io::Error| {
        let entry = file(name, b"x").0;
        target.write_entry(&tree(), &entry, &mut Failing(Some(error))).unwrap_err().class()
    };
    assert_eq!(class("a", io::Error::other(Fault::interrupted())), FaultClass::Interrupted);
    assert_eq!(class("b", io::Error::new(io::ErrorKind::InvalidData, "flipped")), FaultClass::Damaged);
    assert_eq!(class("c", io::Error::other("disk")), FaultClass::System);
}

#[test]
fn steps_out_of_order_are_errors() {
    let home = tempfile::tempdir().unwrap();
    let mut target = target(&home.path().join("data"), Replace::Never).unwrap();
    assert!(write(&mut target, &vec![file("x", b"")]).is_err());
    target.begin_tree(&tree()).unwrap();
    assert!(target.begin_tree(&tree()).is_err());
    assert!(target.begin_tree(&TreeName::new("other").unwrap()).is_err());
    target.prepare().unwrap();
    assert!(write(&mut target, &vec![file("x", b"")]).is_err());
}
