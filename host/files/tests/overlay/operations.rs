//! Each operation, what it does and why it may fail.

use std::collections::BTreeMap;
use std::fs;

use godwit_files::{StepTrees, TreeLimits};
use godwit_model::{Access, FileAccess, FileChange, FileFailure as F, FileKind, FileStat, TreeName};

use crate::common::{paths, tree};
use crate::fixture::*;

#[test]
fn a_tree_is_seen_as_it_is() {
    let home = usual();
    let state = home.state();
    assert_eq!(state.list("").unwrap(), ["app.conf", "dir", "empty", "etc", "to-a"]);
    assert_eq!(state.list("dir").unwrap(), ["a", "sub"]);
    assert!(state.list("empty").unwrap().is_empty());
    let file = FileStat { kind: FileKind::File, size: 10, mode: 0o644, modified: BEFORE };
    assert_eq!(state.stat("app.conf"), Ok(file));
    assert_eq!(state.stat("dir/a").map(|stat| stat.mode), Ok(0o6755));
    assert_eq!(state.stat("etc").map(|stat| (stat.kind, stat.size)), Ok((FileKind::Link, 0)));
    assert_eq!(state.stat("").map(|stat| (stat.kind, stat.modified)), Ok((FileKind::Directory, MOMENT)));
    assert_eq!(state.read("app.conf", 7, 100).unwrap(), b"80\n");
    assert_eq!(state.read("app.conf", 0, 4).unwrap(), b"port");
}

#[test]
fn what_cannot_be_read_says_why() {
    let home = usual();
    let state = home.state();
    for (path, list, stat, read) in [
        ("missing", F::NotFound, F::NotFound, F::NotFound),
        ("missing/x", F::NotFound, F::NotFound, F::NotFound),
        ("app.conf/x", F::NotADirectory, F::NotADirectory, F::NotADirectory),
        ("etc/passwd", F::NotADirectory, F::NotADirectory, F::NotADirectory),
        ("../live/app.conf", F::InvalidPath, F::InvalidPath, F::InvalidPath),
        ("App.conf", F::NotFound, F::NotFound, F::NotFound),
    ] {
        assert_eq!(state.list(path), Err(list), "{path}");
        assert_eq!(state.stat(path), Err(stat), "{path}");
        assert_eq!(state.read(path, 0, 1), Err(read), "{path}");
    }
    for path in ["app.conf", "etc", "to-a"] {
        assert_eq!(state.list(path), Err(F::NotADirectory), "{path}");
    }
    for path in ["", "dir", "etc", "to-a"] {
        assert_eq!(state.read(path, 0, 1), Err(F::NotAFile), "{path}");
    }
    for offset in [10, 11, u64::MAX] {
        assert_eq!(state.read("app.conf", offset, u32::MAX), Ok(vec![]));
    }
    assert_eq!(state.read("app.conf", 0, 0), Ok(vec![]));
}

#[test]
fn a_write_makes_overwrites_and_extends() {
    let home = usual();
    let mut state = home.state();
    write(&mut state, "app.conf", 7, b"8080").unwrap();
    assert_eq!(content(&state, "app.conf"), b"port = 8080");
    write(&mut state, "app.conf", 13, b"!").unwrap();
    assert_eq!(content(&state, "app.conf"), b"port = 8080\0\0!");
    write(&mut state, "dir/new", 0, b"n").unwrap();
    let made = FileStat { kind: FileKind::File, size: 1, mode: 0o644, modified: MOMENT };
    assert_eq!(state.stat("dir/new"), Ok(made));
    assert_eq!(state.stat("dir").map(|stat| stat.modified), Ok(MOMENT), "it has a new name in it");
    assert_eq!(state.stat("dir/sub").map(|stat| stat.modified), Ok(BEFORE));
    write(&mut state, "nothing", 1 << 50, b"").unwrap();
    assert_eq!(content(&state, "nothing"), b"");
    assert_eq!(fs::read_to_string(home.at("live/app.conf")).unwrap(), "port = 80\n");
    assert!(!home.at("live/nothing").exists());
}

#[test]
fn a_truncate_cuts_and_lengthens() {
    let home = usual();
    let mut state = home.state();
    change(&mut state, "app.conf", FileChange::Truncate(4)).unwrap();
    assert_eq!(content(&state, "app.conf"), b"port");
    change(&mut state, "app.conf", FileChange::Truncate(6)).unwrap();
    assert_eq!(content(&state, "app.conf"), b"port\0\0", "what was cut off does not come back");
    change(&mut state, "dir/sub/b", FileChange::Truncate(0)).unwrap();
    assert_eq!(state.stat("dir/sub/b").map(|stat| (stat.size, stat.modified)), Ok((0, MOMENT)));
    assert_eq!(change(&mut state, "missing", FileChange::Truncate(0)), Err(F::NotFound));
}

#[test]
fn a_mode_lends_no_rights() {
    let home = usual();
    let mut state = home.state();
    change(&mut state, "app.conf", FileChange::SetMode(0o600)).unwrap();
    assert_eq!(state.stat("app.conf").map(|stat| (stat.mode, stat.modified)), Ok((0o600, BEFORE)));
    for mode in [0o4755, 0o2755, 0o1777, 0o10_000, u32::MAX] {
        assert_eq!(change(&mut state, "app.conf", FileChange::SetMode(mode)), Err(F::Limit), "{mode:o}");
    }
    assert_eq!(change(&mut state, "etc", FileChange::SetMode(0o600)), Err(F::NotAFile));
    assert_eq!(state.stat("dir/a").map(|stat| stat.mode), Ok(0o6755));
    write(&mut state, "dir/a", 0, b"evil").unwrap();
    assert_eq!(state.stat("dir/a").map(|stat| stat.mode), Ok(0o755), "rights are not lent to what a module wrote");
}

#[test]
fn a_rename_moves_all_that_is_inside() {
    let home = usual();
    let mut state = home.state();
    change(&mut state, "dir", FileChange::Rename("empty/moved")).unwrap();
    assert_eq!(state.list("empty/moved").unwrap(), ["a", "sub"]);
    assert_eq!(content(&state, "empty/moved/sub/b"), b"bb");
    assert_eq!(state.stat("dir"), Err(F::NotFound));
    assert_eq!(state.stat("empty").map(|stat| stat.modified), Ok(MOMENT));
    assert_eq!(state.stat("empty/moved/a").map(|stat| (stat.mode, stat.modified)), Ok((0o6755, BEFORE)));
    change(&mut state, "to-a", FileChange::Rename("link")).unwrap();
    let result = home.materialise(&state);
    let expected = ["app.conf", "empty", "empty/moved", "empty/moved/a", "empty/moved/sub", "empty/moved/sub/b"];
    assert_eq!(paths(&result), [&expected[..], &["etc", "link"]].concat());
    assert_eq!(result[5].1, b"bb");
}

#[test]
fn what_cannot_be_changed_says_why_and_stays() {
    let home = usual();
    let mut state = home.state();
    let before = see(&state);
    let w = FileChange::Write { offset: 0, bytes: b"x" };
    for (path, wish, why) in [
        ("", w.clone(), F::InvalidPath),
        ("dir", w.clone(), F::NotAFile),
        ("to-a", w.clone(), F::NotAFile),
        ("etc/passwd", w.clone(), F::NotADirectory),
        ("app.conf/x", w.clone(), F::NotADirectory),
        ("missing/x", w.clone(), F::NotFound),
        ("", FileChange::Truncate(0), F::InvalidPath),
        ("dir", FileChange::Truncate(0), F::NotAFile),
        ("etc", FileChange::Truncate(0), F::NotAFile),
        ("", FileChange::SetMode(0), F::InvalidPath),
        ("missing", FileChange::SetMode(0), F::NotFound),
        ("", FileChange::MakeDirectory, F::InvalidPath),
        ("dir", FileChange::MakeDirectory, F::AlreadyExists),
        ("etc", FileChange::MakeDirectory, F::AlreadyExists),
        ("etc/x", FileChange::MakeDirectory, F::NotADirectory),
        ("missing/x", FileChange::MakeDirectory, F::NotFound),
        ("", FileChange::Rename("x"), F::InvalidPath),
        ("dir", FileChange::Rename(""), F::InvalidPath),
        ("dir", FileChange::Rename("dir/sub/x"), F::InvalidPath),
        ("dir", FileChange::Rename("dir"), F::AlreadyExists),
        ("dir", FileChange::Rename("empty"), F::AlreadyExists),
        ("dir", FileChange::Rename("app.conf"), F::AlreadyExists),
        ("dir", FileChange::Rename("etc/dir"), F::NotADirectory),
        ("dir", FileChange::Rename("missing/dir"), F::NotFound),
        ("dir", FileChange::Rename("../dir"), F::InvalidPath),
        ("missing", FileChange::Rename("x"), F::NotFound),
        ("", FileChange::Remove, F::InvalidPath),
        ("dir", FileChange::Remove, F::NotEmpty),
        ("missing", FileChange::Remove, F::NotFound),
        ("etc/hosts", FileChange::Remove, F::NotADirectory),
    ] {
        assert_eq!(change(&mut state, path, wish.clone()), Err(why), "{path:?} {wish:?}");
    }
    assert_eq!(see(&state), before);
    assert!(state.changes_since(&home.state()).is_empty());
}

#[test]
fn files_links_and_empty_directories_are_removed() {
    let home = usual();
    let mut state = home.state();
    for path in ["dir/sub/b", "dir/sub", "etc", "to-a", "empty", "app.conf"] {
        change(&mut state, path, FileChange::Remove).unwrap();
    }
    assert_eq!(paths(&home.materialise(&state)), ["dir", "dir/a"]);
    write(&mut state, "etc", 0, b"a file now").unwrap();
    assert_eq!(content(&state, "etc"), b"a file now");
    assert!(home.at("live/etc").is_symlink());
}

#[test]
fn a_state_keeps_what_its_clone_changes() {
    let home = usual();
    let first = home.state();
    let mut second = first.clone();
    write(&mut second, "app.conf", 0, b"PORT").unwrap();
    write(&mut second, "own", 0, b"one").unwrap();
    let mut third = second.clone();
    write(&mut third, "own", 0, b"two").unwrap();
    write(&mut third, "app.conf", 4, b"!").unwrap();
    change(&mut third, "dir", FileChange::Rename("dir2")).unwrap();
    let mut fourth = third.clone();
    change(&mut fourth, "own", FileChange::Truncate(1)).unwrap();
    drop(third);
    write(&mut fourth, "own", 1, b"en").unwrap();
    assert_eq!(see(&first), see(&home.state()));
    assert_eq!((content(&second, "own"), content(&second, "app.conf")), (b"one".to_vec(), b"PORT = 80\n".to_vec()));
    assert_eq!(second.list("dir").unwrap(), ["a", "sub"]);
    assert_eq!((content(&fourth, "own"), content(&fourth, "app.conf")), (b"ten".to_vec(), b"PORT!= 80\n".to_vec()));
    drop((first, second, fourth));
    let left = fs::read_dir(home.scratch()).unwrap().count();
    assert_eq!(left, 3, "what no state holds is gone; three files were brought in to be looked at");
}

#[test]
fn a_module_has_what_it_was_granted_in_its_phase() {
    let home = usual();
    let other = TreeName::new("other").unwrap();
    let granted = |access| BTreeMap::from([(tree(), (home.state(), access))]);
    let w = || FileChange::Write { offset: 0, bytes: b"x" };

    let mut trees = StepTrees::new(granted(Access::ReadWrite), TreeLimits::default());
    assert_eq!(
        (trees.open("data"), trees.open("other"), trees.open("../data")),
        (Ok(()), Err(F::NotFound), Err(F::NotFound))
    );
    assert_eq!(trees.list(other.as_str(), ""), Err(F::NotFound));
    assert_eq!(trees.change("other", "x", w()), Err(F::NotFound));
    assert_eq!(trees.change("data", "x", w()), Err(F::ReadOnly));
    trees.set_writable(true);
    assert_eq!(trees.change("data", "x", w()), Ok(()));
    assert_eq!(trees.read("data", "x", 0, 9), Ok(b"x".to_vec()));
    trees.set_writable(false);
    for wish in [w(), FileChange::Truncate(0), FileChange::SetMode(0), FileChange::MakeDirectory, FileChange::Remove] {
        assert_eq!(trees.change("data", "x", wish), Err(F::ReadOnly));
    }
    assert_eq!(content(&trees.states()[&tree()], "x"), b"x");

    let mut trees = StepTrees::new(granted(Access::Read), TreeLimits::default());
    trees.set_writable(true);
    assert_eq!(trees.change("data", "x", w()), Err(F::ReadOnly));
    assert_eq!(trees.stat("data", "app.conf").map(|stat| stat.size), Ok(10));
    assert!(trees.trouble().is_none());
}
