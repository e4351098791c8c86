//! What a module may query is laid out as it was, and holds nothing else.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use common::*;
use godwit_database::{open_input, stage_input};
use godwit_model::{
    Body, Catalog, Chunk, Collection, CollectionId, CollectionName, Column, Database, EngineKind, Fault, FaultClass,
    Kind, Reads, RecordTarget, SqlRow, SqlValue,
};

fn reads(parts: &[(&str, &[&str])], indexes: &[(&str, &str)]) -> Reads {
    let name = |name: &str| CollectionName::new(name).unwrap();
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>();
    Reads {
        collections: parts.iter().map(|(collection, columns)| (name(collection), texts(columns))).collect(),
        indexes: indexes.iter().map(|(collection, column)| (name(collection), (*column).to_owned())).collect(),
    }
}

fn begin(path: &Path, catalog: &Catalog, reads: &Reads) -> Result<Box<dyn RecordTarget>, Fault> {
    let mut target = stage_input(path, &main_name(), reads)?;
    target.begin(catalog)?;
    Ok(target)
}

fn finish(mut target: Box<dyn RecordTarget>) {
    target.complete().unwrap();
    target.prepare().unwrap();
    target.commit().unwrap();
    target.settle().unwrap();
}

fn chunk(collection: &str, lines: &str) -> Chunk {
    let collection = CollectionId { database: main_name(), name: CollectionName::new(collection).unwrap() };
    let records = lines.lines().count() as u64;
    Chunk { collection, sequence: 0, records, body: Body::Lines(lines.as_bytes().to_vec()) }
}

fn rows(path: &Path, sql: &str) -> Vec<SqlRow> {
    let mut input = open_input(path).unwrap();
    let cursor = input.query(sql, &[]).unwrap();
    input.next(cursor, 1000).unwrap()
}

fn text(text: &str) -> SqlValue {
    SqlValue::Text(text.to_owned())
}

#[test]
fn every_kind_is_stored_by_the_record_encoding() {
    let kinds = [
        ("boolean", Kind::Boolean, "true", SqlValue::Integer(1)),
        ("int", Kind::Int64, "-9223372036854775808", SqlValue::Integer(i64::MIN)),
        ("real", Kind::Float64, "1.0", SqlValue::Real(1.0)),
        ("endless", Kind::Float64, r#"{"$real":"-Infinity"}"#, SqlValue::Real(f64::NEG_INFINITY)),
        ("decimal", Kind::Decimal, r#""012.50""#, text("012.50")),
        ("text", Kind::Text, r#""a\"b\u0000\n""#, text("a\"b\0\n")),
        ("digits", Kind::Text, r#""007""#, text("007")),
        ("bytes", Kind::Bytes, r#"{"$bytes":"AP8="}"#, SqlValue::Bytes(vec![0, 255])),
        ("date", Kind::Date, r#""2020-02-29""#, text("2020-02-29")),
        ("time", Kind::Timestamptz, r#""2020-02-29T00:00:00Z""#, text("2020-02-29T00:00:00Z")),
        ("uuid", Kind::Uuid, r#""00000000-0000-0000-0000-000000000000""#, text("00000000-0000-0000-0000-000000000000")),
        ("json", Kind::Json, r#"{"a": [1,null]}"#, text(r#"{"a": [1,null]}"#)),
        ("wrapped", Kind::Json, r#"{"$json":null}"#, text("null")),
        ("raw", Kind::Json, r#"{"$raw":"not json"}"#, text("not json")),
        ("any_text", Kind::Any, r#""1""#, text("1")),
        ("any_int", Kind::Any, "1", SqlValue::Integer(1)),
        ("none", Kind::Text, "null", SqlValue::Null),
    ];
    for engine in [EngineKind::Sqlite, EngineKind::Postgres] {
        let mut columns: Vec<_> = kinds.iter().map(|(name, kind, ..)| Column::new(name, *kind).nullable()).collect();
        columns.push(Column { array: true, ..Column::new("list", Kind::Int32) });
        columns.push(Column::new("left_out", Kind::Int64));
        let names: Vec<_> = kinds.iter().map(|(name, ..)| *name).chain(["list"]).collect();
        let fields: Vec<_> = kinds.iter().map(|(name, _, json, _)| format!("\"{name}\":{json}")).collect();
        let line = format!("{{{},\"list\":[1,2],\"left_out\":5}}\n", fields.join(","));
        let all = Database { collections: vec![Collection::new("all", columns)], ..Database::new(engine) };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("input.db");
        let mut target = begin(&path, &Catalog::of(main_name(), all), &reads(&[("all", &names)], &[])).unwrap();
        target.write(chunk("all", &line)).unwrap();
        finish(target);
        let expected: Vec<_> = kinds.iter().map(|(.., value)| value.clone()).chain([text("[1,2]")]).collect();
        assert_eq!(rows(&path, "SELECT * FROM \"all\""), [expected]);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn values_of_any_class_stay_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from.db"), dir.path().join("to.db"));
    make(
        &from,
        "CREATE TABLE t(n NUMERIC, i INTEGER, s TEXT, a, secret);
         INSERT INTO t VALUES (1.5, 'x', 'y', x'00', 's'), (3, 2, '5', 2.0, 's'), ('12x', NULL, x'41', '7', 's'),
            (9e999, 1.25, CAST(x'ff' AS TEXT), '', 's');",
    );
    let mut source = source(&from);
    let mut target = begin(&to, source.catalog(), &reads(&[("t", &["n", "i", "s", "a"])], &[("t", "a")])).unwrap();
    pump(source.as_mut(), target.as_mut()).unwrap();
    finish(target);
    let classes =
        "SELECT quote(n), typeof(n), quote(i), typeof(i), hex(s), typeof(s), quote(a), typeof(a) FROM t ORDER BY rowid";
    let mut before = vec![];
    for part in ["quote(n)||typeof(n)", "quote(i)||typeof(i)", "hex(s)||typeof(s)", "quote(a)||typeof(a)"] {
        before.push(scalar(&from, &format!("SELECT group_concat({part} ORDER BY rowid) FROM t")));
    }
    for (part, expected) in
        ["quote(n)||typeof(n)", "quote(i)||typeof(i)", "hex(s)||typeof(s)", "quote(a)||typeof(a)"].iter().zip(before)
    {
        let found = rows(&to, &format!("SELECT group_concat({part} ORDER BY rowid) FROM t"));
        assert_eq!(found, [[text(&expected)]]);
    }
    assert_eq!(rows(&to, classes).len(), 4);
}

fn two() -> Catalog {
    let column = |name: &str| Column::new(name, Kind::Any).nullable();
    let keyed = Collection::new("keyed", [column("id"), column("part"), column("rest")]);
    let keyed = keyed.with_primary_key(["id", "part"]);
    let other = Collection::new("other", [column("id")]).with_primary_key(["id"]);
    Catalog::of(main_name(), Database { collections: vec![keyed, other], ..Database::new(EngineKind::Sqlite) })
}

#[test]
fn only_what_is_declared_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("input.db");
    let wanted = reads(&[("keyed", &["part", "id"])], &[("keyed", "part")]);
    let mut target = begin(&path, &two(), &wanted).unwrap();
    // Duplicates and NULLs in a key are the source's affair.
    target
        .write(chunk("keyed", "{\"id\":1,\"part\":2,\"rest\":\"secret\"}\n{\"id\":1,\"part\":2,\"rest\":0}\n"))
        .unwrap();
    target.write(chunk("keyed", "{\"id\":null,\"part\":null,\"rest\":0}\n")).unwrap();
    target.write(chunk("other", "not even JSON")).unwrap();
    finish(target);
    assert_eq!(rows(&path, "SELECT count(*) FROM keyed"), [[SqlValue::Integer(3)]]);
    let schema = rows(&path, "SELECT sql FROM sqlite_schema ORDER BY rowid");
    let expected = [
        "CREATE TABLE \"keyed\"(\"id\",\"part\")",
        "CREATE INDEX \"index 1\" ON \"keyed\"(\"id\",\"part\")",
        "CREATE INDEX \"index 2\" ON \"keyed\"(\"part\")",
    ];
    assert_eq!(schema, expected.map(|sql| vec![text(sql)]));
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(6).any(|window| window == b"secret"), "what is not declared is not in the file");
}

#[test]
fn a_damaged_record_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("input.db");
    let mut target = begin(&path, &two(), &reads(&[("keyed", &["id"])], &[])).unwrap();
    for line in ["{\"id\":1}\n", "{\"id\":1,\"part\":2,\"rest\":0}", "[]\n", "{\"id\":[1],\"part\":2,\"rest\":0}\n"] {
        assert_eq!(target.write(chunk("keyed", line)).unwrap_err().class(), FaultClass::Damaged, "{line}");
    }
    drop(target);
    assert!(!path.exists(), "nothing is left");
}

#[test]
fn what_cannot_be_laid_out_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("input.db");
    let refused = |catalog: &Catalog, wanted: &Reads| {
        let fault = begin(&path, catalog, wanted).map(drop).unwrap_err();
        assert_eq!(fault.class(), FaultClass::Refused, "{fault}");
        assert!(!path.exists());
        fault.to_string()
    };
    let id = |name: &str| Collection::new(name, [Column::new("id", Kind::Int64), Column::new("ID", Kind::Int64)]);
    let clash = Database { collections: vec![id("Users"), id("users")], ..Database::new(EngineKind::Postgres) };
    let clash = Catalog::of(main_name(), clash);
    let message = refused(&clash, &reads(&[("Users", &["id"]), ("users", &["id"])], &[]));
    assert!(message.starts_with("Users and users differ in case alone"), "{message}");
    let message = refused(&clash, &reads(&[("users", &["id", "ID"])], &[]));
    assert!(message.starts_with("ID and id differ in case alone"), "{message}");
    refused(&clash, &reads(&[("nothing", &["id"])], &[]));
    refused(&Catalog { databases: BTreeMap::new() }, &reads(&[("users", &["id"])], &[]));
    finish(begin(&path, &clash, &reads(&[("users", &["ID"])], &[])).unwrap());
    assert!(begin(&path, &clash, &Reads::default()).is_err(), "a file that is there is not touched");
    assert!(path.exists());
}

#[test]
fn odd_names_are_names() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("input.db");
    let odd = Collection::new("index 1", [Column::new("a\"); DROP TABLE x; --", Kind::Int64)]);
    let odd = odd.with_primary_key(["a\"); DROP TABLE x; --"]);
    let catalog = Catalog::of(main_name(), Database { collections: vec![odd], ..Database::new(EngineKind::Postgres) });
    let mut target = begin(&path, &catalog, &reads(&[("index 1", &["a\"); DROP TABLE x; --"])], &[])).unwrap();
    target.write(chunk("index 1", "{\"a\\\"); DROP TABLE x; --\":4}\n")).unwrap();
    finish(target);
    assert_eq!(rows(&path, "SELECT * FROM \"index 1\""), [[SqlValue::Integer(4)]]);
}
