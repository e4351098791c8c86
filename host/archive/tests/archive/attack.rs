//! Archives made to deceive: every digest is right, and the content is hostile.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use godwit_model::{Digest, FaultClass};
use tempfile::tempdir;

use crate::fixture::*;

/// Makes every digest right again after a change, as an attacker would.
fn seal(path: &Path, change: impl FnOnce(&mut String), listing: impl FnOnce(&mut String)) {
    let mut sums = String::new();
    for (file, bytes) in files(path) {
        let name = file.to_str().unwrap();
        if !["SHA256SUMS", "manifest.json"].contains(&name) {
            writeln!(sums, "{}  {name}", Digest::of(&bytes)).unwrap();
        }
    }
    listing(&mut sums);
    fs::write(path.join("SHA256SUMS"), &sums).unwrap();
    let manifest = fs::read_to_string(path.join("manifest.json")).unwrap();
    let (text, _) = manifest.split_once(",\n  \"manifest_sha256\"").unwrap();
    let (before, _) = text.split_once("\"sha256sums\": \"").unwrap();
    let mut text = format!("{before}\"sha256sums\": \"{}\"", Digest::of(sums.as_bytes()));
    change(&mut text);
    let digest = Digest::of(text.as_bytes());
    fs::write(path.join("manifest.json"), format!("{text},\n  \"manifest_sha256\": \"{digest}\"\n}}\n")).unwrap();
}

fn none(_: &mut String) {}

/// A fresh archive with one text replaced in one file, sealed again, and what opening, verifying or reading says.
fn forged(file: &str, from: &str, to: &str) -> String {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    let text = fs::read_to_string(path.join(file)).unwrap();
    assert!(text.contains(from), "{file} has no {from}: {text}");
    fs::write(path.join(file), text.replacen(from, to, 1)).unwrap();
    seal(&path, none, none);
    let (verified, read) = (verify_contents(&path).unwrap_err(), read_all(&path).unwrap_err());
    assert_eq!((verified.class(), read.class()), (FaultClass::Damaged, FaultClass::Damaged), "{verified} / {read}");
    verified.to_string()
}

#[test]
fn the_forger_can_forge() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    let before = files(&path);
    seal(&path, none, none);
    assert_eq!(files(&path), before);
}

#[test]
fn a_newer_format_asks_for_a_newer_godwit() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    seal(&path, |text| *text = text.replace("\"format\": 1", "\"format\": 2"), none);
    let fault = verify(&path).unwrap_err();
    let expected = "was made by a newer Godwit (format 2); this one reads format 1; upgrade godwit";
    assert!(fault.to_string().ends_with(expected), "{fault}");
    assert_eq!(fault.class(), FaultClass::Refused);
}

#[test]
fn indexes_that_climb_are_refused() {
    let chunks = "records/main/devices/index.jsonl";
    let first = "\"file\":\"00000.jsonl.zst\"";
    for hostile in ["../../../../etc/passwd", "/etc/passwd", "../devices/00000.jsonl.zst"] {
        assert!(forged(chunks, first, &format!("\"file\":\"{hostile}\"")).contains(chunks));
        assert!(forged("files/config/index.jsonl", "content/noise", hostile).contains("is not where it must be"));
    }
    for (to, expected) in [("../hollow", "`..`"), ("link/hollow", "does not come right after"), ("dir/empty", "twice")]
    {
        let message = forged("files/config/index.jsonl", "\"dir/hollow\"", &format!("\"{to}\""));
        assert!(message.contains(expected), "{to}: {message}");
    }
}

#[test]
fn numbers_that_lie_are_refused() {
    let chunks = "records/main/devices/index.jsonl";
    for (from, to) in [
        ("\"offset\":0", "\"offset\":18446744073709551615"),
        ("\"offset\":0", "\"offset\":-1"),
        ("\"records\":2", "\"records\":3"),
        ("\"bytes\":18", "\"bytes\":17"),
        ("\"bytes\":18", "\"bytes\":1099511627776"),
        ("\"length\":", "\"length\":1"),
        ("\"length\":", "\"length\":1844674407370955"),
    ] {
        assert!(forged(chunks, from, to).contains(chunks), "{from} as {to}");
    }
    for (from, to) in
        [("\"size\":5200", "\"size\":5201"), ("\"size\":5200", "\"size\":5199"), ("\"0640\"", "\"70640\"")]
    {
        forged("files/config/index.jsonl", from, to);
    }
}

#[test]
fn a_frame_that_holds_something_else_is_found_by_the_deep_check() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    let index = path.join("records/main/devices/index.jsonl");
    let text = fs::read_to_string(&index).unwrap();
    fs::write(&index, text.replacen("\"records\":2", "\"records\":1", 1).replacen("\"records\":2", "\"records\":3", 1))
        .unwrap();
    seal(&path, none, none);
    verify(&path).unwrap();
    let message = verify_contents(&path).unwrap_err().to_string();
    assert!(message.contains("chunk 0: it holds 2 records where 1 are recorded"), "{message}");
}

#[test]
fn record_files_are_what_every_list_says() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    let name = "records/main/devices/00000.jsonl.zst";
    let bytes = fs::read(path.join(name)).unwrap();
    seal(&path, none, |sums| *sums = sums.replace(&Digest::of(&bytes).to_string(), &Digest::of(b"").to_string()));
    assert!(verify(&path).unwrap_err().to_string().contains(&format!("{name} is damaged")));

    fs::write(path.join(name), [&bytes[..], b"more"].concat()).unwrap();
    seal(&path, none, none);
    for fault in [verify(&path).unwrap_err(), read_all(&path).unwrap_err()] {
        let expected = format!("{name} has {} bytes where {} were recorded", bytes.len() + 4, bytes.len());
        assert!(fault.to_string().contains(&expected), "{fault}");
    }
}

#[test]
fn parts_that_disagree_are_refused() {
    assert!(forged("version", "1.1.0", "1.2.0").contains("manifest.json says 1.1.0"));
    assert!(forged("catalog.json", "\"devices\"", "\"gadgets\"").contains("not those of catalog.json"));
    assert!(forged("catalog.json", "\"sqlite\"", "\"mysql\"").contains("its sources"));
}

#[test]
fn listings_that_climb_are_refused() {
    for hostile in ["../../etc/passwd", "/etc/passwd", "a\\nb", "zz/../../x"] {
        let folder = tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path);
        seal(&path, none, |sums| writeln!(sums, "{}  {hostile}", Digest::of(b"")).unwrap());
        assert!(verify(&path).unwrap_err().to_string().contains("SHA256SUMS"), "{hostile}");
    }
}

#[test]
fn a_listed_file_that_nothing_refers_to_is_found() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    fs::write(path.join("records/payload"), b"boo").unwrap();
    seal(&path, none, none);
    assert!(verify(&path).unwrap_err().to_string().contains("records/payload does not belong"));
}

#[test]
fn a_missing_module_of_the_lineage_is_found() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    fs::remove_dir_all(path.join("modules")).unwrap();
    seal(&path, none, none);
    assert!(verify(&path).unwrap_err().to_string().contains(".wasm is missing"));
}

#[test]
fn links_pipes_and_folders_in_a_directory_are_not_followed() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a");
    write(&path);
    let secret = folder.path().join("secret");
    for name in ["version", "manifest.json", "files/config/content/noise", "records/main/devices/00001.jsonl.zst"] {
        let place = path.join(name);
        let _ = fs::remove_file(&secret);
        fs::rename(&place, &secret).unwrap();
        std::os::unix::fs::symlink(&secret, &place).unwrap();
        assert!(verify(&path).unwrap_err().to_string().contains("is a link, a device"), "{name}");
        assert_eq!(read_all(&path).unwrap_err().class(), FaultClass::Damaged, "{name}");
        fs::remove_file(&place).unwrap();
        if tool(folder.path(), "mkfifo", &[place.to_str().unwrap()]).is_some() {
            assert!(verify(&path).unwrap_err().to_string().contains("is a link, a device"), "{name}");
            assert_eq!(read_all(&path).unwrap_err().class(), FaultClass::Damaged, "{name}");
            fs::remove_file(&place).unwrap();
        }
        fs::rename(&secret, &place).unwrap();
    }
    fs::rename(path.join("records"), &secret).unwrap();
    std::os::unix::fs::symlink(&secret, path.join("records")).unwrap();
    assert!(read_all(&path).unwrap_err().to_string().contains("is a link, a device"));
}

/// A tar file of one's own making, put before the entries of a good one.
fn tar_with(make: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> String {
    let folder = tempdir().unwrap();
    let (path, good) = (folder.path().join("a.tar"), folder.path().join("good.tar"));
    write(&good);
    let mut builder = tar::Builder::new(Vec::new());
    make(&mut builder);
    let mut bytes = builder.into_inner().unwrap();
    bytes.truncate(bytes.len() - 1024);
    bytes.extend(fs::read(good).unwrap());
    fs::write(&path, bytes).unwrap();
    let (verified, read) = (verify(&path).map(|_| ()), read_all(&path));
    match (verified, read) {
        (Err(verified), Err(read)) => {
            assert_eq!((verified.class(), read.class()), (FaultClass::Damaged, FaultClass::Damaged), "{verified}");
            verified.to_string()
        }
        (Ok(()), Ok(_)) => "fine".to_owned(),
        (verified, _) => panic!("verify and read disagree: {verified:?}"),
    }
}

fn entry(builder: &mut tar::Builder<Vec<u8>>, kind: tar::EntryType, name: &[u8], content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_size(content.len() as u64);
    header.set_cksum();
    builder.append(&header, content).unwrap();
}

#[test]
fn tar_entries_that_are_no_plain_files_are_refused() {
    use tar::EntryType as T;
    assert_eq!(tar_with(|_| {}), "fine");
    assert_eq!(tar_with(|tar| entry(tar, T::Directory, b"./", b"")), "fine");
    for kind in [T::Symlink, T::Link, T::Char, T::Block, T::Fifo, T::GNUSparse, T::Continuous, T::GNULongLink] {
        let message = tar_with(|tar| entry(tar, kind, b"x", b""));
        assert!(message.contains("is a link, a device"), "{kind:?}: {message}");
    }
    assert!(tar_with(|tar| entry(tar, T::XHeader, b"x", b"12 path=abc\n")).contains("--format=gnu"));
}

#[test]
fn tar_names_that_climb_are_refused() {
    for name in ["../x", "/etc/passwd", "a/../../x", "a//b", "././x", "a\nb", "/"] {
        let message = tar_with(|tar| entry(tar, tar::EntryType::Regular, name.as_bytes(), b""));
        assert!(message.contains("names the path"), "{name:?}: {message}");
    }
    let long = format!("{}/../../../x\0", "y".repeat(200));
    let message = tar_with(|tar| {
        entry(tar, tar::EntryType::GNULongName, b"././@LongLink", long.as_bytes());
        entry(tar, tar::EntryType::Regular, b"y", b"");
    });
    assert!(message.contains("names the path"), "{message}");
    assert!(tar_with(|tar| entry(tar, tar::EntryType::Regular, b"\xff", b"")).contains("not UTF-8"));
}

#[test]
fn tar_entries_that_occur_twice_or_are_too_many_are_refused() {
    let message = tar_with(|tar| entry(tar, tar::EntryType::Regular, b"version", b"6.6.6\n"));
    assert!(message.contains("version does not follow the archive format: it is in the tar file twice"), "{message}");
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.tar");
    write(&path);
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend([0; 512]);
    fs::write(&path, &bytes).unwrap();
    verify(&path).unwrap();
    bytes.extend([1; 512]);
    fs::write(&path, &bytes).unwrap();
    assert!(verify(&path).unwrap_err().to_string().contains("only zeros"));
}
