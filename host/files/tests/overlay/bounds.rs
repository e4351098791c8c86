//! What is hostile: paths, numbers, amounts; and what fails on our side.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::time::SystemTime;

use godwit_files::{Spending, StepTrees, TreeLimits, limits};
use godwit_model::{Access, FaultClass, FileAccess, FileChange, FileFailure as F};

use crate::common::tree;
use crate::fixture::*;

#[test]
fn hostile_paths_are_keys_that_nothing_has() {
    let home = usual();
    fs::write(home.at("secret"), "secret").unwrap();
    let mut state = home.state();
    let before = see(&state);
    let (long, deep, huge) = ("a".repeat(256), vec!["d"; 10_000].join("/"), "x".repeat(10 << 20));
    for path in [
        "..",
        "../secret",
        "dir/../../secret",
        "/etc/passwd",
        "//",
        ".",
        "./app.conf",
        "dir//a",
        "dir/",
        "a\0b",
        "%2e%2e/secret",
        "%2E%2E/secret",
        "..%2Fsecret",
        "%",
        "a\nb",
        &long,
        &deep,
        &huge,
    ] {
        let shown = &path[..path.len().min(40)];
        assert_eq!(state.stat(path), Err(F::InvalidPath), "{shown:?}");
        assert_eq!(state.list(path), Err(F::InvalidPath), "{shown:?}");
        assert_eq!(state.read(path, 0, 1), Err(F::InvalidPath), "{shown:?}");
        for wish in [
            FileChange::Write { offset: 0, bytes: b"x" },
            FileChange::MakeDirectory,
            FileChange::Remove,
            FileChange::Rename("y"),
        ] {
            assert_eq!(change(&mut state, path, wish), Err(F::InvalidPath), "{shown:?}");
        }
        assert_eq!(change(&mut state, "app.conf", FileChange::Rename(path)), Err(F::InvalidPath), "{shown:?}");
    }
    assert_eq!(see(&state), before);
    for path in ["..\\secret", "․․", "．．", "‥∕secret", "a%25", "%FF%FE", "...", " "] {
        assert_eq!(state.stat(path), Err(F::NotFound), "{path:?}");
        write(&mut state, path, 0, path.as_bytes()).unwrap();
        assert_eq!(content(&state, path), path.as_bytes());
    }
    assert_eq!(home.materialise(&state).len(), 8 + 8);
    assert_eq!(fs::read_to_string(home.at("secret")).unwrap(), "secret");
}

#[test]
fn names_of_other_case_or_composition_are_other_names() {
    let home = home(|_| ());
    let mut state = home.state();
    for name in ["ä", "a\u{308}", "Ä", "ss", "ß"] {
        write(&mut state, name, 0, name.as_bytes()).unwrap();
    }
    assert_eq!(state.list("").unwrap().len(), 5);
    assert_eq!(content(&state, "a\u{308}"), "a\u{308}".as_bytes());
}

#[test]
fn a_rename_makes_no_path_that_cannot_be_written() {
    let home = home(|_| ());
    let mut state = home.state();
    let down = |depth: usize| vec!["d"; depth].join("/");
    for depth in 1..=limits::DEPTH_MAX {
        change(&mut state, &down(depth), FileChange::MakeDirectory).unwrap();
    }
    assert_eq!(change(&mut state, &down(257), FileChange::MakeDirectory), Err(F::InvalidPath));
    change(&mut state, "e", FileChange::MakeDirectory).unwrap();
    assert_eq!(change(&mut state, "d", FileChange::Rename("e/d")), Err(F::InvalidPath));
    let wide = "w".repeat(255);
    change(&mut state, "d", FileChange::Rename(&wide)).unwrap();
    assert_eq!(home.materialise(&state).len(), 257);

    let mut state = home.state();
    let mut path = wide.clone();
    for _ in 0..15 {
        change(&mut state, &path, FileChange::MakeDirectory).unwrap();
        path = format!("{path}/{wide}");
    }
    write(&mut state, &path, 0, b"x").unwrap();
    change(&mut state, "e", FileChange::MakeDirectory).unwrap();
    assert_eq!(change(&mut state, &wide, FileChange::Rename("e/w")), Ok(()));
    assert_eq!(change(&mut state, "e/w", FileChange::Rename(&wide)), Ok(()));
    assert_eq!(change(&mut state, &wide, FileChange::Rename(&format!("e/{wide}"))), Err(F::InvalidPath));
}

#[test]
fn hostile_numbers_meet_the_limit_and_not_the_disk() {
    let home = usual();
    let mut state = home.state();
    for offset in [1 << 40, u64::MAX, u64::MAX - 1, i64::MAX.unsigned_abs()] {
        assert_eq!(write(&mut state, "app.conf", offset, b"x"), Err(F::Limit), "{offset}");
        assert_eq!(write(&mut state, "new", offset, b"x"), Err(F::Limit), "{offset}");
        assert_eq!(change(&mut state, "app.conf", FileChange::Truncate(offset)), Err(F::Limit), "{offset}");
    }
    assert_eq!(state.stat("new"), Err(F::NotFound));
    assert_eq!(content(&state, "app.conf"), b"port = 80\n");
    change(&mut state, "app.conf", FileChange::Truncate(100 << 20)).unwrap();
    assert_eq!(state.read("app.conf", 1 << 20, u32::MAX).map(|bytes| bytes.len()), Ok(1 << 20));
    assert!(home.base.trouble().is_none());
}

#[test]
fn a_module_can_write_so_much_and_no_more() {
    let home = usual();
    let mut state = home.state();
    let spending = Spending::new(TreeLimits { files_written: 3, bytes_written: 30 });
    let mut change = |path: &str, change: FileChange<'_>| state.change(path, &change, &spending);
    let w = |offset, bytes| FileChange::Write { offset, bytes };
    assert_eq!(change("app.conf", w(10, b"12345")), Ok(()), "ten bytes kept, five new");
    assert_eq!(change("app.conf", w(0, b"12345")), Ok(()), "no copy by now");
    assert_eq!(change("made", FileChange::MakeDirectory), Ok(()));
    assert_eq!(change("made/x", w(6, b"12345")), Err(F::Limit), "six bytes of zeros and five");
    assert_eq!(change("made/x", w(5, b"12345")), Ok(()));
    assert_eq!(change("made/x", w(0, b"1")), Err(F::Limit));
    assert_eq!(change("made/y", w(0, b"")), Err(F::Limit), "a fourth file");
    assert_eq!(change("made/y", FileChange::MakeDirectory), Err(F::Limit));
    assert_eq!(change("dir/a", FileChange::Truncate(0)), Err(F::Limit));
    for path in ["made/x", "made", "app.conf"] {
        assert_eq!(change(path, FileChange::Remove), Ok(()));
    }
    assert_eq!(change("again", w(0, b"")), Err(F::Limit), "nothing is given back");
    assert_eq!(state.list("").unwrap(), ["dir", "empty", "etc", "to-a"]);
}

#[test]
fn clones_of_one_step_share_its_limits() {
    let home = usual();
    let trees = BTreeMap::from([(tree(), (home.state(), Access::ReadWrite))]);
    let mut one = StepTrees::new(trees, TreeLimits { files_written: 1, bytes_written: 10 });
    one.set_writable(true);
    let mut other = one.clone();
    assert_eq!(one.change("data", "x", FileChange::MakeDirectory), Ok(()));
    assert_eq!(other.change("data", "y", FileChange::MakeDirectory), Err(F::Limit));
    assert_eq!(other.stat("data", "x"), Err(F::NotFound));
}

#[test]
fn a_file_too_large_to_be_brought_in_is_over_the_limit() {
    let home = home(|live| {
        let file = File::create(live.join("big")).unwrap();
        file.set_len(limits::BROUGHT_IN_BYTES + 1).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    });
    let mut state = home.state();
    assert_eq!(state.read("big", 0, 1), Err(F::Limit));
    assert_eq!(write(&mut state, "big", 0, b"x"), Err(F::Limit));
    change(&mut state, "big", FileChange::Truncate(0)).unwrap();
    write(&mut state, "big", 0, b"small").unwrap();
    assert_eq!(content(&state, "big"), b"small");
}

#[test]
fn files_brought_in_make_room_for_others() {
    let count = limits::BROUGHT_IN_FILES + 50;
    let home = home(|live| (0..count).for_each(|i| fs::write(live.join(i.to_string()), i.to_string()).unwrap()));
    let state = home.state();
    for round in 0..2 {
        for i in (0..count).step_by(1 + round * 100) {
            assert_eq!(content(&state, &i.to_string()), i.to_string().as_bytes());
        }
        assert_eq!(fs::read_dir(home.scratch()).unwrap().count(), limits::BROUGHT_IN_FILES);
    }
}

#[test]
fn trouble_of_ours_is_io_to_the_module_and_a_reason_to_the_host() {
    let home = usual();
    let mut state = home.state();
    write(&mut state, "own", 0, b"x").unwrap();
    let scratch = home.scratch();
    fs::remove_dir_all(&scratch).unwrap();
    assert_eq!(write(&mut state, "new", 0, b"x"), Err(F::Io));
    assert_eq!(state.read("own", 0, 1), Err(F::Io));
    assert_eq!(state.read("app.conf", 0, 1), Err(F::Io));
    assert_eq!(state.stat("new"), Err(F::NotFound));
    let fault = state.trouble().unwrap();
    assert_eq!(fault.class(), FaultClass::System);
    let text = fault.to_string();
    assert!(text.contains(scratch.to_str().unwrap()) && text.contains("point TMPDIR at another"), "{text}");
    assert!(state.trouble().is_none(), "handed over once");
}

#[test]
fn a_full_disk_is_trouble_of_ours() {
    let folder = std::path::Path::new("/dev/full");
    if !folder.exists() {
        return;
    }
    let home = usual();
    let mut state = home.state();
    write(&mut state, "own", 0, b"x").unwrap();
    let own = fs::read_dir(home.scratch()).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(&own).unwrap();
    // Opened by name and without following links: only a device node of one's own would do.
    let made = rustix::fs::mknodat(
        rustix::fs::CWD,
        &own,
        rustix::fs::FileType::CharacterDevice,
        rustix::fs::Mode::RWXU,
        rustix::fs::makedev(1, 7),
    );
    if made.is_err() {
        return;
    }
    assert_eq!(write(&mut state, "own", 0, b"y"), Err(F::Io));
    let fault = state.trouble().unwrap();
    assert_eq!(fault.class(), FaultClass::System);
    assert!(fault.to_string().contains("has space"), "{fault}");
}
