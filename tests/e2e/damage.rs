//! Archives that are damaged, forged, or none. All of it is found before anything is touched.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use godwit_model::Digest;
use godwit_tests::{Shop, run, tree};

use super::readable::Refusals;

/// A shop with an archive `good` beside it.
fn shop_with_archive() -> Shop {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "good"]).succeeded();
    shop
}

/// The archive's files.
fn files(shop: &Shop) -> Vec<String> {
    tree(&shop.path("good")).into_iter().filter(|(_, what)| what.contains(" file ")).map(|(path, _)| path).collect()
}

/// A copy of the good archive, in which something is done.
fn changed(shop: &Shop, change: impl FnOnce(&Path)) {
    run(Command::new("sh").args(["-c", "rm -rf bad && cp -a good bad"]).current_dir(shop.dir())).succeeded();
    change(&shop.path("bad"));
}

/// Every command that takes an archive refuses it, and nothing is touched.
#[track_caller]
fn is_found(shop: &Shop, what: &str) {
    let before = shop.tree();
    for arguments in [&["verify", "bad"][..], &["restore", "bad", "--empty"]] {
        let said = shop.godwit(arguments).failed(4);
        assert!(said.contains("bad"), "{what}: {said}");
    }
    assert_eq!(shop.tree(), before, "{what}");
}

#[test]
fn a_flipped_bit_anywhere_is_found() {
    let shop = shop_with_archive();
    for file in files(&shop) {
        changed(&shop, |archive| {
            let mut bytes = fs::read(archive.join(&file)).unwrap();
            let at = bytes.len() / 2;
            match bytes.get_mut(at) {
                Some(byte) => *byte ^= 0x10,
                None => bytes.push(0),
            }
            fs::write(archive.join(&file), bytes).unwrap();
        });
        is_found(&shop, &file);
    }
}

#[test]
fn a_missing_file_is_found() {
    let shop = shop_with_archive();
    for file in files(&shop) {
        changed(&shop, |archive| fs::remove_file(archive.join(&file)).unwrap());
        is_found(&shop, &file);
    }
}

/// Swaps two files of an archive.
fn swap(archive: &Path, one: &str, other: &str) {
    let aside = archive.join("aside");
    for (from, to) in
        [(archive.join(one), aside.clone()), (archive.join(other), archive.join(one)), (aside, archive.join(other))]
    {
        fs::rename(from, to).unwrap();
    }
}

/// Makes every digest right again, as a forger would.
fn seal(archive: &Path, change: impl FnOnce(String) -> String) {
    let mut sums = String::new();
    for (path, what) in tree(archive) {
        if what.contains(" file ") && path != "SHA256SUMS" && path != "manifest.json" {
            let _ = writeln!(sums, "{}  {path}", Digest::of(&fs::read(archive.join(&path)).unwrap()));
        }
    }
    fs::write(archive.join("SHA256SUMS"), &sums).unwrap();
    let manifest = fs::read_to_string(archive.join("manifest.json")).unwrap();
    let (text, _) = manifest.split_once(",\n  \"manifest_sha256\"").unwrap();
    let (before, _) = text.split_once("\"sha256sums\": \"").unwrap();
    let text = change(format!("{before}\"sha256sums\": \"{}\"", Digest::of(sums.as_bytes())));
    let digest = Digest::of(text.as_bytes());
    fs::write(archive.join("manifest.json"), format!("{text},\n  \"manifest_sha256\": \"{digest}\"\n}}\n")).unwrap();
}

fn replace(archive: &Path, file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(archive.join(file)).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(archive.join(file), text.replacen(from, to, 1)).unwrap();
    seal(archive, |manifest| manifest);
}

#[test]
fn what_is_wrong_is_said() {
    let shop = shop_with_archive();
    let mut refusals = Refusals::new();
    let mut case = |name: &str, status: i32, change: &dyn Fn(&Path)| {
        changed(&shop, change);
        refusals.case(&shop, name, &["restore", "bad", "--empty"], status);
    };
    let (tags, links) = ("records/main/tags/00000.jsonl.zst", "records/main/links/00000.jsonl.zst");
    case("a byte changed", 4, &|bad| {
        let mut bytes = fs::read(bad.join(tags)).unwrap();
        bytes[20] ^= 1;
        fs::write(bad.join(tags), bytes).unwrap();
    });
    case("a file cut short", 4, &|bad| {
        let bytes = fs::read(bad.join(tags)).unwrap();
        fs::write(bad.join(tags), &bytes[..bytes.len() - 1]).unwrap();
    });
    case("a file missing", 4, &|bad| fs::remove_file(bad.join(tags)).unwrap());
    case("a file too many", 4, &|bad| fs::write(bad.join("records/main/tags/note.txt"), "hello").unwrap());
    case("two files swapped", 4, &|bad| swap(bad, tags, links));
    case("a link in a file's place", 4, &|bad| {
        fs::remove_file(bad.join(tags)).unwrap();
        std::os::unix::fs::symlink("../links/00000.jsonl.zst", bad.join(tags)).unwrap();
    });
    case("a newer format", 3, &|bad| seal(bad, |text| text.replace("\"format\": 1", "\"format\": 2")));
    case("the manifest missing", 4, &|bad| fs::remove_file(bad.join("manifest.json")).unwrap());
    case("a path that climbs", 4, &|bad| {
        replace(bad, "files/config/index.jsonl", "\"inventory.conf\"", "\"../inventory.conf\"");
    });
    case("a path that is absolute", 4, &|bad| {
        replace(bad, "files/config/index.jsonl", "\"inventory.conf\"", "\"/etc/inventory.conf\"");
    });
    case("a definition that is a program", 3, &|bad| {
        replace(
            bad,
            "catalog.json",
            "CREATE VIEW tag_usage AS",
            "ATTACH 'stolen.db' AS stolen; CREATE VIEW tag_usage AS",
        );
    });
    case("a version that is none", 4, &|bad| {
        seal(bad, |text| text.replace("\"data_version\": \"1.0.0\"", "\"data_version\": \"1.0\""));
    });
    refusals.compare("damage");
}

#[test]
fn a_tar_file_that_is_damaged_or_none() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "good.tar"]).succeeded();
    let good = fs::read(shop.path("good.tar")).unwrap();
    let mut refusals = Refusals::new();
    let mut case = |name: &str, bytes: &[u8]| {
        fs::write(shop.path("bad.tar"), bytes).unwrap();
        refusals.case(&shop, name, &["restore", "bad.tar", "--empty"], 4);
    };
    case("empty", b"");
    case("a text", b"This is no archive.\n");
    case("cut short in the middle", &good[..good.len() / 2]);
    case("cut short at a block", &good[..good.len() / 1024 * 512]);
    case("without its end", &good[..good.len() - 1024]);
    case("a byte changed in a header", &flipped(&good, 100));
    case("a name that climbs", &renamed(&good, "../../evil.txt"));
    case("a name that is absolute", &renamed(&good, "/tmp/evil.txt"));
    case("something after its end", &[&good[..], &[1; 512]].concat());
    refusals.compare("tar-damage");
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

/// The first entry of a tar file with another name, its checksum right.
fn renamed(tar: &[u8], name: &str) -> Vec<u8> {
    let mut tar = tar.to_vec();
    tar[..100].fill(0);
    tar[..name.len()].copy_from_slice(name.as_bytes());
    tar[148..156].fill(b' ');
    let sum: u32 = tar[..512].iter().map(|byte| u32::from(*byte)).sum();
    tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar
}

#[test]
fn what_is_no_archive() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "good"]).succeeded();
    fs::create_dir(shop.path("hollow")).unwrap();
    fs::rename(shop.path("good"), shop.path("cut.partial")).unwrap();
    fs::remove_file(shop.path("cut.partial/manifest.json")).unwrap();
    let mut refusals = Refusals::new();
    let mut case = |name: &str, archive: &str, status: i32| {
        refusals.case(&shop, name, &["restore", archive, "--empty"], status);
    };
    case("nothing", "missing.tar", 2);
    case("an empty folder", "hollow", 4);
    case("a folder of other files", "config", 4);
    case("a configuration", "godwit.toml", 4);
    case("a database", "inventory.db", 4);
    case("what an interrupted run left", "cut.partial", 4);
    case("its name to be", "cut", 4);
    case("a device", "/dev/null", 4);
    refusals.compare("no-archive");
}
