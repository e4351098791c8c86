//! What goes in comes out, by our own hands and by everyone's tools.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use godwit_archive::{Archive, Depth};
use godwit_model::{Digest, RecordSource, TreeSource};
use tempfile::tempdir;

use crate::fixture::*;

#[test]
fn everything_comes_back_from_both_forms() {
    let folder = tempdir().unwrap();
    for name in ["a", "a.tar"] {
        let path = folder.path().join(name);
        write(&path);
        assert_eq!(read_all(&path).unwrap(), (chunks(), entries()), "{name}");
        let verified = verify_contents(&path).unwrap();
        assert_eq!((verified.chunks, verified.records, verified.entries), (3, 6, entries().len() as u64));

        let archive = Archive::open(&path).unwrap();
        assert_eq!(archive.manifest().header, header());
        assert_eq!(*archive.catalog(), catalog());
        assert_eq!(archive.estimate(&devices()), Some(54));
        assert_eq!(archive.modules(), [Digest::of(MODULE)]);
        assert_eq!(archive.module(Digest::of(MODULE)).unwrap(), MODULE);
    }
}

#[test]
fn the_same_calls_make_the_same_bytes() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["a", "b", "a.tar", "b.tar"] {
        write(&path(name));
    }
    assert_eq!(files(&path("a")), files(&path("b")));
    assert_eq!(fs::read(path("a.tar")).unwrap(), fs::read(path("b.tar")).unwrap());
    assert_eq!(Archive::open(path("a")).unwrap().id(), Archive::open(path("a.tar")).unwrap().id());
}

#[test]
fn a_tar_unpacks_to_the_directory_and_a_directory_packs_to_a_tar() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write(&path("a"));
    write(&path("a.tar"));
    fs::create_dir(path("unpacked")).unwrap();
    tar::Archive::new(fs::File::open(path("a.tar")).unwrap()).unpack(path("unpacked")).unwrap();
    assert_eq!(files(&path("a")), files(&path("unpacked")));
    verify_contents(&path("unpacked")).unwrap();

    write_small(&path("small"));
    for (from, format) in [("a", "gnu"), ("small", "gnu"), ("small", "ustar")] {
        let packed = format!("{from}-{format}.tar");
        if tool(folder.path(), "tar", &["--format", format, "-cf", &packed, "-C", from, "."]).is_some() {
            assert_eq!(read_all(&path(&packed)).unwrap(), read_all(&path(from)).unwrap(), "{packed}");
            verify_contents(&path(&packed)).unwrap();
        }
    }
}

#[test]
fn tools_that_everyone_has_are_enough() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    tool(&path, "sha256sum", &["--check", "--strict", "SHA256SUMS"]);
    let files = ["records/main/devices/00000.jsonl.zst", "records/main/devices/00001.jsonl.zst"];
    if let Some(lines) = tool(&path, "zstdcat", &files) {
        assert_eq!(lines, chunks().concat());
    }
    if let Some(text) = tool(&path, "zstdcat", &["files/config/content/a b.txt.zst"]) {
        assert_eq!(text, b"compress me, ".repeat(400));
    }
    assert_eq!(fs::read(path.join("version")).unwrap(), b"1.1.0\n");
    assert_eq!(fs::read(path.join("records/main/%2E.%2Fno%20thing/index.jsonl")).unwrap(), b"");
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(path.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["trees"][0]["links"], 1);
}

#[test]
fn nobody_else_can_look_inside() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    write(&folder.path().join("a.tar"));
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join("records/main")), 0o700);
    assert_eq!(mode(&folder.path().join("a.tar")), 0o600);
    for file in files(&path).keys() {
        assert_eq!(mode(&path.join(file)), 0o600, "{}", file.display());
    }
}

#[test]
fn progress_ends_at_the_total_and_can_stop_the_work() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    for depth in [Depth::Digests, Depth::Contents] {
        let (mut last, mut total) = (0, 0);
        let verified = Archive::open(&path).unwrap().verify(depth, &mut |done, all| {
            assert!(done >= last);
            (last, total) = (done, all);
            Ok(())
        });
        assert_eq!((last, total), (verified.unwrap().bytes, last));
    }
    let stopped =
        Archive::open(&path).unwrap().verify(Depth::Digests, &mut |_, _| Err(godwit_model::Fault::interrupted()));
    assert_eq!(stopped.unwrap_err().class(), godwit_model::FaultClass::Interrupted);
}

#[test]
fn what_the_visitor_leaves_unread_is_checked_all_the_same() {
    let folder = tempdir().unwrap();
    let mut archive = with_damaged_noise(folder.path());
    let fault = archive.read_tree(&tree(), &mut |_, content| {
        std::io::Read::read(content, &mut [0; 10]).map_err(godwit_model::Fault::system)?;
        Ok(())
    });
    let message = fault.unwrap_err().to_string();
    assert!(message.contains("content/noise is damaged: its sha256"), "{message}");
}

#[test]
fn archives_are_both_ends_of_the_pipeline() {
    fn source<T: godwit_model::Source>() {}
    fn target<T: godwit_model::Target>() {}
    source::<Archive>();
    target::<godwit_archive::ArchiveWriter>();
}
