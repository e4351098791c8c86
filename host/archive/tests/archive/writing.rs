//! An archive is there whole or not at all, and one run at a time writes it.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use godwit_archive::{Archive, ArchiveWriter, Found, look};
use godwit_model::{EntryKind, Fault, FaultClass, RecordTarget, Staged, TreeEntry, TreePath, TreeTarget};
use tempfile::tempdir;

use crate::fixture::*;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn nothing_has_the_name_before_commit_and_nothing_else_stays_after() {
    for name in ["a", "a.tar"] {
        let folder = tempdir().unwrap();
        let path = folder.path().join(name);
        let mut writer = start(&path);
        fill(&mut writer).unwrap();
        assert!(writer.commit().is_err());
        writer.prepare().unwrap();
        assert_eq!(look(&path).unwrap(), Found::Partial);
        let id = writer.id().unwrap();
        writer.commit().unwrap();
        assert_eq!(look(&path).unwrap(), Found::Archive);
        writer.settle().unwrap();
        drop(writer);
        assert_eq!(names(folder.path()), [name]);
        assert_eq!(Archive::open(&path).unwrap().id(), id);
    }
}

#[test]
fn a_writer_dropped_or_undone_leaves_nothing() {
    let steps: [fn(&mut ArchiveWriter); 4] = [
        |_| {},
        |writer| writer.prepare().unwrap(),
        |writer| writer.undo().unwrap(),
        |writer| {
            writer.prepare().unwrap();
            writer.commit().unwrap();
            writer.undo().unwrap();
        },
    ];
    for name in ["a", "a.tar"] {
        for step in steps {
            let folder = tempdir().unwrap();
            let mut writer = start(&folder.path().join(name));
            fill(&mut writer).unwrap();
            step(&mut writer);
            drop(writer);
            assert_eq!(names(folder.path()), [""; 0]);
        }
    }
}

#[test]
fn an_archive_committed_and_not_settled_stays() {
    for name in ["a", "a.tar"] {
        let folder = tempdir().unwrap();
        let path = folder.path().join(name);
        let mut writer = start(&path);
        fill(&mut writer).unwrap();
        writer.prepare().unwrap();
        writer.commit().unwrap();
        drop(writer);
        assert_eq!(names(folder.path()), [name]);
        verify_contents(&path).unwrap();
    }
}

fn refusal(path: &Path) -> Fault {
    ArchiveWriter::create(path, header(), options()).err().expect("it must be refused")
}

#[test]
fn an_existing_name_is_refused_at_the_start_and_at_the_end() {
    for name in ["a", "a.tar"] {
        let folder = tempdir().unwrap();
        let path = folder.path().join(name);
        let mut writer = start(&path);
        fill(&mut writer).unwrap();
        writer.prepare().unwrap();
        fs::write(&path, b"someone else's").unwrap();
        assert_eq!(writer.commit().unwrap_err().class(), FaultClass::Refused);
        drop(writer);
        assert_eq!(refusal(&path).class(), FaultClass::Refused);
        assert!(refusal(&path).to_string().contains("choose another name"));
        assert_eq!(names(folder.path()), [name]);
        assert_eq!(fs::read(&path).unwrap(), b"someone else's");
    }
}

#[test]
fn one_run_at_a_time() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    let mut writer = start(&path);
    fill(&mut writer).unwrap();
    assert_eq!(refusal(&path).class(), FaultClass::Locked);
    finish(&mut writer);
    verify_contents(&path).unwrap();
}

/// What a killed run leaves: everything but the lock, which the kernel took back.
fn leave_partial(path: &Path) {
    let mut writer = start(path);
    fill(&mut writer).unwrap();
    let partial = format!("{}.partial", path.display());
    let kept = format!("{}.kept", path.display());
    fs::rename(&partial, &kept).unwrap();
    drop(writer);
    fs::rename(&kept, &partial).unwrap();
    fs::write(format!("{partial}.lock"), b"").unwrap();
}

#[test]
fn what_a_dead_run_left_is_recognised_and_then_replaced() {
    for name in ["a", "a.tar"] {
        let folder = tempdir().unwrap();
        let path = folder.path().join(name);
        leave_partial(&path);
        for opened in [path.clone(), folder.path().join(format!("{name}.partial"))] {
            let fault = Archive::open(opened).err().expect("it is no archive yet");
            assert_eq!(fault.class(), FaultClass::Damaged);
            assert!(fault.to_string().contains("is an unfinished archive (no manifest.json)"), "{fault}");
        }
        write(&path);
        verify_contents(&path).unwrap();
        assert_eq!(names(folder.path()), [name]);
    }
}

const CHILD: &str = "GODWIT_ARCHIVE_TEST_WRITES";

/// Not a test of its own: the body of the process that the next test kills.
#[test]
#[ignore = "runs as a child of the test below"]
fn child_that_writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let mut writer = start(Path::new(&path));
    fill(&mut writer).unwrap();
    println!("ready");
    std::thread::sleep(std::time::Duration::from_mins(1));
}

#[test]
fn another_process_is_respected_while_it_lives_and_replaced_once_it_is_killed() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.tar");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writing::child_that_writes_until_it_is_killed", "--ignored", "--nocapture"])
        .env(CHILD, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(output.any(|line| line.unwrap().contains("ready")));
    assert_eq!(refusal(&path).class(), FaultClass::Locked);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(names(folder.path()), ["a.tar.partial", "a.tar.partial.lock"]);
    write(&path);
    verify_contents(&path).unwrap();
    assert_eq!(names(folder.path()), ["a.tar"]);
}

#[test]
fn what_only_has_the_name_of_a_partial_is_left_alone() {
    let folder = tempdir().unwrap();
    let partial = folder.path().join("a.partial");
    fs::create_dir(&partial).unwrap();
    fs::write(partial.join("thesis.txt"), b"years of work").unwrap();
    let fault = refusal(&folder.path().join("a"));
    assert_eq!(fault.class(), FaultClass::Refused);
    assert!(fault.to_string().contains("is in the way"), "{fault}");
    assert_eq!(names(&partial), ["thesis.txt"]);

    fs::rename(&partial, folder.path().join("b")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("b"), &partial).unwrap();
    assert_eq!(refusal(&folder.path().join("a")).class(), FaultClass::Refused);
    assert_eq!(names(&folder.path().join("b")), ["thesis.txt"]);
}

#[test]
fn names_that_cannot_be_and_places_that_are_not() {
    let folder = tempdir().unwrap();
    for name in ["..", "a.partial"] {
        assert_eq!(refusal(&folder.path().join(name)).class(), FaultClass::Usage, "{name}");
    }
    assert_eq!(refusal(&folder.path().join("missing/a")).class(), FaultClass::Usage);
    assert_eq!(Archive::open(folder.path().join("a")).err().unwrap().class(), FaultClass::Usage);
    assert_eq!(look(folder.path()).unwrap(), Found::Other);
    fs::write(folder.path().join("text"), b"hello").unwrap();
    assert!(Archive::open(folder.path().join("text")).err().unwrap().to_string().contains("is no archive"));
    write(&folder.path().join("a/"));
    verify(&folder.path().join("a")).unwrap();
}

#[test]
fn chunks_that_do_not_fit_are_refused() {
    let folder = tempdir().unwrap();
    let mut writer = start(&folder.path().join("a"));
    assert!(writer.write(chunk(0, b"{}\n".to_vec())).is_err());
    writer.begin(&catalog()).unwrap();
    assert!(writer.begin(&catalog()).is_err());
    let message = writer.write(chunk(1, b"{}\n".to_vec())).unwrap_err().to_string();
    assert_eq!(message, "chunk 1 of main.devices cannot be stored: chunk 0 comes next");
    let mut forged = godwit_model::Packed::pack(b"{}\n", 1).unwrap();
    forged.frame[5] ^= 1;
    let body = godwit_model::Body::Packed(forged);
    let fault = writer.write(godwit_model::Chunk { body, ..chunk(0, vec![]) }).unwrap_err();
    assert!(fault.to_string().contains("its digest is not that of its bytes"), "{fault}");
}

#[test]
fn a_lineage_without_its_modules_is_refused() {
    let folder = tempdir().unwrap();
    let mut writer = start(&folder.path().join("a"));
    let fault = writer.prepare().unwrap_err();
    assert!(fault.to_string().contains("module acme/inventory-1.1 of its lineage was not stored"), "{fault}");
}

fn announce(path: &str, size: u64) -> TreeEntry {
    TreeEntry { path: TreePath::new(path).unwrap(), kind: EntryKind::File { size }, mode: 0o600, modified: 0 }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error() {
    for (announced, given) in
        [(10, 9), (10, 11), (9000, 8999), (9000, 9001), (9000, 0), (0, 1), (1 << 20, (1 << 20) + 1)]
    {
        let folder = tempdir().unwrap();
        let mut writer = start(&folder.path().join("a"));
        writer.begin_tree(&tree()).unwrap();
        let fault =
            writer.write_entry(&tree(), &announce("x", announced), &mut io::repeat(b'x').take(given)).unwrap_err();
        assert!(fault.to_string().contains("it changed while it was read"), "{announced} {given}: {fault}");
    }
}

#[test]
fn entries_out_of_place_are_an_error() {
    let folder = tempdir().unwrap();
    let mut writer = start(&folder.path().join("a"));
    assert!(writer.write_entry(&tree(), &announce("x", 0), &mut io::empty()).is_err());
    writer.begin_tree(&tree()).unwrap();
    writer.write_entry(&tree(), &announce("x", 0), &mut io::empty()).unwrap();
    for path in ["x", "dir/x", "x/y"] {
        assert!(writer.write_entry(&tree(), &announce(path, 0), &mut io::empty()).is_err(), "{path}");
    }
}

#[test]
fn large_files_go_both_ways() {
    for name in ["a", "a.tar"] {
        let folder = tempdir().unwrap();
        let path = folder.path().join(name);
        let content: Vec<u8> = (0..3_000_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let mut writer = start(&path);
        writer.add_module(MODULE).unwrap();
        writer.begin_tree(&tree()).unwrap();
        writer.write_entry(&tree(), &announce("x", content.len() as u64), &mut content.as_slice()).unwrap();
        finish(&mut writer);
        assert!(verify_contents(&path).unwrap().bytes < content.len() as u64 / 2);
        assert!(read_all(&path).unwrap().1[0].1 == content);
    }
}
