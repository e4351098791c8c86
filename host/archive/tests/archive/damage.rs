//! Damage anywhere is found, and its message names the file and says what to do.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use godwit_model::FaultClass;
use tempfile::tempdir;

use crate::fixture::*;

/// Tries two ways of changing each byte; each must be found.
fn flip_every_byte(archive: &Path, file: &Path) {
    let bytes = fs::read(file).unwrap();
    let open = fs::OpenOptions::new().write(true).open(file).unwrap();
    for (at, &byte) in bytes.iter().enumerate() {
        for mask in [1 << (at % 8), 0xff] {
            open.write_all_at(&[byte ^ mask], at as u64).unwrap();
            let fault = verify(archive).expect_err(&format!("{} byte {at} ^ {mask:#x}", file.display()));
            let class = fault.class();
            assert!(matches!(class, FaultClass::Damaged), "{} byte {at}: {class:?} {fault}", file.display());
        }
        open.write_all_at(&[byte], at as u64).unwrap();
    }
    verify(archive).unwrap();
}

#[test]
fn every_flipped_byte_of_a_directory_is_found() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write_small(&path);
    for file in files(&path).keys() {
        flip_every_byte(&path, &path.join(file));
    }
}

#[test]
fn every_flipped_byte_of_a_tar_is_found() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.tar");
    write_small(&path);
    flip_every_byte(&path, &path);
}

#[test]
fn a_tar_cut_off_anywhere_is_found() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.tar");
    write_small(&path);
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    for length in (0..file.metadata().unwrap().len()).rev() {
        file.set_len(length).unwrap();
        let fault = verify(&path).expect_err(&format!("cut to {length} bytes"));
        assert_eq!(fault.class(), FaultClass::Damaged, "cut to {length}: {fault}");
    }
    assert!(fault_of(&path).contains("no archive"));
}

#[test]
fn reading_finds_what_is_wrong_with_the_part_it_reads() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    for (file, bytes) in files(&path) {
        let place = path.join(&file);
        if bytes.is_empty() {
            continue;
        }
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 4;
        fs::write(&place, flipped).unwrap();
        let fault = read_all(&path).expect_err(&file.display().to_string());
        let message = fault.to_string();
        assert!(message.contains(file.to_str().unwrap()), "{}: {message}", file.display());
        assert!(message.ends_with("restore the archive from another copy"), "{message}");
        fs::write(&place, bytes).unwrap();
    }
    read_all(&path).unwrap();
}

#[test]
fn a_missing_file_is_found() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    for (file, bytes) in files(&path) {
        fs::remove_file(path.join(&file)).unwrap();
        let message = verify(&path).unwrap_err().to_string();
        let expected = match file.to_str().unwrap() {
            "manifest.json" => "is an unfinished archive".to_owned(),
            name => format!("{name} is missing; restore"),
        };
        assert!(message.contains(&expected), "{message}");
        fs::write(path.join(&file), bytes).unwrap();
    }
}

#[test]
fn an_extra_file_is_found() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    for extra in ["notes.txt", "records/main/devices/00002.jsonl.zst", "modules/x"] {
        fs::write(path.join(extra), b"").unwrap();
        assert!(fault_of(&path).contains(&format!("{extra} does not belong to the archive")));
        fs::remove_file(path.join(extra)).unwrap();
    }
}

#[test]
fn swapped_and_truncated_files_are_found() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    let place = |name: &str| path.join("records/main/devices").join(name);
    let (one, two) = (place("00000.jsonl.zst"), place("00001.jsonl.zst"));
    let aside = folder.path().join("aside");
    for (from, to) in [(&one, &aside), (&two, &one), (&aside, &two)] {
        fs::rename(from, to).unwrap();
    }
    assert!(fault_of(&path).contains("records/main/devices/00000.jsonl.zst"));
    for (from, to) in [(&one, &aside), (&two, &one), (&aside, &two)] {
        fs::rename(from, to).unwrap();
    }
    let length = fs::metadata(&one).unwrap().len();
    fs::OpenOptions::new().write(true).open(&one).unwrap().set_len(length - 1).unwrap();
    let expected = format!("00000.jsonl.zst has {} bytes where {length} were recorded", length - 1);
    let message = fault_of(&path);
    assert!(message.contains(&expected), "{message}");
}

#[test]
fn chunks_of_another_archive_are_found() {
    let folder = tempdir().unwrap();
    let (path, other) = (folder.path().join("a"), folder.path().join("b"));
    write(&path);
    write_small(&other);
    for name in ["SHA256SUMS", "catalog.json", "version", "records/main/devices/index.jsonl"] {
        let bytes = fs::read(path.join(name)).unwrap();
        fs::copy(other.join(name), path.join(name)).unwrap();
        let same = fs::read(path.join(name)).unwrap() == bytes;
        assert_eq!(verify(&path).is_ok(), same, "{name}");
        fs::write(path.join(name), bytes).unwrap();
    }
}

fn fault_of(path: &Path) -> String {
    verify(path).unwrap_err().to_string()
}
