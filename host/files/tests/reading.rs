//! Live trees as a source.
#![allow(missing_docs)]

mod common;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};
use std::{mem, thread};

use common::*;
use godwit_files::{LiveTrees, TreeSpec, limits};
use godwit_model::{EntryKind, Fault, FaultClass, TreePath, TreeSource};

/// Larger than what is read into memory.
const LARGE: usize = (8 << 20) + (3 << 20);

#[test]
fn everything_is_there_in_order_with_its_attributes() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    fs::create_dir_all(at("b/empty")).unwrap();
    fs::write(at("b/x"), "content").unwrap();
    fs::write(at("b.txt"), "").unwrap();
    fs::write(at("Zebra"), "z").unwrap();
    symlink("/etc/passwd", at("link")).unwrap();
    symlink("nowhere\n%", at("b/dangling")).unwrap();
    chmod(&at("b/x"), 0o6751);
    chmod(&at("b/empty"), 0o1700);
    let modified = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
    File::open(at("b/x")).unwrap().set_modified(modified).unwrap();
    File::open(at("b.txt")).unwrap().set_modified(SystemTime::UNIX_EPOCH - Duration::new(1, 500_000_000)).unwrap();

    let listed = read(home.path());
    assert_eq!(paths(&listed), ["Zebra", "b", "b/dangling", "b/empty", "b/x", "b.txt", "link"]);
    let named = |name: &str| listed.iter().find(|(entry, _)| entry.path.as_str() == name).unwrap();
    let (x, content) = named("b/x");
    assert_eq!((x.mode, x.modified, content.as_slice()), (0o6751, 1_000_000_000_123_456_789, &b"content"[..]));
    assert_eq!(x.kind, EntryKind::File { size: 7 });
    assert_eq!(named("b.txt").0.modified, -1_500_000_000);
    assert_eq!((&named("b/empty").0.kind, named("b/empty").0.mode), (&EntryKind::Directory, 0o1700));
    assert_eq!(named("b/dangling").0.kind, EntryKind::Link { target: "nowhere%0A%25".to_owned() });
    assert_eq!((&named("link").0.kind, &named("link").1), (&EntryKind::Link { target: "/etc/passwd".into() }, &vec![]));
}

#[test]
fn odd_names_are_escaped_and_sorted_as_escaped() {
    let home = tempfile::tempdir().unwrap();
    for name in [&b"100%"[..], b"a\nb", b"\xff\xfe", "ä".as_bytes(), b" ", b"-rf", b"a\\b", b"..."] {
        fs::write(home.path().join(OsStr::from_bytes(name)), name).unwrap();
    }
    let listed = read(home.path());
    assert_eq!(paths(&listed), [" ", "%FF%FE", "-rf", "...", "100%25", "a%0Ab", "a\\b", "ä"]);
    assert_eq!(listed[1].1, b"\xff\xfe");
}

#[test]
fn ten_thousand_entries_come_in_order() {
    let home = tempfile::tempdir().unwrap();
    for i in 0..10_000 {
        let folder = home.path().join(format!("{:02}", i % 100));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{i:05}")), i.to_string()).unwrap();
    }
    let listed = read(home.path());
    assert_eq!(listed.len(), 10_100);
    let names = paths(&listed);
    assert!(names.is_sorted());
    assert_eq!((listed[1].0.path.as_str(), listed[1].1.as_slice()), ("00/00000", &b"0"[..]));
    assert_eq!(source(home.path(), &[], &[]).bytes_of(&tree()), 10 + 90 * 2 + 900 * 3 + 9000 * 4);
}

#[test]
fn globs_choose_and_parents_come_along() {
    let home = tempfile::tempdir().unwrap();
    for path in ["a/b/keep.conf", "a/b/other", "a/c/other", "cache/x", "top.conf", "top.log", "a/x.log"] {
        fs::create_dir_all(home.path().join(path).parent().unwrap()).unwrap();
        fs::write(home.path().join(path), path).unwrap();
    }
    let chosen = |include: &[&str], exclude: &[&str]| {
        let listed = list(&mut source(home.path(), include, exclude)).unwrap();
        paths(&listed).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(chosen(&["*.conf"], &[]), ["a", "a/b", "a/b/keep.conf", "top.conf"]);
    assert_eq!(chosen(&["/*.conf"], &[]), ["top.conf"]);
    assert_eq!(chosen(&["a"], &["*.log", "a/c"]), ["a", "a/b", "a/b/keep.conf", "a/b/other"]);
    assert_eq!(chosen(&[], &["a", "*.log", "cache/**"]), ["cache", "top.conf"]);
}

#[test]
fn a_glob_to_include_that_matches_nothing_is_a_warning() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("a"), "").unwrap();
    fs::hard_link(home.path().join("a"), home.path().join("b")).unwrap();
    let mut source = source(home.path(), &["a", "b", "uplaods"], &["*.log"]);
    assert_eq!(list(&mut source).unwrap().len(), 2);
    let warnings = source.warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("\"uplaods\""));
    assert!(warnings[1].contains("2 names are hard links"));
}

#[test]
fn fifos_and_sockets_are_refused_without_waiting() {
    let home = tempfile::tempdir().unwrap();
    let fifo = home.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RWXU).unwrap();
    let begun = Instant::now();
    let refused = list(&mut source(home.path(), &[], &[])).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(refused.class(), FaultClass::Usage);
    let text = refused.to_string();
    assert!(text.contains("pipe") && text.contains("FIFO") && text.contains("exclude it"), "{text}");

    fs::remove_file(fifo).unwrap();
    let _socket = UnixListener::bind(home.path().join("app.sock")).unwrap();
    let refused = list(&mut source(home.path(), &[], &[])).unwrap_err();
    assert!(refused.to_string().contains("socket"), "{refused}");
    assert!(list(&mut source(home.path(), &[], &["*.sock"])).unwrap().is_empty());
}

#[test]
fn what_may_not_be_read_is_an_error_that_names_it() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("secret"), "s").unwrap();
    chmod(&home.path().join("secret"), 0);
    let answer = list(&mut source(home.path(), &[], &[]));
    if is_root() {
        // Root reads anything.
        assert_eq!((answer.as_ref().unwrap()[0].0.mode, answer.unwrap()[0].1.as_slice()), (0, &b"s"[..]));
    } else {
        let fault = answer.unwrap_err();
        assert_eq!(fault.class(), FaultClass::System);
        assert!(fault.to_string().contains("secret"), "{fault}");
    }
}

#[test]
fn a_root_that_is_a_link_is_followed_and_one_that_is_missing_is_named() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("real")).unwrap();
    fs::write(home.path().join("real/x"), "").unwrap();
    symlink("real", home.path().join("current")).unwrap();
    assert_eq!(paths(&read(&home.path().join("current"))), ["x"]);

    let spec = TreeSpec::whole(home.path().join("missing"));
    let fault = LiveTrees::open([(tree(), spec)].into()).err().unwrap();
    assert_eq!(fault.class(), FaultClass::Usage);
    assert!(fault.to_string().contains("missing") && fault.to_string().contains("[files.data]"), "{fault}");
}

#[test]
fn a_link_in_the_place_of_a_folder_is_a_link() {
    let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(elsewhere.path().join("private"), "").unwrap();
    symlink(elsewhere.path(), home.path().join("folder")).unwrap();
    symlink(".", home.path().join("loop")).unwrap();
    assert_eq!(paths(&read(home.path())), ["folder", "loop"]);
}

/// Runs a writer on a thread of its own for as long as `read` takes.
fn while_writing<T>(mut write: impl FnMut() + Send, read: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                write();
            }
        });
        let answer = read();
        stop.store(true, Ordering::Relaxed);
        answer
    })
}

#[test]
fn a_file_appended_to_is_read_as_of_one_moment_or_named() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("app.log");
    let mut file = File::create(&log).unwrap();
    let mut line = 0_u64;
    let append = || {
        line += 1;
        file.write_all(&line.to_le_bytes()).unwrap();
    };
    let answers: Vec<_> = while_writing(append, || (0..50).map(|_| list(&mut source(home.path(), &[], &[]))).collect());
    let whole = fs::read(&log).unwrap();
    for answer in answers {
        match answer {
            Ok(listed) => {
                assert!(whole.starts_with(&listed[0].1));
                assert_eq!(listed[0].0.kind, EntryKind::File { size: listed[0].1.len() as u64 });
            }
            Err(fault) => assert!(fault.to_string().contains("app.log"), "{fault}"),
        }
    }
}

#[test]
fn a_file_written_over_in_place_never_comes_torn() {
    const LENGTH: usize = 1 << 20;
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("state"), vec![0; LENGTH]).unwrap();
    let file = File::options().write(true).open(home.path().join("state")).unwrap();
    let mut value = 0_u8;
    let overwrite = || {
        value = value.wrapping_add(1);
        file.write_all_at(&vec![value; LENGTH], 0).unwrap();
        thread::sleep(Duration::from_millis(u64::from(value % 4)));
    };
    let answers: Vec<_> =
        while_writing(overwrite, || (0..50).map(|_| list(&mut source(home.path(), &[], &[]))).collect());
    for listed in answers.into_iter().flatten() {
        let content = &listed[0].1;
        assert_eq!(content.len(), LENGTH);
        assert!(content.iter().all(|byte| *byte == content[0]), "torn");
    }
}

#[test]
fn a_file_written_over_for_a_while_is_read_again() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("state"), vec![0; 4 << 20]).unwrap();
    let file = File::options().write(true).open(home.path().join("state")).unwrap();
    let begun = Instant::now();
    let overwrite = || {
        if begun.elapsed() < Duration::from_millis(50) {
            file.write_all_at(&vec![1; 4 << 20], 0).unwrap();
        } else {
            thread::sleep(Duration::from_millis(1));
        }
    };
    let listed = while_writing(overwrite, || list(&mut source(home.path(), &[], &[]))).unwrap();
    assert!(listed[0].1.iter().all(|byte| *byte == listed[0].1[0]), "torn");
}

/// A file of the kernel's says that it is 0 bytes long and is not.
#[test]
fn a_file_that_never_holds_still_is_an_error_that_says_what_to_do() {
    let kernel = Path::new("/proc/sys/kernel");
    if !kernel.join("ostype").exists() {
        return;
    }
    let fault = list(&mut source(kernel, &["/ostype"], &[])).unwrap_err();
    assert_eq!(fault.class(), FaultClass::System);
    let text = fault.to_string();
    assert!(text.contains("ostype") && text.contains("5 times") && text.contains("exclude it"), "{text}");
}

#[test]
fn a_large_file_modified_just_now_comes_whole() {
    assert!(LARGE as u64 > limits::BUFFER_BYTES);
    let home = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..LARGE).map(|i| i.to_le_bytes()[1]).collect();
    fs::write(home.path().join("big"), &content).unwrap();
    assert!(read(home.path())[0].1 == content);
}

#[test]
fn a_large_file_at_rest_is_streamed_and_its_change_found() {
    let home = tempfile::tempdir().unwrap();
    let big = home.path().join("big");
    fs::write(&big, vec![7; LARGE]).unwrap();
    let rest = || File::options().write(true).open(&big).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    rest();
    assert!(read(home.path())[0].1 == vec![7; LARGE]);

    // In the midst of it: written over, cut short, and with its time put back.
    for change in [
        &(|| File::options().write(true).open(&big).unwrap().write_all(b"new").unwrap()) as &dyn Fn(),
        &|| File::options().write(true).open(&big).unwrap().set_len(LARGE as u64 - 1).unwrap(),
        &|| {
            File::options().write(true).open(&big).unwrap().write_all(b"new").unwrap();
            rest();
        },
    ] {
        fs::write(&big, vec![7; LARGE]).unwrap();
        rest();
        let mut visited = None;
        let answer = source(home.path(), &[], &[]).read_tree(&tree(), &mut |_, content| {
            content.read_exact(&mut [0; 1000]).unwrap();
            change();
            visited = Some(content.read_to_end(&mut vec![]).map_err(|error| error.to_string()));
            Ok(())
        });
        assert!(visited.unwrap().is_err(), "the reader itself reports it");
        assert!(answer.unwrap_err().to_string().contains("changed while it was read"));
    }
}

#[test]
fn a_change_is_to_blame_rather_than_the_visitor_who_missed_something() {
    let home = tempfile::tempdir().unwrap();
    let big = home.path().join("big");
    fs::write(&big, vec![7; LARGE]).unwrap();
    File::options().write(true).open(&big).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let answer = source(home.path(), &[], &[]).read_tree(&tree(), &mut |_, _| {
        fs::write(&big, "").unwrap();
        Err(Fault::damaged("too short"))
    });
    assert_eq!(answer.unwrap_err().class(), FaultClass::System);
}

#[test]
fn entries_that_come_and_go_are_no_error() {
    let home = tempfile::tempdir().unwrap();
    for i in 0..200 {
        fs::write(home.path().join(format!("stay-{i}")), "").unwrap();
    }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0.. {
                let folder = home.path().join(format!("go-{}", i % 7));
                fs::create_dir(&folder).unwrap();
                fs::write(folder.join("x"), "").unwrap();
                fs::remove_dir_all(&folder).unwrap();
                symlink("x", &folder).unwrap();
                fs::remove_file(&folder).unwrap();
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let answers: Vec<_> = (0..20).map(|_| list(&mut source(home.path(), &[], &[]))).collect();
        stop.store(true, Ordering::Relaxed);
        for answer in answers {
            let listed = answer.unwrap();
            assert_eq!(paths(&listed).iter().filter(|path| path.starts_with("stay-")).count(), 200);
        }
    });
}

#[test]
fn a_tree_that_is_too_deep_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let mut path = home.path().to_owned();
    (0..=limits::DEPTH_MAX).for_each(|_| path.push("d"));
    fs::create_dir_all(&path).unwrap();
    let fault = list(&mut source(home.path(), &[], &[])).unwrap_err();
    assert!(fault.to_string().contains("deep"), "{fault}");
    assert!(list(&mut source(home.path(), &[], &["/d/d/d/"])).is_ok());
}

#[test]
fn the_visitors_error_ends_the_reading() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("a"), "").unwrap();
    fs::write(home.path().join("b"), "").unwrap();
    let mut visits = 0;
    let answer = source(home.path(), &[], &[]).read_tree(&tree(), &mut |_, _| {
        visits += 1;
        Err(Fault::interrupted())
    });
    assert_eq!((answer.unwrap_err().class(), mem::take(&mut visits)), (FaultClass::Interrupted, 1));
}

/// What there is of one entry.
fn one(source: &mut LiveTrees, path: &str) -> Result<Listed, Fault> {
    let mut visited = vec![];
    let there = source.read_entry(&tree(), &TreePath::new(path).unwrap(), &mut |entry, content| {
        let mut bytes = vec![];
        content.read_to_end(&mut bytes).map_err(Fault::system)?;
        visited.push((entry.clone(), bytes));
        Ok(())
    })?;
    assert_eq!(visited.len(), usize::from(there), "{path}");
    Ok(visited)
}

#[test]
fn each_entry_by_itself_is_as_it_is_among_all() {
    let home = tempfile::tempdir().unwrap();
    for path in ["a/b/keep.conf", "a/b/other", "a/x.log", "b/deep/er/y", "100%", "c/z.log"] {
        fs::create_dir_all(home.path().join(path).parent().unwrap()).unwrap();
        fs::write(home.path().join(path), path).unwrap();
    }
    fs::write(home.path().join(OsStr::from_bytes(b"\xff")), "odd").unwrap();
    symlink("a/b", home.path().join("link")).unwrap();
    for (include, exclude) in
        [(&[][..], &[][..]), (&["*.conf", "er"], &[]), (&[], &["*.log", "b"]), (&["c"], &["*.log"])]
    {
        let mut source = source(home.path(), include, exclude);
        let all = list(&mut source).unwrap();
        for entry in &all {
            assert_eq!(one(&mut source, entry.0.path.as_str()).unwrap(), std::slice::from_ref(entry));
        }
        for path in paths(&read(home.path())).into_iter().filter(|path| !paths(&all).contains(path)) {
            assert!(one(&mut source, path).unwrap().is_empty(), "{path} is left out");
        }
    }
}

#[test]
fn what_is_no_entry_is_not_there() {
    let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(elsewhere.path().join("private"), "").unwrap();
    fs::write(home.path().join("file"), "").unwrap();
    symlink(elsewhere.path(), home.path().join("link")).unwrap();
    let mut source = source(home.path(), &[], &[]);
    let (long, deep) = ("a".repeat(300), ["d"; 400].join("/"));
    let hostile =
        ["missing", "missing/x", "file/x", "link/private", "%2E%2E/x", "%2e%2e", "%2Fetc", "%00", "a%", &long];
    for path in hostile.into_iter().chain([deep.as_str()]) {
        assert!(one(&mut source, path).unwrap().is_empty(), "{path}");
    }
}

#[test]
fn what_took_an_entrys_place_is_shown_as_what_it_is() {
    let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(elsewhere.path().join("x"), "private").unwrap();
    fs::create_dir(home.path().join("folder")).unwrap();
    fs::write(home.path().join("folder/x"), "ours").unwrap();
    let mut source = source(home.path(), &[], &[]);
    assert_eq!(one(&mut source, "folder/x").unwrap()[0].1, b"ours");

    fs::remove_file(home.path().join("folder/x")).unwrap();
    symlink(elsewhere.path().join("x"), home.path().join("folder/x")).unwrap();
    let shown = one(&mut source, "folder/x").unwrap();
    assert!(matches!(shown[0].0.kind, EntryKind::Link { .. }) && shown[0].1.is_empty());

    fs::remove_file(home.path().join("folder/x")).unwrap();
    let fifo = home.path().join("folder/x");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RWXU).unwrap();
    assert!(one(&mut source, "folder/x").unwrap_err().to_string().contains("FIFO"));

    fs::remove_dir_all(home.path().join("folder")).unwrap();
    symlink(elsewhere.path(), home.path().join("folder")).unwrap();
    assert!(one(&mut source, "folder/x").unwrap().is_empty());
}
