//! SQL by a module is hostile: what each connection does with it.

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::module_sql::*;
use godwit_database::open_scratch;
use godwit_model::{SqlFailure, SqlRow, SqlValue};

/// Statements, and whether `input`, `scratch` and `target` do them.
const STATEMENTS: &[(&str, [bool; 3])] = &[
    // Reading.
    ("SELECT name FROM users", [true, true, true]),
    ("SELECT count(*) FROM users", [true, true, true]),
    ("WITH x AS (SELECT id FROM users) SELECT count(*) FROM x", [true, true, true]),
    ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9) SELECT i FROM n", [true, true, true]),
    ("SELECT value FROM json_each('[1,2]')", [true, true, true]),
    ("SELECT count(*) FROM json_each('[1,2]')", [true, true, true]),
    ("SELECT count(*) FROM json_tree", [true, true, false]), // a table of the application's, there
    ("SELECT row_number() OVER (ORDER BY id) FROM users", [true, true, true]),
    ("SELECT group_concat(name, ',' ORDER BY id) FROM users", [true, true, true]),
    ("SELECT datetime('2020-01-01', '+1 day')", [true, true, true]),
    ("SELECT id -> '$' FROM users", [true, true, true]),
    ("SELECT 1; -- and no more", [true, true, true]),
    ("VALUES (1), (2)", [true, true, true]),
    // The schema: a module knows what is there, but on the target only by the catalog.
    ("SELECT * FROM sqlite_schema", [true, true, false]),
    ("SELECT count(*) FROM sqlite_master", [true, true, false]),
    ("SELECT count(*) FROM sqlite_temp_schema", [true, true, false]),
    // What is not granted.
    ("SELECT * FROM passwords", [false, false, false]),
    ("SELECT count(*) FROM passwords", [false, false, false]),
    ("SELECT 1 FROM users, passwords", [false, false, false]),
    ("SELECT (SELECT hash FROM passwords) FROM users", [false, false, false]),
    ("SELECT * FROM users WHERE EXISTS (SELECT 1 FROM passwords)", [false, false, false]),
    ("SELECT * FROM secrets", [false, false, false]),
    ("SELECT count(*) FROM secrets", [false, false, false]),
    ("SELECT * FROM people", [false, false, false]),
    ("WITH keeps_audit AS (SELECT hash FROM passwords) SELECT * FROM keeps_audit", [false, false, false]),
    (
        "WITH \"keeps_audit\"(h) AS MATERIALIZED (SELECT hash FROM passwords) SELECT h FROM keeps_audit",
        [false, false, false],
    ),
    ("SELECT * FROM (SELECT hash FROM passwords) AS keeps_audit", [false, false, false]),
    ("WITH secrets AS (SELECT hash FROM passwords) SELECT * FROM secrets", [false, false, false]),
    (
        "DELETE FROM pair WHERE EXISTS (WITH secrets AS (SELECT hash FROM passwords) SELECT 1 FROM secrets)",
        [false, false, false],
    ),
    ("SELECT 'hunter2' IN audit", [false, false, false]),
    ("SELECT 1 FROM users WHERE name IN seen", [false, false, false]),
    ("SELECT 1 IN (SELECT rowid FROM passwords)", [false, false, false]),
    ("SELECT rowid FROM passwords", [false, false, false]),
    ("SELECT * FROM users NATURAL JOIN passwords", [false, false, false]),
    ("SELECT name FROM users ORDER BY (SELECT hash FROM passwords)", [false, false, false]),
    ("SELECT 1 FROM users LIMIT (SELECT count(*) FROM passwords)", [false, false, false]),
    ("SELECT max(id) FROM passwords", [false, false, false]),
    ("UPDATE devices SET name = hash FROM passwords WHERE devices.id = passwords.id", [false, false, false]),
    ("INSERT INTO pair SELECT rowid, 1 FROM passwords", [false, false, false]),
    ("INSERT INTO pair VALUES ((SELECT hash FROM passwords), 1)", [false, false, false]),
    (
        "INSERT INTO devices(id, made) VALUES (1, 'x') ON CONFLICT DO UPDATE SET name = (SELECT hash FROM passwords)",
        [false, false, false],
    ),
    ("INSERT INTO lucky VALUES (1, 1)", [false, false, false]),
    ("INSERT INTO pair SELECT * FROM hidden_pair", [false, false, false]),
    ("INSERT INTO pair SELECT a, b FROM hidden_pair", [false, false, false]),
    ("INSERT INTO pair TABLE hidden_pair", [false, false, false]),
    ("SELECT * FROM found", [false, false, false]),
    ("SELECT * FROM found_data", [false, false, false]),
    ("INSERT INTO found(found) VALUES ('rebuild')", [false, false, false]),
    ("UPDATE found_data SET block = x'00'", [false, false, false]),
    ("UPDATE users SET name = 'Eve'", [false, true, false]),
    ("DELETE FROM audit", [false, false, false]),
    // Writing.
    ("INSERT INTO devices(id, name, made) VALUES (50, 'a', 'now')", [false, true, true]),
    (
        "INSERT INTO devices(id, name, made) VALUES (50, 'b', 'x') ON CONFLICT(id) DO UPDATE SET name = 'c'",
        [false, true, true],
    ),
    ("INSERT INTO devices(id, made) VALUES (51, 'x') RETURNING id", [false, true, true]),
    ("INSERT INTO devices(id, made) VALUES (52, 'x') RETURNING (SELECT hash FROM passwords)", [false, false, false]),
    ("UPDATE devices SET owner = (SELECT id FROM passwords)", [false, false, false]),
    ("UPDATE devices SET name = 'd' WHERE id = 50", [false, true, true]),
    ("REPLACE INTO devices(id, name, made) VALUES (50, 'e', 'x')", [false, true, true]),
    ("DELETE FROM devices WHERE id = 51", [false, true, true]),
    ("INSERT INTO notes VALUES (1, 'needle')", [false, false, true]),
    ("INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, '')", [false, false, false]),
    ("DELETE FROM sqlite_schema", [false, false, false]),
    ("UPDATE sqlite_sequence SET seq = 1", [false, false, false]),
    // The schema changed.
    ("CREATE TABLE t(a, b AS (a + 1) STORED, c CHECK (c > 0))", [false, true, false]),
    ("CREATE INDEX i ON t(a) WHERE a > 1", [false, true, false]),
    ("ALTER TABLE t ADD COLUMN d", [false, true, false]),
    ("ALTER TABLE t RENAME COLUMN d TO e", [false, true, false]),
    ("ALTER TABLE t DROP COLUMN e", [false, true, false]),
    ("ALTER TABLE t RENAME TO u", [false, true, false]),
    ("CREATE VIEW v AS SELECT * FROM u", [false, true, false]),
    ("SELECT * FROM v", [false, true, false]),
    ("DROP VIEW v", [false, true, false]),
    ("DROP INDEX i", [false, true, false]),
    ("DROP TABLE u", [false, true, false]),
    ("CREATE TABLE w AS SELECT 1 AS a", [false, true, false]),
    ("CREATE TABLE k(a PRIMARY KEY) WITHOUT ROWID", [false, true, false]),
    ("REINDEX", [false, true, false]),
    ("DROP TABLE devices", [false, true, false]),
    ("CREATE TABLE odd(a DEFAULT (random()))", [false, true, false]),
    ("INSERT INTO odd DEFAULT VALUES", [false, false, false]),
    ("CREATE TABLE timed(a, b DEFAULT CURRENT_TIMESTAMP)", [false, true, false]),
    ("INSERT INTO timed(a) VALUES (1)", [false, false, false]),
    ("CREATE TRIGGER g AFTER INSERT ON users BEGIN SELECT 1; END", [false, false, false]),
    ("CREATE TEMP TRIGGER g AFTER INSERT ON users BEGIN SELECT 1; END", [false, false, false]),
    ("DROP TRIGGER keeps_audit", [false, false, false]),
    ("CREATE TEMP TABLE t2(a)", [false, false, false]),
    ("CREATE TABLE temp.t2(a)", [false, false, false]),
    ("CREATE TEMP VIEW v2 AS SELECT 1", [false, false, false]),
    ("CREATE VIRTUAL TABLE f USING fts5(a)", [false, false, false]),
    ("CREATE VIRTUAL TABLE f USING fts3(a, tokenize=simple)", [false, false, false]),
    ("CREATE VIRTUAL TABLE f USING rtree(a, b, c)", [false, false, false]),
    ("CREATE VIRTUAL TABLE f USING dbstat", [false, false, false]),
    ("ANALYZE", [false, false, false]),
    // Ways out.
    ("ATTACH '/tmp/godwit-evil.db' AS evil", [false, false, false]),
    ("ATTACH ':memory:' AS evil", [false, false, false]),
    ("DETACH main", [false, false, false]),
    ("VACUUM", [false, false, false]),
    ("VACUUM INTO '/tmp/godwit-evil.db'", [false, false, false]),
    ("PRAGMA writable_schema = ON", [false, false, false]),
    ("PRAGMA journal_mode = OFF", [false, false, false]),
    ("PRAGMA user_version", [false, false, false]),
    ("PRAGMA database_list", [false, false, false]),
    ("PRAGMA temp_store_directory = '/tmp'", [false, false, false]),
    ("PRAGMA foreign_keys = ON", [false, false, false]),
    ("SELECT * FROM pragma_database_list", [false, false, false]),
    ("SELECT count(*) FROM pragma_table_list", [false, false, false]),
    ("SELECT count(*) FROM PRAGMA_function_list", [false, false, false]),
    ("SELECT * FROM dbstat", [false, false, false]),
    ("SELECT count(*) FROM dbstat", [false, false, false]),
    ("SELECT * FROM sqlite_dbpage", [false, false, false]),
    ("SELECT * FROM fts3tokenize", [false, false, false]),
    ("SELECT count(*) FROM bytecode('SELECT 1')", [false, false, false]),
    ("SELECT load_extension('/tmp/evil.so')", [false, false, false]),
    ("SELECT readfile('/etc/passwd')", [false, false, false]),
    ("SELECT writefile('/tmp/godwit-evil.db', 'x')", [false, false, false]),
    ("SELECT edit('x')", [false, false, false]),
    ("SELECT fts3_tokenizer('simple')", [false, false, false]),
    ("SELECT rtreecheck('users')", [false, false, false]),
    ("SELECT rtreenode(2, x'00')", [false, false, false]),
    ("SELECT sqlite_rename_table('main', 'table', 'a', 'b', 'c', 'd', 0)", [false, false, false]),
    ("SELECT sqlite_version()", [false, false, false]),
    ("SELECT sqlite_compileoption_get(1)", [false, false, false]),
    ("EXPLAIN SELECT 1", [false, false, false]),
    ("EXPLAIN QUERY PLAN SELECT 1", [false, false, false]),
    // Transactions.
    ("BEGIN", [false, false, false]),
    ("COMMIT", [false, false, false]),
    ("ROLLBACK", [false, false, false]),
    ("SAVEPOINT s", [false, false, false]),
    ("RELEASE s", [false, false, false]),
    // The moment and chance.
    ("SELECT random()", [false, false, false]),
    ("SELECT hex(randomblob(8))", [false, false, false]),
    ("SELECT 1 FROM users ORDER BY RANDOM()", [false, false, false]),
    ("SELECT CURRENT_TIMESTAMP", [false, false, false]),
    ("SELECT CURRENT_DATE", [false, false, false]),
    ("SELECT current_time", [false, false, false]),
    ("SELECT datetime('2020-01-01', 'localtime')", [false, false, false]),
    ("SELECT strftime('%s', '2020-01-01', 'ut' || 'c')", [false, false, false]),
    ("INSERT INTO devices(id) VALUES (60)", [false, false, false]),
    // One statement.
    ("SELECT 1; SELECT 2", [false, false, false]),
    ("SELECT 1; /* */ DROP TABLE users", [false, false, false]),
    ("SELECT 1;; PRAGMA user_version", [false, false, false]),
    ("", [false, false, false]),
    ("-- nothing", [false, false, false]),
    ("SELECT 1 \0", [false, false, false]),
    ("SELECT ?1", [false, false, false]),
    ("SELECT 'a", [false, false, false]),
    // Bombs.
    ("SELECT zeroblob(1000000000)", [false, false, false]),
    ("SELECT length(printf('%.*c', 1000000000, 'x'))", [true, true, false]), // NULL, where it may be called
    ("SELECT hex(hex(hex(hex(zeroblob(60000000)))))", [false, false, false]),
    ("SELECT replace(printf('%.*c', 100000, 'x'), 'x', printf('%.*c', 100000, 'y'))", [false, false, false]),
    (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) SELECT group_concat(hex(zeroblob(1000000))) FROM n",
        [false, false, false],
    ),
];

#[test]
fn every_statement_has_its_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let mut target = filled(dir.path());
    let mut connections = [input(dir.path()), scratch(), on(target.as_mut())];
    let mut wrong = vec![];
    for (sql, expected) in STATEMENTS {
        for ((connection, expected), name) in connections.iter_mut().zip(expected).zip(["input", "scratch", "target"]) {
            connection.end_by(Instant::now() + Duration::from_mins(1));
            let result = all(connection.as_mut(), sql);
            if result.is_ok() != *expected {
                wrong.push(format!("{name}: {sql}: {result:?}"));
            }
            if let Err(failure) = result {
                assert!(!failure.code.is_empty() && !failure.message.contains('\n'), "{failure}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!Path::new("/tmp/godwit-evil.db").exists());
}

#[test]
fn what_is_denied_is_named() {
    let mut scratch = scratch();
    for (sql, code, words) in [
        ("SELECT random()", "42501", "a module may not use the function random() here"),
        ("PRAGMA user_version", "42501", "a module may not use PRAGMA user_version here"),
        ("ATTACH 'x' AS y", "42501", "a module may not attach or detach a database here"),
        ("EXPLAIN SELECT 1", "42501", "a module may not use EXPLAIN here"),
        ("SELECT ?1", "07001", "the statement takes 1 values, and 0 were given"),
        ("SELECT absent", "SQLITE_ERROR", "no such column: absent"),
        ("INSERT INTO users VALUES (1, 'x')", "SQLITE_CONSTRAINT_PRIMARYKEY", "UNIQUE constraint failed: users.id"),
    ] {
        let failure = scratch.execute(sql, &[]).unwrap_err();
        assert_eq!((failure.code.as_str(), failure.message.as_str()), (code, words), "{sql}");
    }
    let long = format!("SELECT '{}'", "x".repeat(10 << 20));
    assert_eq!(scratch.execute(&long, &[]).unwrap_err().code, "54000");
    let deep = format!("SELECT {}1{}", "(1+".repeat(5000), ")".repeat(5000));
    assert!(scratch.execute(&deep, &[]).is_err());
    let wide = format!("SELECT 1{}", " UNION SELECT 1".repeat(5000));
    assert!(scratch.execute(&wide, &[]).is_err());
    assert!(scratch.execute("SELECT ?1, ?999999", &[]).is_err());
    let surplus = scratch.execute("SELECT ?1", &[SqlValue::Null, SqlValue::Null]).unwrap_err();
    assert_eq!(surplus.code, "07001");
}

#[test]
fn values_come_back_as_they_went() {
    let mut scratch = scratch();
    let values = [
        SqlValue::Null,
        SqlValue::Integer(i64::MIN),
        SqlValue::Real(-0.5),
        SqlValue::Real(f64::INFINITY),
        text("a\0\u{feff}ü"),
        text(""),
        SqlValue::Bytes(vec![]),
        SqlValue::Bytes(vec![0, 255]),
    ];
    for value in values {
        let cursor = scratch.query("SELECT ?1 AS it", std::slice::from_ref(&value)).unwrap();
        assert_eq!(scratch.columns(cursor).unwrap(), ["it"]);
        assert_eq!(scratch.next(cursor, 10).unwrap(), [[value]]);
        scratch.close(cursor);
    }
    let truth = scratch.query("SELECT ?1", &[SqlValue::Boolean(true)]).unwrap();
    assert_eq!(scratch.next(truth, 1).unwrap(), [[SqlValue::Integer(1)]]);
    let odd = scratch.query("SELECT CAST(x'ff' AS TEXT) AS odd", &[]).unwrap();
    let failure = scratch.next(odd, 1).unwrap_err();
    assert!(failure.code == "22021" && failure.message.contains("\"odd\""), "{failure}");
    assert_eq!(scratch.next(odd, 1).unwrap(), Vec::<SqlRow>::new(), "a failed cursor is at its end");
}

#[test]
fn cursors_are_counted_and_end() {
    let mut scratch = scratch();
    let open: Vec<_> = (0..64).map(|_| scratch.query("SELECT id FROM users ORDER BY id", &[]).unwrap()).collect();
    for _ in 0..1000 {
        assert_eq!(scratch.query("SELECT 1", &[]).unwrap_err().code, "54000");
    }
    assert_eq!(scratch.next(open[0], 1).unwrap().len(), 1);
    assert_eq!(scratch.next(open[0], u32::MAX).unwrap().len(), 1);
    assert!(scratch.next(open[0], 1).unwrap().is_empty());
    assert!(scratch.next(open[0], 1).unwrap().is_empty(), "the end stays the end");
    assert!(scratch.next(open[1], 0).unwrap().is_empty());
    scratch.close(open[1]);
    scratch.close(open[1]);
    assert_eq!(scratch.next(open[1], 1).unwrap_err(), SqlFailure::no_cursor());
    assert_eq!(scratch.columns(open[1]).unwrap_err(), SqlFailure::no_cursor());
    assert_eq!(scratch.next(4_000_000, 1).unwrap_err(), SqlFailure::no_cursor());
    scratch.query("SELECT 1", &[]).unwrap();
    assert_eq!(scratch.execute("DROP TABLE users", &[]).unwrap_err().code, "SQLITE_LOCKED", "a cursor reads it");
}

#[test]
fn large_rows_come_a_few_at_a_time() {
    let mut scratch = scratch();
    let many =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 40) SELECT zeroblob(100000) FROM n";
    let cursor = scratch.query(many, &[]).unwrap();
    let first = scratch.next(cursor, u32::MAX).unwrap().len();
    assert!(first > 5 && first < 20, "{first}");
    let huge = format!("SELECT zeroblob(50000000){}", ", zeroblob(50000000)".repeat(9));
    let cursor = scratch.query(&huge, &[]).unwrap();
    assert_eq!(scratch.next(cursor, 1).unwrap_err().code, "54000");
}

#[test]
fn a_write_counts_its_rows() {
    let mut scratch = scratch();
    assert_eq!(scratch.execute("UPDATE users SET name = 'x'", &[]).unwrap(), 2);
    assert_eq!(scratch.execute("SELECT * FROM users", &[]).unwrap(), 0);
    assert_eq!(scratch.execute("CREATE TABLE t(a)", &[]).unwrap(), 0);
    assert_eq!(scratch.execute("UPDATE users SET name = 'x' WHERE id = 9", &[]).unwrap(), 0);
    let cursor = scratch.query("INSERT INTO t VALUES (1), (2) RETURNING a", &[]).unwrap();
    assert_eq!(one(scratch.as_mut(), "SELECT count(*) FROM t"), SqlValue::Integer(2), "done when `query` returns");
    assert_eq!(scratch.next(cursor, 9).unwrap().len(), 2);
}

#[test]
fn a_statement_without_end_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let mut target = filled(dir.path());
    for mut connection in [input(dir.path()), scratch(), on(target.as_mut())] {
        connection.end_by(Instant::now() + Duration::from_millis(50));
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
        let failure = connection.query(endless, &[]).unwrap_err();
        assert_eq!(failure.code, "SQLITE_INTERRUPT");
        connection.end_by(Instant::now() + Duration::from_mins(1));
        assert_eq!(one(connection.as_mut(), "SELECT count(*) FROM users"), SqlValue::Integer(2));
    }
}

#[test]
fn there_is_no_present() {
    let dir = tempfile::tempdir().unwrap();
    let mut target = filled(dir.path());
    for mut connection in [input(dir.path()), scratch(), on(target.as_mut())] {
        for sql in ["datetime('now')", "date()", "julianday('n' || 'ow')", "unixepoch()", "strftime('%s')"] {
            assert_eq!(one(connection.as_mut(), &format!("SELECT {sql}")), SqlValue::Null, "{sql}");
        }
    }
}

#[test]
fn scratch_gets_full() {
    let mut scratch = open_scratch(1 << 20).unwrap();
    scratch.execute("CREATE TABLE t(a)", &[]).unwrap();
    scratch.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
    let failure = scratch.execute("INSERT INTO t VALUES (zeroblob(2000000))", &[]).unwrap_err();
    assert_eq!(failure.code, "SQLITE_FULL");
    assert_eq!(failure.message, "the scratch database is full: it holds 1048576 bytes");
    assert_eq!(one(scratch.as_mut(), "SELECT count(*) FROM t"), SqlValue::Integer(1));
}
