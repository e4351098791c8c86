//! An archive with something of everything in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use godwit_archive::{Archive, ArchiveWriter, Depth, Header, Lineage, Verified, WriterOptions};
use godwit_model::{
    Body, Catalog, Chunk, Collection, CollectionId, Column, Database, EngineKind, EntryKind, Fault, Kind, RecordSource,
    RecordTarget, Staged, TreeEntry, TreeName, TreePath, TreeSource, TreeTarget,
};

pub(crate) const MODULE: &[u8] = b"\0asm a module that was applied";

pub(crate) fn header() -> Header {
    let mut header = Header::new("inventory", "1.1.0".parse().unwrap(), "2026-03-01T12:00:00Z");
    header.lineage.push(Lineage {
        module: "acme/inventory-1.1".parse().unwrap(),
        version: "0.3.0".parse().unwrap(),
        digest: godwit_model::Digest::of(MODULE),
        from: "1.0.0".parse().unwrap(),
        to: "1.1.0".parse().unwrap(),
        parameters: BTreeMap::from([("site".to_owned(), serde_json::json!("north"))]),
    });
    header
}

pub(crate) fn catalog() -> Catalog {
    let mut database = Database::new(EngineKind::Sqlite);
    database.collections.push(Collection::new("devices", [Column::new("id", Kind::Int64)]));
    database.collections.push(Collection::new("../no thing", [Column::new("id", Kind::Int64)]));
    Catalog::of("main".parse().unwrap(), database)
}

pub(crate) fn devices() -> CollectionId {
    CollectionId { database: "main".parse().unwrap(), name: "devices".parse().unwrap() }
}

pub(crate) fn tree() -> TreeName {
    "config".parse().unwrap()
}

/// Three chunks of two records.
pub(crate) fn chunks() -> Vec<Vec<u8>> {
    (0..3).map(|n| format!("{{\"id\":{}}}\n{{\"id\":{}}}\n", 2 * n, 2 * n + 1).into_bytes()).collect()
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

/// Entries with the content of files.
pub(crate) type Entries = Vec<(TreeEntry, Vec<u8>)>;

pub(crate) fn entries() -> Entries {
    let file = |path: &str, content: Vec<u8>| (path.to_owned(), None, content);
    let list: Vec<(String, Option<EntryKind>, Vec<u8>)> = vec![
        file(".env", b"SECRET=1\n".to_vec()),
        file("a b.txt", b"compress me, ".repeat(400)),
        ("dir".to_owned(), Some(EntryKind::Directory), vec![]),
        file("dir/empty", vec![]),
        ("dir/hollow".to_owned(), Some(EntryKind::Directory), vec![]),
        file(&format!("dir/{}", "n".repeat(250)), b"long".to_vec()),
        ("link".to_owned(), Some(EntryKind::Link { target: "../elsewhere".to_owned() }), vec![]),
        file("log.zst", b"named like ours".to_vec()),
        file("log", b"compress me, ".repeat(500)),
        file("noise", noise(5000)),
        file("odd\n%FF\\", b"odd".to_vec()),
    ];
    let entry = |(path, kind, content): (String, Option<EntryKind>, Vec<u8>)| {
        let kind = kind.unwrap_or(EntryKind::File { size: content.len() as u64 });
        let path = TreePath::new(path).unwrap();
        (TreeEntry { path, kind, mode: 0o640, modified: 1_700_000_000_123_456_789 }, content)
    };
    list.into_iter().map(entry).collect()
}

pub(crate) fn chunk(sequence: u64, lines: Vec<u8>) -> Chunk {
    let records = godwit_model::records::count(&lines);
    Chunk { collection: devices(), sequence, records, body: Body::Lines(lines) }
}

pub(crate) fn fill(writer: &mut ArchiveWriter) -> Result<(), Fault> {
    writer.begin(&catalog())?;
    writer.add_module(MODULE)?;
    for (sequence, lines) in (0..).zip(chunks()) {
        writer.write(chunk(sequence, lines))?;
    }
    writer.begin_tree(&tree())?;
    for (entry, content) in entries() {
        writer.write_entry(&tree(), &entry, &mut content.as_slice())?;
    }
    Ok(())
}

/// Two chunks to a record file.
pub(crate) fn options() -> WriterOptions {
    WriterOptions { record_file_bytes: 70, ..WriterOptions::default() }
}

pub(crate) fn start(path: &Path) -> ArchiveWriter {
    ArchiveWriter::create(path, header(), options()).unwrap()
}

pub(crate) fn finish(writer: &mut ArchiveWriter) {
    writer.prepare().unwrap();
    writer.commit().unwrap();
    writer.settle().unwrap();
}

pub(crate) fn write(path: &Path) {
    let mut writer = start(path);
    fill(&mut writer).unwrap();
    finish(&mut writer);
}

/// Little enough to try something on every byte.
pub(crate) fn write_small(path: &Path) {
    let mut header = header();
    header.lineage.clear();
    let mut writer = ArchiveWriter::create(path, header, options()).unwrap();
    let mut database = Database::new(EngineKind::Sqlite);
    database.collections.push(Collection::new("devices", [Column::new("id", Kind::Int64)]));
    writer.begin(&Catalog::of("main".parse().unwrap(), database)).unwrap();
    writer.write(chunk(0, chunks().remove(0))).unwrap();
    writer.begin_tree(&tree()).unwrap();
    for (entry, content) in entries().into_iter().take(2) {
        writer.write_entry(&tree(), &entry, &mut content.as_slice()).unwrap();
    }
    finish(&mut writer);
}

pub(crate) fn verify(path: &Path) -> Result<Verified, Fault> {
    Archive::open(path)?.verify(Depth::Digests, &mut |_, _| Ok(()))
}

pub(crate) fn verify_contents(path: &Path) -> Result<Verified, Fault> {
    Archive::open(path)?.verify(Depth::Contents, &mut |_, _| Ok(()))
}

/// Everything that can be read, as a restore would.
pub(crate) fn read_all(path: &Path) -> Result<(Vec<Vec<u8>>, Entries), Fault> {
    let mut archive = Archive::open(path)?;
    let (mut lines, mut entries) = (vec![], vec![]);
    for (id, _) in archive.catalog().clone().collections() {
        archive.read(&id, &mut |chunk| {
            lines.push(chunk.body.into_lines()?);
            Ok(())
        })?;
    }
    for name in archive.trees() {
        archive.read_tree(&name, &mut |entry, content| {
            let mut bytes = vec![];
            content.read_to_end(&mut bytes).map_err(Fault::system)?;
            entries.push((entry.clone(), bytes));
            Ok(())
        })?;
    }
    for digest in archive.modules() {
        archive.module(digest)?;
    }
    Ok((lines, entries))
}

/// Every file below a directory with its bytes.
pub(crate) fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                drop(files.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    files
}

/// A fresh archive whose one large file has its last byte changed.
pub(crate) fn with_damaged_noise(folder: &Path) -> Archive {
    let path = folder.join("a");
    write(&path);
    let file = path.join("files/config/content/noise");
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    Archive::open(&path).unwrap()
}

/// Runs a tool and expects success; `None` where the machine does not have it.
pub(crate) fn tool(folder: &Path, name: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    let output = match Command::new(name).args(arguments).current_dir(folder).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        other => other.unwrap(),
    };
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}
