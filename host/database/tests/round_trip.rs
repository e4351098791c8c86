//! A copy made through source and target is the same database: its content, its settings and,
//! byte for byte, its dump.

mod common;

use common::*;
use godwit_database::Options;
use godwit_model::{CollectionId, CollectionName};
use proptest::prelude::*;

#[test]
fn every_storage_class_in_every_affinity() {
    let columns =
        ["a", "b INTEGER", "c TEXT", "d REAL", "e NUMERIC", "f BLOB", "g BOOLEAN", "h JSON", "i JSONB TEXT", "j DATE"];
    let values = [
        "NULL",
        "0",
        "1",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "4611686018427387904.0",
        "0.0",
        "-0.0",
        "1.5",
        "1e300",
        "5e-324",
        "2.2250738585072014e-308",
        "9e999",
        "-9e999",
        "9223372036854775807.0",
        "''",
        "'1'",
        "'1.0'",
        "'1e5'",
        "'null'",
        "'true'",
        "'{}'",
        "'{\"$bytes\":\"\"}'",
        "'{\"a\": [1, 2]}'",
        "'[1' || char(10) || ']'",
        "'12'",
        "'\"x\"'",
        "x''",
        "x'00ff'",
        "'a' || char(0) || 'b'",
        "CAST(x'ff' AS TEXT)",
        "CAST(x'c3' AS TEXT)",
        "CAST(x'eda080' AS TEXT)",
        "char(0xffff, 0xfeff, 0x10ffff)",
        "'line' || char(10, 13, 9, 8, 12, 127)",
    ];
    let rows: Vec<_> = values.iter().map(|value| format!("({})", vec![*value; columns.len()].join(","))).collect();
    assert_copies(&format!("CREATE TABLE t({}); INSERT INTO t VALUES {};", columns.join(","), rows.join(",")));
}

#[test]
fn every_form_of_table() {
    assert_copies(
        "CREATE TABLE empty(a);
         CREATE TABLE seq(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
         INSERT INTO seq(x) VALUES (1),(2),(3); DELETE FROM seq WHERE id = 3;
         CREATE TABLE strict(a INT, b INTEGER, c REAL, d TEXT, e BLOB, f ANY) STRICT;
         INSERT INTO strict VALUES (1, 2, 3, '4', x'05', '6'), (1, 2, 3.5, '4', x'05', 6), (NULL, NULL, NULL, NULL, NULL, 6.0);
         CREATE TABLE wr(b TEXT, a INT, c, PRIMARY KEY (a, b)) WITHOUT ROWID;
         INSERT INTO wr VALUES ('z', 1, x'00'), ('a', 2, NULL), ('a', 1, 1.0);
         CREATE TABLE both(k TEXT PRIMARY KEY) WITHOUT ROWID, STRICT;
         INSERT INTO both VALUES ('b'), ('a');
         CREATE TABLE gen(a INT, b INT AS (a * 2) VIRTUAL, c TEXT GENERATED ALWAYS AS ('<' || a || '>') STORED, d);
         INSERT INTO gen(a, d) VALUES (1, 'x'), (2, 'y');
         CREATE TABLE descending(id INTEGER PRIMARY KEY DESC, x);
         INSERT INTO descending VALUES (7, 'a'), (3, 'b');
         CREATE TABLE checked(a INT CHECK (a > 0), b TEXT DEFAULT 'it''s' COLLATE NOCASE NOT NULL UNIQUE);
         INSERT INTO checked VALUES (1, 'x'), (2, 'y');",
    );
}

#[test]
fn every_form_of_object() {
    assert_copies(
        "CREATE TABLE t(a, b, c);
         CREATE INDEX plain ON t(a);
         CREATE UNIQUE INDEX partial ON t(b) WHERE c > 0;
         CREATE INDEX expression ON t(a + b, lower(c) DESC);
         CREATE VIEW v AS SELECT a, 'x -- y' AS \"b c\" FROM t -- a comment
         ;
         CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET c = -1 WHERE a = new.a; SELECT 1; END;
         CREATE TRIGGER io INSTEAD OF INSERT ON v BEGIN INSERT INTO t(a) VALUES (new.a); END;
         INSERT INTO t VALUES (1, 2, 3), (1, 2, NULL);
         CREATE TABLE after(x);
         INSERT INTO v VALUES (9, 9);
         CREATE VIEW broken AS SELECT * FROM missing;",
    );
}

#[test]
fn references_even_dangling_ones() {
    let (_dir, from, _to) = assert_copies(
        "CREATE TABLE Parent(id INTEGER PRIMARY KEY, x);
         CREATE TABLE child(p REFERENCES parent, q INT REFERENCES missing, r REFERENCES missing2(z) ON DELETE CASCADE,
             FOREIGN KEY (p, q) REFERENCES pair(a, b) ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED);
         INSERT INTO child VALUES (99, 98, 97);",
    );
    let (catalog, _) = content(&from);
    let child = catalog.databases[&main_name()].collection("child").unwrap();
    let found: Vec<_> = child
        .references
        .iter()
        .map(|r| {
            format!(
                "{}({})->{}({}) {} {}",
                r.columns.len(),
                r.columns.join(","),
                r.collection,
                r.foreign_columns.join(","),
                r.on_update,
                r.on_delete
            )
        })
        .collect();
    assert!(found.contains(&"1(p)->Parent(id) NO ACTION NO ACTION".to_owned()), "{found:?}");
    assert!(found.contains(&"1(r)->missing2(z) NO ACTION CASCADE".to_owned()), "{found:?}");
    assert!(found.contains(&"2(p,q)->pair(a,b) SET NULL NO ACTION".to_owned()), "{found:?}");
    assert_eq!(found.len(), 3, "the one to a missing table's unknown key stays in the definition alone");
}

#[test]
fn names_of_every_kind() {
    assert_copies(
        "CREATE TABLE \"select\"(\"from\" INT, \"a b\", \"quo\"\"te\", [brack]et TEXT, `tick``y`, 'text', \"ünï\", \"日本\", \"a\nb\", \"back\\slash\");
         INSERT INTO \"select\" VALUES (1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
         CREATE INDEX \"my \"\"index\" ON \"select\"(\"from\");
         CREATE TABLE \"semi;colon--\"(a); INSERT INTO \"semi;colon--\" VALUES (1);
         CREATE VIEW \"v w\" AS SELECT \"a b\" FROM \"select\";",
    );
}

#[test]
fn hidden_rowids() {
    let (_dir, from, to) = assert_copies(
        "CREATE TABLE holes(a TEXT); INSERT INTO holes(rowid, a) VALUES (5, 'x'), (-9223372036854775808, 'first'), (9223372036854775807, 'last');
         CREATE TABLE plain(a TEXT); INSERT INTO plain VALUES ('x'), ('y');
         CREATE TABLE taken(_rowid_ TEXT, a); INSERT INTO taken(rowid, _rowid_, a) VALUES (7, 'seven', 1);
         CREATE TABLE unreachable(_rowid_, rowid, oid); INSERT INTO unreachable VALUES (1, 2, 3), (4, 5, 6); DELETE FROM unreachable WHERE oid = 3;
         CREATE TABLE covered(a, b); CREATE INDEX covering ON covered(b, a); INSERT INTO covered VALUES (1, 9), (2, 8), (3, 7);",
    );
    let rowids = "SELECT group_concat(rowid || a) FROM (SELECT rowid, a FROM holes ORDER BY rowid)";
    assert_eq!(scalar(&from, rowids), scalar(&to, rowids));
    assert_eq!(scalar(&to, "SELECT rowid FROM taken"), "7");
    let (catalog, _) = content(&from);
    let columns = |name: &str| catalog.databases[&main_name()].collection(name).unwrap().columns.len();
    assert_eq!((columns("holes"), columns("plain"), columns("taken"), columns("unreachable")), (2, 1, 3, 3));
}

#[test]
fn counters_in_their_order() {
    let (_dir, _, to) = assert_copies(
        "CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT);
         CREATE TABLE untouched(id INTEGER PRIMARY KEY AUTOINCREMENT);
         INSERT INTO a VALUES (100); INSERT INTO b VALUES (7); DELETE FROM a;
         INSERT INTO sqlite_sequence VALUES ('gone', 5);",
    );
    assert_eq!(scalar(&to, "SELECT seq FROM sqlite_sequence WHERE name = 'a'"), "100");
    assert_copies("CREATE TABLE x(id INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE x; CREATE TABLE y(a);");
}

#[test]
fn full_text_and_spatial_indexes() {
    let (_dir, _, to) = assert_copies(
        "CREATE TABLE docs(id INTEGER PRIMARY KEY, title, body);
         CREATE VIRTUAL TABLE own USING fts5(title, body);
         CREATE VIRTUAL TABLE external USING fts5(title, body, content='docs', content_rowid='id');
         CREATE VIRTUAL TABLE old USING fts4(a, b, tokenize=porter);
         CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, y0, y1, +label);
         CREATE TRIGGER docs_ai AFTER INSERT ON docs BEGIN INSERT INTO external(rowid, title, body) VALUES (new.id, new.title, new.body); END;
         INSERT INTO docs VALUES (1, 'godwit', 'a long flight'), (2, 'knot', 'a short flight');
         INSERT INTO own SELECT title, body FROM docs; INSERT INTO old SELECT title, body FROM docs;
         INSERT INTO boxes VALUES (1, 0, 10, 0, 10, 'one'), (2, 5, 15, 5, 15, 'two');
         CREATE TABLE last(a); CREATE VIEW hits AS SELECT * FROM own WHERE own MATCH 'godwit';",
    );
    assert_eq!(scalar(&to, "SELECT rowid FROM external WHERE external MATCH 'short'"), "2");
    assert_eq!(scalar(&to, "SELECT count(*) FROM old WHERE old MATCH 'flights'"), "2");
    assert_eq!(scalar(&to, "SELECT label FROM boxes WHERE x0 > 3"), "two");
    assert_eq!(scalar(&to, "SELECT title FROM hits"), "godwit");
}

#[test]
fn statistics() {
    assert_copies(
        "CREATE TABLE t(a, b); CREATE INDEX i ON t(a); CREATE INDEX j ON t(b);
         INSERT INTO t VALUES (1, 2), (1, 3), (2, 4); ANALYZE; CREATE TABLE after(a);",
    );
    assert_copies(
        "CREATE TABLE t(a); CREATE INDEX i ON t(a); INSERT INTO t VALUES (1); ANALYZE; DROP TABLE sqlite_stat4;",
    );
}

#[test]
fn settings() {
    for page_size in [512, 1024, 4096, 65536] {
        let (_dir, _, to) = assert_copies(&format!(
            "PRAGMA page_size = {page_size}; PRAGMA auto_vacuum = 2; PRAGMA user_version = -7; PRAGMA application_id = 252006674;
             CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(100000));"
        ));
        let (catalog, _) = content(&to);
        let settings = &catalog.databases[&main_name()].settings;
        assert_eq!(settings["page_size"], page_size.to_string());
        assert_eq!((settings["auto_vacuum"].as_str(), settings["user_version"].as_str()), ("2", "-7"));
        assert_eq!(settings["application_id"], "252006674");
    }
}

#[test]
fn both_utf16_encodings() {
    for encoding in ["UTF-16le", "UTF-16be"] {
        let (_dir, _, to) = assert_copies(&format!(
            "PRAGMA encoding = '{encoding}'; CREATE TABLE \"tä\"(a TEXT PRIMARY KEY, \"日\" JSON);
             INSERT INTO \"tä\" VALUES ('plain', '{{\"a\":1}}'), ('😀', char(0xfeff) || 'mark'), (char(0xffff), char(0xfffe) || 'x'), ('', NULL),
                 ('a' || char(0) || 'b', x'00ff');"
        ));
        let (catalog, _) = content(&to);
        assert_eq!(catalog.databases[&main_name()].settings["encoding"], encoding);
        let marked = "SELECT length(\"日\") FROM \"tä\" WHERE a = '😀'";
        assert_eq!(scalar(&to, marked), "5");
    }
}

#[test]
fn half_a_surrogate_pair_is_an_error_that_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("utf16.db");
    make(
        &path,
        "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT);
         INSERT INTO t VALUES (1, 'fine'), (42, CAST(x'00d8' AS TEXT));",
    );
    let mut source = source(&path);
    let id = CollectionId { database: main_name(), name: CollectionName::new("t").unwrap() };
    let fault = source.read(&id, &mut |_| Ok(())).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "record 1 (key 42) of collection t, column a: is UTF-16 text with half a surrogate pair, which JSON cannot carry"
    );
}

#[test]
fn a_wal_database_stays_one() {
    let (_dir, from, to) = assert_copies("PRAGMA journal_mode = WAL; CREATE TABLE t(a); INSERT INTO t VALUES (1);");
    assert_eq!(content(&from).0.databases[&main_name()].settings["journal_mode"], "wal");
    assert_eq!(content(&to).0.databases[&main_name()].settings["journal_mode"], "wal");
}

#[test]
fn chunks_end_at_the_size_asked_for_and_a_large_record_is_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    make(
        &path,
        "CREATE TABLE t(a TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
         INSERT INTO t SELECT CASE i WHEN 50 THEN printf('%.*c', 5000, 'x') ELSE printf('%.*c', 90, 'y') END FROM n;",
    );
    let options = Options { chunk_bytes: 1000, exclude: vec![] };
    let mut source = godwit_database::open_source(&main_name(), &url(&path), &options).unwrap();
    let id = CollectionId { database: main_name(), name: CollectionName::new("t").unwrap() };
    let mut sizes = vec![];
    let take = &mut |chunk: godwit_model::Chunk| {
        assert_eq!(chunk.sequence, sizes.len() as u64);
        sizes.push((chunk.records, chunk.body.length()));
        Ok(())
    };
    source.read(&id, take).unwrap();
    assert_eq!(sizes.iter().map(|(records, _)| records).sum::<u64>(), 100);
    assert_eq!(sizes.iter().filter(|(_, bytes)| *bytes > 1200).collect::<Vec<_>>(), [&(1, 5009)]);
    assert!(sizes.iter().rev().skip(1).filter(|(_, bytes)| *bytes < 1000).count() <= 1, "{sizes:?}");
    assert!(source.estimate(&id).is_some_and(|bytes| bytes > 1000));
}

#[test]
fn excluded_collections_keep_their_structure() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from.db"), dir.path().join("to.db"));
    make(
        &from,
        "CREATE TABLE kept(a); CREATE TABLE session_a(a); CREATE VIRTUAL TABLE search USING fts5(a);
         INSERT INTO kept VALUES (1); INSERT INTO session_a VALUES (1); INSERT INTO search VALUES ('word');",
    );
    let exclude = vec!["session_*".to_owned(), "search".to_owned()];
    copy_with(&from, &to, &Options { chunk_bytes: 4096, exclude }).unwrap();
    assert_eq!(scalar(&to, "SELECT count(*) FROM kept"), "1");
    assert_eq!(scalar(&to, "SELECT count(*) FROM session_a"), "0");
    assert_eq!(scalar(&to, "SELECT count(*) FROM search WHERE search MATCH 'word'"), "0");
    let mut connection = connect(&to);
    run(&mut connection, "INSERT INTO search VALUES ('again')");
    close(connection);
    assert_eq!(scalar(&to, "SELECT count(*) FROM search WHERE search MATCH 'again'"), "1");
}

#[test]
fn a_backup_leaves_the_file_as_it_is() {
    for mode in ["DELETE", "WAL"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        make(&path, &format!("PRAGMA journal_mode = {mode}; CREATE TABLE t(a); INSERT INTO t VALUES (1);"));
        let before = std::fs::read(&path).unwrap();
        content(&path);
        assert!(before == std::fs::read(&path).unwrap(), "{mode}");
    }
}

#[test]
fn the_chinook_store() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/chinook/chinook.sqlite");
    if !path.exists() {
        assert!(std::env::var_os("CI").is_none(), "CI needs {}", path.display());
        return eprintln!("skipped: the chinook store, for want of {}", path.display());
    }
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from.db"), dir.path().join("to.db"));
    std::fs::write(&from, std::fs::read(path).unwrap()).unwrap();
    copy(&from, &to);
    assert_same(&from, &to);
}

fn any_literal() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("NULL".to_owned()),
        any::<i64>().prop_map(|n| if n == i64::MIN { "-9223372036854775808".to_owned() } else { n.to_string() }),
        any::<f64>().prop_filter("SQL has no NaN", |real| real.is_finite()).prop_map(|real| format!("{real:?}")),
        any::<Vec<u8>>().prop_map(|bytes| format!("x'{}'", hex(&bytes))),
        any::<Vec<u8>>().prop_map(|bytes| format!("CAST(x'{}' AS TEXT)", hex(&bytes))),
        "[ -~]{0,12}".prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
        "-?[0-9]{1,20}(\\.[0-9]{0,3})?(e[0-9]{1,3})?".prop_map(|text| format!("'{text}'")),
        "[\\[\\]{}\":,$a1 ]{0,8}".prop_map(|text| format!("'{text}'")),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_values_in_any_column(rows in prop::collection::vec((any_literal(), 0_usize..9), 1..40)) {
        let columns = ["a", "b INTEGER", "c TEXT", "d REAL", "e DECIMAL(9,2)", "f BLOB", "g BOOL", "h JSON", "i JSON_TEXT"];
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        let insert = |(value, at): &(String, usize)| format!("INSERT INTO t({}) VALUES ({value});", names[*at]);
        let inserts = rows.iter().map(insert).collect::<Vec<_>>().concat();
        assert_copies(&format!("CREATE TABLE t({}); BEGIN; {inserts} COMMIT;", columns.join(",")));
    }
}
