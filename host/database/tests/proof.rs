//! What does not fit is found before anything is written, and what does fit is not complained of.

mod common;

use common::*;
use godwit_database::{Violation, list_collections, prove, prove_change};
use godwit_model::{Database, Default, Kind};

fn shape(sql: &str) -> Database {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    make(&path, sql);
    content(&path).0.databases.remove(&main_name()).unwrap()
}

fn found(database: &Database) -> Vec<(String, String, bool)> {
    let short = |v: Violation| (v.kind, format!("{}: {}", v.name, v.message), v.doubtful);
    prove(database).unwrap().into_iter().map(short).collect()
}

const SHOP: &str = "
    CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL, price INT AS (id * 2) STORED);
    CREATE TABLE log(what);
    CREATE VIRTUAL TABLE search USING fts5(name, content='item', content_rowid='id');
    INSERT INTO search(search) VALUES ('rebuild');
    CREATE INDEX by_name ON item(name);
    CREATE INDEX by_expression ON item(lower(name)) WHERE name > '';
    CREATE TRIGGER early AFTER INSERT ON item BEGIN INSERT INTO log SELECT name FROM cheap; END;
    CREATE VIEW cheap AS SELECT name FROM item WHERE price < 10;
    CREATE TRIGGER fill AFTER UPDATE OF name ON item BEGIN INSERT INTO search(rowid, name) VALUES (new.id, new.name); END;
    CREATE VIEW hits AS SELECT rowid FROM search WHERE search MATCH 'x';
    CREATE TRIGGER through INSTEAD OF INSERT ON cheap BEGIN INSERT INTO item(name) VALUES (new.name); END;
    ANALYZE;";

#[test]
fn a_sound_catalog_has_no_violation() {
    assert_eq!(found(&shape(SHOP)), []);
}

#[test]
fn every_object_that_lost_its_column_is_named() {
    let mut shop = shape(SHOP);
    let item = shop.collections.iter_mut().find(|c| c.name.as_str() == "item").unwrap();
    item.definition = None;
    item.columns.iter_mut().find(|c| c.name == "name").unwrap().name = "title".to_owned();
    let violations = found(&shop);
    let names: Vec<_> =
        violations.iter().map(|(kind, text, _)| format!("{kind} {}", text.split(':').next().unwrap())).collect();
    let expected = ["index by_name", "index by_expression", "view cheap", "trigger early", "trigger fill"];
    for name in expected {
        assert!(names.contains(&name.to_owned()), "{name}: {violations:?}");
    }
    assert!(violations.iter().any(|(_, text, _)| text.contains("no such column: name")), "{violations:?}");
}

#[test]
fn a_name_taken_for_a_text_is_doubtful() {
    let mut shop =
        shape("CREATE TABLE t(a, b); CREATE VIEW v AS SELECT \"a\" FROM t; CREATE VIEW w AS SELECT \"b\" FROM t;");
    shop.collections[0].definition = None;
    shop.collections[0].columns[0].name = "renamed".to_owned();
    let violations = found(&shop);
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(violations[0].2 && violations[0].1.starts_with("v: no such column"), "{violations:?}");
}

#[test]
fn a_table_written_from_its_fields_is_the_same_to_the_catalog() {
    let before = shape(
        "CREATE TABLE parent(id INTEGER PRIMARY KEY AUTOINCREMENT, x VARCHAR(20) NOT NULL DEFAULT 'it''s', y BOOLEAN DEFAULT TRUE);
         CREATE TABLE child(a TEXT, b INT REFERENCES parent(id) ON DELETE CASCADE, c DECIMAL(9,2) DEFAULT 1.5, d DATE DEFAULT CURRENT_DATE,
             e INT AS (b + 1) STORED, f TEXT AS (a || ')') VIRTUAL, g BLOB DEFAULT x'00', h JSON, PRIMARY KEY (a, b), UNIQUE (c, d)) WITHOUT ROWID;
         CREATE TABLE strict(a INT PRIMARY KEY, b ANY, c TEXT NOT NULL) STRICT;
         CREATE TABLE loose(a, \"b c\" \"my type\");
         INSERT INTO loose(rowid, a) VALUES (5, 1);",
    );
    let mut bare = before.clone();
    bare.collections.iter_mut().for_each(|collection| collection.definition = None);
    // A definition may say what a module may not make: SQLite keeps such decimals as floats.
    let decimals = found(&bare);
    assert!(
        matches!(&decimals[..], [(kind, text, false)] if kind == "column" && text.starts_with("child.c: ")),
        "{decimals:?}"
    );
    assert_eq!(prove_change(&before, &bare).unwrap(), []);
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from.db"), dir.path().join("to.db"));
    make(&from, "CREATE TABLE loose(a, \"b c\"); INSERT INTO loose(rowid, a) VALUES (5, 1);");
    let mut open = target(&to);
    open.begin(&godwit_model::Catalog::of(main_name(), bare)).unwrap();
    pump(source(&from).as_mut(), open.as_mut()).unwrap();
    open.prepare().unwrap();
    open.commit().unwrap();
    let mut after = content(&to).0.databases.remove(&main_name()).unwrap();
    for (collection, before) in after.collections.iter_mut().zip(&before.collections) {
        collection.definition.clone_from(&before.definition);
        collection.order = before.order;
    }
    assert_eq!(after.collections, before.collections);
}

#[test]
fn kinds_and_defaults_are_found() {
    let shape = shape(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a BOOL DEFAULT 0, b INT AS (a + 1), c UUID NOT NULL DEFAULT (hex(1)), d);",
    );
    let columns = &shape.collection("t").unwrap().columns;
    let kinds: Vec<_> = columns.iter().map(|c| (c.kind, c.nullable, c.generated)).collect();
    assert_eq!(
        kinds,
        [
            (Kind::Int64, false, false),
            (Kind::Boolean, true, false),
            (Kind::Int64, true, true),
            (Kind::Uuid, false, false),
            (Kind::Any, true, false)
        ]
    );
    assert_eq!(columns[1].default, Some(Default::Value("0".to_owned())));
    assert_eq!(columns[2].default, Some(Default::Expression("a + 1".to_owned())));
    assert_eq!(columns[3].default, Some(Default::Expression("hex(1)".to_owned())));
}

#[test]
fn collections_are_listed_without_what_is_internal() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    make(&path, &format!("{SHOP} INSERT INTO log VALUES (1), (2);"));
    let listed: Vec<_> = list_collections(&url(&path)).unwrap().into_iter().map(|l| (l.name, l.rows)).collect();
    assert_eq!(listed, [("item".to_owned(), 0), ("log".to_owned(), 2)]);
}
