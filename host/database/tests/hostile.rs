//! Catalogs and records are hostile until checked.

mod common;

use common::*;
use godwit_database::{Options, Replace, open_source, open_target, prove, query_scalar};
use godwit_model::{
    Body, Catalog, Chunk, Collection, CollectionId, Column, Database, EngineKind, Fault, FaultClass, Kind, Object,
};

fn table(name: &str, definition: &str) -> Collection {
    let mut collection = Collection::new(name, [Column::new("a", Kind::Any).nullable()]);
    collection.definition = Some(definition.to_owned());
    collection
}

fn object(kind: &str, name: &str, definition: &str) -> Object {
    let (kind, name, definition) = (kind.to_owned(), name.to_owned(), definition.to_owned());
    Object { kind, name, collection: None, definition, order: None }
}

fn database(collections: Vec<Collection>, objects: Vec<Object>) -> Database {
    Database { collections, objects, ..Database::new(EngineKind::Sqlite) }
}

/// Restores an empty database of this shape.
fn restore(database: Database) -> Result<(), Fault> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let mut target = target(&path);
    let result = target.begin(&Catalog::of(main_name(), database)).and_then(|()| target.prepare());
    drop(target);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left");
    result
}

#[test]
fn definitions_that_do_more_than_they_claim_are_refused() {
    let definitions = [
        "CREATE TABLE t(a); DROP TABLE t",
        "CREATE TABLE t(a); ATTACH '/tmp/godwit-evil.db' AS evil",
        "CREATE TABLE other(a)",
        "CREATE TABLE t AS SELECT 1 AS a",
        "CREATE TABLE t AS SELECT name AS a FROM sqlite_schema",
        "CREATE TEMP TABLE t(a)",
        "CREATE VIEW t AS SELECT 1 AS a",
        "CREATE VIRTUAL TABLE t USING fts5(a)",
        "ATTACH '/tmp/godwit-evil.db' AS evil",
        "PRAGMA writable_schema = ON",
        "VACUUM INTO '/tmp/godwit-evil.db'",
        "INSERT INTO sqlite_schema VALUES ('table', 't', 't', 0, 'CREATE TABLE t(a)')",
        "CREATE TABLE t(a, b)",
        "CREATE TABLE t(b)",
        "CREATE TABLE t(a AS (1), b)",
        "CREATE TABLE t(a) /* \0 */",
        "",
        "-- nothing",
        "SELECT 1",
    ];
    for definition in definitions {
        let fault = restore(database(vec![table("t", definition)], vec![])).expect_err(definition);
        assert_eq!(fault.class(), FaultClass::Refused, "{definition}: {fault}");
        let found = prove(&database(vec![table("t", definition)], vec![])).unwrap();
        assert_eq!(found.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["t"], "{definition}");
    }
    assert!(!std::path::Path::new("/tmp/godwit-evil.db").exists());
    restore(database(vec![table("t", "CREATE TABLE IF NOT EXISTS main.t(a) -- fine")], vec![])).unwrap();
}

#[test]
fn objects_that_are_not_what_they_claim_are_refused() {
    let objects = [
        object("index", "i", "CREATE INDEX other ON t(a)"),
        object("index", "i", "CREATE INDEX i ON t(missing)"),
        object("index", "i", "DROP TABLE t"),
        object("index", "i", "CREATE TRIGGER i AFTER INSERT ON t BEGIN SELECT 1; END"),
        object("view", "v", "CREATE TEMP VIEW v AS SELECT 1"),
        object("view", "v", "CREATE VIEW v AS SELECT 1; DELETE FROM t"),
        object("trigger", "g", "CREATE TEMP TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END"),
        object("trigger", "g", "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END; PRAGMA user_version = 1"),
        object("virtual-table", "w", "CREATE VIRTUAL TABLE w USING dbstat"),
        object("virtual-table", "w", "CREATE VIRTUAL TABLE w USING fts5(a); DROP TABLE t"),
        object("virtual-table", "w", "CREATE VIRTUAL TABLE temp.w USING fts5(a)"),
        object("function", "f", "CREATE TABLE f(a)"),
    ];
    for object in objects {
        let shape = || database(vec![table("t", "CREATE TABLE t(a)")], vec![object.clone()]);
        let fault = restore(shape()).expect_err(&object.definition);
        assert_eq!(fault.class(), FaultClass::Refused, "{object:?}: {fault}");
        assert!(prove(&shape()).unwrap().iter().any(|v| v.name == object.name && v.kind == object.kind), "{object:?}");
    }
}

#[test]
fn a_carried_virtual_table_is_checked_before_it_is_written() {
    for definition in [
        "CREATE TABLE w(a)",
        "CREATE VIRTUAL TABLE w USING dbstat",
        "CREATE VIRTUAL TABLE other USING fts5(a)",
        "CREATE VIRTUAL TABLE w USING fts5(a); DROP TABLE t",
        "CREATE VIEW w AS SELECT 1",
    ] {
        let mut shadow = table("w_data", "CREATE TABLE w_data(a)");
        shadow.internal = true;
        let shape = database(vec![shadow], vec![object("virtual-table", "w", definition)]);
        assert_eq!(restore(shape).expect_err(definition).class(), FaultClass::Refused, "{definition}");
    }
}

#[test]
fn settings_that_cannot_be_are_refused() {
    for (name, value) in [
        ("page_size", "1000"),
        ("page_size", "4096; DROP TABLE t"),
        ("encoding", "latin1"),
        ("user_version", "1' --"),
        ("journal_mode", "off"),
        ("auto_vacuum", "3"),
    ] {
        let mut shape = database(vec![table("t", "CREATE TABLE t(a)")], vec![]);
        shape.settings.insert(name.to_owned(), value.to_owned());
        assert_eq!(restore(shape).expect_err(value).class(), FaultClass::Refused, "{name} = {value}");
    }
}

fn insert(lines: &[u8]) -> Result<(), Fault> {
    let dir = tempfile::tempdir().unwrap();
    let columns = [Column::new("id", Kind::Int64), Column::new("name", Kind::Text).nullable()];
    let mut people = Collection::new("people", columns).with_primary_key(["id"]);
    people.unique = vec![vec!["name".to_owned()]];
    let mut target = target(&dir.path().join("a.db"));
    target.begin(&Catalog::of(main_name(), database(vec![people.clone()], vec![])))?;
    let collection = CollectionId { database: main_name(), name: people.name };
    let first = b"{\"id\":1,\"name\":\"first\"}\n".to_vec();
    for (sequence, lines) in (0..).zip([first, lines.to_vec()]) {
        let records = godwit_model::records::count(&lines);
        target.write(Chunk { collection: collection.clone(), sequence, records, body: Body::Lines(lines) })?;
    }
    target.prepare()
}

#[test]
fn records_that_do_not_fit_are_errors_that_say_which() {
    insert(b"{\"id\":2,\"name\":null}\n").unwrap();
    let cases: [(&[u8], &str); 12] = [
        (
            b"{\"id\":2}\n",
            "record 1 (key 2) of collection people, column name: is missing, or not at its place in the order of columns",
        ),
        (
            b"{\"name\":null,\"id\":2}\n",
            "record 1 of collection people, column id: is missing, or not at its place in the order of columns",
        ),
        (
            b"{\"id\":2,\"name\":null,\"x\":1}\n",
            "record 1 (key 2) of collection people: has more than the collection's columns",
        ),
        (
            b"{\"id\":2,\"name\":{}}\n",
            "record 1 (key 2) of collection people, column name: is an object, which only a json column can hold",
        ),
        (
            b"{\"id\":2,\"name\":[1]}\n",
            "record 1 (key 2) of collection people, column name: is an array, which only a json column can hold",
        ),
        (
            b"{\"id\":2,\"name\":{\"$bytes\":\"!\"}}\n",
            "record 1 (key 2) of collection people, column name: is not base64: Invalid symbol 33, offset 0.",
        ),
        (
            b"{\"id\":2,\"name\":1e999}\n",
            "record 1 (key 2) of collection people, column name: is a number that SQLite cannot hold: 1e999",
        ),
        (b"{\"id\":2,\"name\":\"\xff\"}\n", "record 1 of collection people: or one after it is not UTF-8"),
        (b"{\"id\":2,\"name\":null}", "record 1 of collection people: or one after it is not ended by a line feed"),
        (b"\n", "record 1 of collection people, column id: is missing, or not at its place in the order of columns"),
        (b"{\"id\":1,\"name\":null}\n", "record 1 (key 1) of collection people: UNIQUE constraint failed: people.id"),
        (
            b"{\"id\":2,\"name\":\"first\"}\n",
            "record 1 (key 2) of collection people: UNIQUE constraint failed: people.name",
        ),
    ];
    for (line, message) in cases {
        assert_eq!(insert(line).unwrap_err().to_string(), message);
    }
    assert!(insert(b"{\"id\":\"x\",\"name\":null}\n").unwrap_err().to_string().contains("datatype mismatch"));
}

#[test]
fn unknown_collections_and_engines_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = target(&dir.path().join("a.db"));
    open.begin(&Catalog::of(main_name(), database(vec![table("t", "CREATE TABLE t(a)")], vec![]))).unwrap();
    let name = godwit_model::CollectionName::new("u").unwrap();
    let collection = CollectionId { database: main_name(), name };
    let chunk = Chunk { collection, sequence: 0, records: 0, body: Body::Lines(vec![]) };
    assert_eq!(open.write(chunk).unwrap_err().class(), FaultClass::Damaged);
    let fault = restore(Database::new(EngineKind::Postgres)).unwrap_err();
    assert_eq!(fault.class(), FaultClass::Refused);
}

#[test]
fn a_virtual_table_of_an_unknown_kind_is_refused_by_name_until_it_is_excluded() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    make(&path, "CREATE TABLE t(a); CREATE VIRTUAL TABLE pages USING dbstat;");
    let options =
        |exclude: &[&str]| Options { exclude: exclude.iter().map(|g| (*g).to_owned()).collect(), ..Options::default() };
    let Err(fault) = open_source(&main_name(), &url(&path), &options(&[])) else { panic!("it is refused") };
    assert_eq!(fault.class(), FaultClass::Refused);
    assert_eq!(fault.to_string(), "the virtual table pages uses dbstat, which cannot be carried: exclude it");
    let source = open_source(&main_name(), &url(&path), &options(&["pages"])).unwrap();
    assert_eq!(source.catalog().collections().count(), 1);
}

#[test]
fn the_version_query_gives_one_value_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    make(&path, "CREATE TABLE meta(key, value); INSERT INTO meta VALUES ('version', '1.2.0'), ('n', 5), ('z', NULL);");
    let ask = |sql: &str| query_scalar(&url(&path), sql).map_err(|fault| (fault.class(), fault.to_string()));
    assert_eq!(ask("SELECT value FROM meta WHERE key = 'version'").unwrap(), "1.2.0");
    assert_eq!(ask("SELECT value FROM meta WHERE key = 'n';").unwrap(), "5");
    for (sql, message) in [
        ("SELECT value FROM meta", "gives more than one row"),
        ("SELECT value FROM meta WHERE 0", "gives no row"),
        ("SELECT value FROM meta WHERE key = 'z'", "gives NULL"),
        ("SELECT * FROM meta", "does not give exactly one column"),
        ("DELETE FROM meta RETURNING key", "authorized"),
        ("PRAGMA user_version = 7", "not authorized"),
        ("ATTACH '/tmp/godwit-evil.db' AS evil", "not authorized"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("SELECT load_extension('evil')", "not authorized"),
        ("SELEKT", "syntax error"),
    ] {
        let (class, text) = ask(sql).unwrap_err();
        assert_eq!(class, FaultClass::Usage, "{sql}: {text}");
        assert!(text.contains(message), "{sql}: {text}");
    }
    let missing = query_scalar(&url(&dir.path().join("none.db")), "SELECT 1").unwrap_err();
    assert_eq!(missing.class(), FaultClass::System);
    assert!(missing.to_string().contains("see that the file exists"), "{missing}");
}

#[test]
fn a_target_that_cannot_be_written_fails_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let Err(fault) = open_target(&main_name(), &url(&dir.path().join("no/such/a.db")), Replace::Always) else {
        panic!("there is no such directory")
    };
    assert_eq!(fault.class(), FaultClass::System);
}
