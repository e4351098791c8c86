//! Directories of JSON lines, written and read back.
#![allow(missing_docs)]

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use godwit_formats::{JsonLinesDirectory, JsonLinesSource};
use godwit_model::{
    Body, Catalog, Chunk, Collection, CollectionId, CollectionName, Column, Database, DatabaseName, EngineKind,
    EntryKind, Fault, FaultClass, Kind, RecordSource, RecordTarget, Staged, TreeEntry, TreeName, TreePath, TreeSource,
    TreeTarget,
};

const CHUNK: usize = 1000;

/// As the CLI prints it: the error and its causes.
fn chain(fault: &Fault) -> String {
    let mut text = fault.to_string();
    let mut cause = std::error::Error::source(fault);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn id(name: &str) -> CollectionId {
    CollectionId { database: DatabaseName::new("main").unwrap(), name: CollectionName::new(name).unwrap() }
}

fn catalog() -> Catalog {
    let columns = || {
        [Column::new("id", Kind::Int64), Column::new("name", Kind::Text), Column::new("extra", Kind::Json).nullable()]
    };
    let mut database = Database::new(EngineKind::Sqlite);
    for name in ["devices", "../odd name", "empty"] {
        database.collections.push(Collection::new(name, columns()).with_primary_key(["id"]));
    }
    Catalog::of(DatabaseName::new("main").unwrap(), database)
}

fn record(id: usize) -> String {
    format!("{{\"id\":{id},\"name\":\"é{id}\",\"extra\":{{ \"a\" : [1, 2]}}}}\n")
}

fn chunk(name: &str, sequence: u64, lines: &str) -> Chunk {
    let records = lines.lines().count() as u64;
    Chunk { collection: id(name), sequence, records, body: Body::Lines(lines.as_bytes().to_vec()) }
}

fn records(range: std::ops::Range<usize>) -> String {
    range.map(record).collect()
}

fn written(home: &Path) -> PathBuf {
    let path = home.join("out");
    let mut target = JsonLinesDirectory::create(&path).unwrap();
    target.begin(&catalog()).unwrap();
    target.write(chunk("devices", 0, &records(0..10))).unwrap();
    target.write(chunk("../odd name", 0, &records(7..8))).unwrap();
    target.write(chunk("devices", 1, &records(10..100))).unwrap();
    target.prepare().unwrap();
    target.commit().unwrap();
    target.settle().unwrap();
    path
}

fn read(path: &Path, name: &str) -> Result<Vec<Chunk>, Fault> {
    let mut chunks = vec![];
    JsonLinesSource::open(path, CHUNK)?.read(&id(name), &mut |chunk| {
        chunks.push(chunk);
        Ok(())
    })?;
    Ok(chunks)
}

fn lines(chunks: Vec<Chunk>) -> String {
    let bytes: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.body.into_lines().unwrap()).collect();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn what_is_written_is_plain_and_reads_back_the_same() {
    let home = tempfile::tempdir().unwrap();
    let path = written(home.path());
    assert_eq!(fs::read_to_string(path.join("main/devices.jsonl")).unwrap(), records(0..100));
    assert_eq!(fs::read_to_string(path.join("main/%2E.%2Fodd%20name.jsonl")).unwrap(), record(7));
    assert_eq!(fs::metadata(path.join("main/devices.jsonl")).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);

    let source = JsonLinesSource::open(&path, CHUNK).unwrap();
    assert_eq!(source.catalog(), &catalog());
    assert_eq!(source.estimate(&id("devices")), Some(records(0..100).len() as u64));
    assert!(source.trees().is_empty());
    assert_eq!(lines(read(&path, "devices").unwrap()), records(0..100));
    assert_eq!(lines(read(&path, "../odd name").unwrap()), record(7));
    assert!(read(&path, "empty").unwrap().is_empty());
    assert!(read(&path, "missing").is_err());
}

#[test]
fn chunks_end_with_the_record_that_fills_them() {
    let home = tempfile::tempdir().unwrap();
    let chunks = read(&written(home.path()), "devices").unwrap();
    let last = chunks.len() - 1;
    for (i, chunk) in chunks.iter().enumerate() {
        let Body::Lines(lines) = &chunk.body else { panic!("lines were promised") };
        let without_last = lines[..lines.len() - 1].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        assert_eq!(chunk.sequence, i as u64);
        assert_eq!(chunk.records, String::from_utf8_lossy(lines).lines().count() as u64);
        assert!(without_last < CHUNK && (lines.len() >= CHUNK || i == last));
    }
    assert!(chunks.len() > 3);
    let giant = record(1).replace("é1", &"x".repeat(3 * CHUNK));
    fs::write(home.path().join("out/main/empty.jsonl"), [giant.clone(), record(2), giant].concat()).unwrap();
    let sizes: Vec<_> = read(&home.path().join("out"), "empty").unwrap().iter().map(|chunk| chunk.records).collect();
    assert_eq!(sizes, [1, 2]);
}

#[test]
fn what_people_and_other_programs_write_is_understood() {
    let home = tempfile::tempdir().unwrap();
    let path = written(home.path());
    let by_hand = concat!(
        "\n",
        "{ \"name\" : \"é1\" , \"id\": 1, \"extra\" :{ \"a\" : [1, 2]} }  \r\n",
        "   \n",
        "{\"id\":2,\"name\":\"\\u00e92\",\"extra\":null}\n",
        "{\"id\": 3, \"name\": \"a  b\", \"extra\": \" : \"}",
    );
    fs::write(path.join("main/devices.jsonl"), by_hand).unwrap();
    let expected = concat!(
        "{\"id\":1,\"name\":\"é1\",\"extra\":{ \"a\" : [1, 2]}}\n",
        "{\"id\":2,\"name\":\"\\u00e92\",\"extra\":null}\n",
        "{\"id\":3,\"name\":\"a  b\",\"extra\":\" : \"}\n",
    );
    let chunks = read(&path, "devices").unwrap();
    assert_eq!(chunks.iter().map(|chunk| chunk.records).sum::<u64>(), 3);
    assert_eq!(lines(chunks), expected);
}

#[test]
fn a_wrong_record_is_named_by_file_line_and_key() {
    let home = tempfile::tempdir().unwrap();
    let path = written(home.path());
    let file = path.join("main/devices.jsonl");
    for wrong in [
        "{\"id\":77,\"name\":5,\"extra\":null}",
        "{\"id\": 77, \"name\": \"x\", \"extra\": 1 2}",
        "{\"id\":77,\"name\":\"x\"}",
        "{\"id\":77,\"name\":\"x\",\"extra\":null,\"id\":77}",
        "{\"id\":77,\"name\":\"x\",\"extra\":null} {}",
    ] {
        fs::write(&file, format!("\n{}\n{wrong}\n{}", records(0..50), record(1))).unwrap();
        let fault = read(&path, "devices").unwrap_err();
        assert_eq!(fault.class(), FaultClass::Damaged);
        let text = chain(&fault);
        assert!(text.contains("line 53 of") && text.contains("devices.jsonl"), "{text}");
        assert!(text.contains("record 50 (key 77)"), "{text}");
    }
    for wrong in [&b"[1]\n"[..], b"\xff\n", b"null", b"{\"id\":1", b"\0\n"] {
        fs::write(&file, wrong).unwrap();
        assert!(chain(&read(&path, "devices").unwrap_err()).contains("line 1"), "{wrong:?}");
    }
}

#[test]
fn a_directory_that_exists_is_refused_and_stays() {
    let home = tempfile::tempdir().unwrap();
    let path = written(home.path());
    assert_eq!(JsonLinesDirectory::create(&path).err().unwrap().class(), FaultClass::Refused);
    assert_eq!(lines(read(&path, "devices").unwrap()), records(0..100));
    let no_parent = JsonLinesDirectory::create(&home.path().join("no/where"));
    assert_eq!(no_parent.err().unwrap().class(), FaultClass::Usage);
}

#[test]
fn one_that_appears_meanwhile_is_refused_at_commit() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("out");
    let mut target = JsonLinesDirectory::create(&path).unwrap();
    target.begin(&catalog()).unwrap();
    target.prepare().unwrap();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("mine"), "").unwrap();
    assert_eq!(target.commit().unwrap_err().class(), FaultClass::Refused);
    drop(target);
    assert!(path.join("mine").exists() && !home.path().join("out.partial").exists());
}

#[test]
fn nothing_stays_of_what_is_not_committed_or_undone() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("out");
    let mut target = JsonLinesDirectory::create(&path).unwrap();
    target.begin(&catalog()).unwrap();
    target.write(chunk("devices", 0, &record(1))).unwrap();
    target.prepare().unwrap();
    assert!(!path.exists() && home.path().join("out.partial").exists());
    drop(target);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);

    let mut target = JsonLinesDirectory::create(&path).unwrap();
    target.prepare().unwrap();
    target.commit().unwrap();
    assert!(path.join("catalog.json").exists());
    target.undo().unwrap();
    drop(target);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn leavings_of_a_dead_run_are_replaced_and_nobody_elses_folder() {
    let home = tempfile::tempdir().unwrap();
    let partial = home.path().join("out.partial");
    fs::create_dir(&partial).unwrap();
    fs::write(partial.join("catalog.json"), "{").unwrap();
    fs::write(partial.join("half"), "").unwrap();
    let living = JsonLinesDirectory::create(&home.path().join("out")).unwrap();
    assert!(!partial.join("half").exists());
    let other = JsonLinesDirectory::create(&home.path().join("out"));
    assert_eq!(other.err().unwrap().class(), FaultClass::Locked);
    drop(living);

    fs::create_dir(&partial).unwrap();
    fs::write(partial.join("thesis.txt"), "").unwrap();
    let refused = JsonLinesDirectory::create(&home.path().join("out"));
    assert_eq!(refused.err().unwrap().class(), FaultClass::Refused);
    assert!(partial.join("thesis.txt").exists());
}

#[test]
fn chunks_out_of_order_and_of_unknown_collections_are_errors() {
    let home = tempfile::tempdir().unwrap();
    let mut target = JsonLinesDirectory::create(&home.path().join("out")).unwrap();
    target.begin(&catalog()).unwrap();
    target.write(chunk("devices", 0, &record(1))).unwrap();
    assert!(target.write(chunk("devices", 2, &record(2))).is_err());
    assert!(target.write(chunk("devices", 0, &record(2))).is_err());
    assert!(target.write(chunk("nobody", 0, &record(2))).is_err());
    let reserved = Catalog::of(DatabaseName::new("files").unwrap(), Database::new(EngineKind::Sqlite));
    let mut target = JsonLinesDirectory::create(&home.path().join("other")).unwrap();
    assert_eq!(target.begin(&reserved).unwrap_err().class(), FaultClass::Refused);
}

#[test]
fn directories_that_are_none_or_contradict_themselves_are_damaged() {
    let home = tempfile::tempdir().unwrap();
    let damaged = |spoil: &dyn Fn(&Path), says: &str| {
        let path = written(home.path());
        spoil(&path);
        let fault = read(&path, "devices").unwrap_err();
        assert_eq!(fault.class(), FaultClass::Damaged, "{fault}");
        assert!(chain(&fault).contains(says), "{}", chain(&fault));
        fs::remove_dir_all(&path).unwrap();
    };
    damaged(&|path| fs::remove_file(path.join("catalog.json")).unwrap(), "no fixture directory");
    damaged(&|path| fs::write(path.join("catalog.json"), "{\"databases\":[]}").unwrap(), "not a catalog");
    damaged(&|path| fs::write(path.join("catalog.json"), "{\"databases\":{\"../x\":null}}").unwrap(), "not a catalog");
    damaged(&|path| fs::remove_file(path.join("main/empty.jsonl")).unwrap(), "is missing");
    damaged(&|path| fs::remove_dir_all(path.join("main")).unwrap(), "is missing");
    damaged(&|path| fs::write(path.join("main/more.jsonl"), "").unwrap(), "belongs to no collection");
    damaged(&|path| fs::write(path.join("files"), "").unwrap(), "is not a folder");
    let twice = |path: &Path| {
        let text = fs::read_to_string(path.join("catalog.json")).unwrap();
        fs::write(path.join("catalog.json"), text.replace("\"empty\"", "\"devices\"")).unwrap();
    };
    damaged(&twice, "occurs twice");
    let link = |path: &Path| {
        fs::remove_file(path.join("main/devices.jsonl")).unwrap();
        symlink("/etc/passwd", path.join("main/devices.jsonl")).unwrap();
    };
    damaged(&link, "is a link");
    let linked_folder = |path: &Path| {
        fs::rename(path.join("main"), home.path().join("elsewhere")).unwrap();
        symlink(home.path().join("elsewhere"), path.join("main")).unwrap();
    };
    damaged(&linked_folder, "is not a folder");
    let linked_tree = |path: &Path| {
        fs::create_dir(path.join("files")).unwrap();
        symlink("/etc", path.join("files/config")).unwrap();
    };
    damaged(&linked_tree, "is not the folder of a file tree");
}

#[test]
fn file_trees_come_along_as_they_are() {
    let home = tempfile::tempdir().unwrap();
    let (path, config) = (home.path().join("out"), TreeName::new("config").unwrap());
    let entry = |path: &str, kind, mode| TreeEntry { path: TreePath::new(path).unwrap(), kind, mode, modified: 5 };
    let entries = [
        (entry("d", EntryKind::Directory, 0o750), ""),
        (entry("d/a%0A%FF", EntryKind::File { size: 3 }, 0o640), "abc"),
        (entry("d/link", EntryKind::Link { target: "/etc/passwd".to_owned() }, 0o777), ""),
    ];
    let mut target = JsonLinesDirectory::create(&path).unwrap();
    target.begin_tree(&config).unwrap();
    for (entry, content) in &entries {
        target.write_entry(&config, entry, &mut content.as_bytes()).unwrap();
    }
    assert!(target.begin_tree(&config).is_err());
    assert!(target.write_entry(&TreeName::new("x").unwrap(), &entries[0].0, &mut "".as_bytes()).is_err());
    target.prepare().unwrap();
    target.commit().unwrap();

    let mut source = JsonLinesSource::open(&path, CHUNK).unwrap();
    assert_eq!(source.trees(), std::slice::from_ref(&config));
    assert_eq!(source.bytes_of(&config), 3);
    let mut read = vec![];
    source
        .read_tree(&config, &mut |entry, content| {
            read.push((entry.clone(), std::io::read_to_string(content).unwrap()));
            Ok(())
        })
        .unwrap();
    assert_eq!(read, entries.map(|(entry, content)| (entry, content.to_owned())));
}
