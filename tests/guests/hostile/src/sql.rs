//! What SQL must not do: on `input`, which is there to be read, and on `scratch`, which is the module's own.

use godwit_sdk::bindings::godwit::migration::database::{Connection, Rows, Value};
use godwit_sdk::bindings::{Catalog, Chunk, Failure};

use crate::Behaviour::{self, Evolve, Transform};
use crate::failure;
use crate::tried::{short, tell};

pub(crate) const BEHAVIOURS: &[(&str, Behaviour)] = &[
    ("input-not-declared", Transform(|chunk| all(chunk, "input", NOT_DECLARED))),
    ("input-is-read-only", Transform(|chunk| all(chunk, "input", WRITES))),
    ("input-settings", Transform(|chunk| all(chunk, "input", SETTINGS))),
    ("input-clock-and-chance", Transform(|chunk| all(chunk, "input", CLOCK_AND_CHANCE))),
    ("input-growth", Transform(|chunk| all(chunk, "input", GROWTH))),
    ("input-statements", Transform(odd_statements)),
    ("input-values", Transform(odd_values)),
    ("input-cursors", Transform(odd_cursors)),
    ("input-endless-query", Transform(|chunk| each_row(chunk, ENDLESS_AT_ONCE))),
    ("input-endless-sort", Transform(|chunk| each_row(chunk, ENDLESS_SORT))),
    ("input-endless-rows", Transform(|chunk| each_row(chunk, ENDLESS_ROWS))),
    ("input-slow-functions", Transform(|chunk| each_row(chunk, SLOW))),
    ("input-many-large-values", Transform(many_large_values)),
    ("input-many-connections", Transform(many_connections)),
    ("connections-by-other-names", Transform(open_all)),
    ("connections-in-evolve", Evolve(open_all_in_evolve)),
    ("scratch-is-a-database", Transform(|chunk| all(chunk, "scratch", OWN))),
    ("scratch-has-no-more", Transform(|chunk| all(chunk, "scratch", MORE_THAN_OWN))),
    ("scratch-is-full", Transform(fill)),
    ("scratch-of-views", Transform(|chunk| all(chunk, "scratch", LAUGHING_VIEWS))),
];

const NOT_DECLARED: &[&str] = &[
    "SELECT count(*) FROM devices",
    "SELECT hostname FROM devices WHERE id = 1",
    "SELECT serial FROM devices",
    "SELECT count(*) FROM audit_log",
    "SELECT email FROM users",
    "SELECT rowid FROM devices WHERE id = 1",
    "SELECT count(*) FROM device_overview",
    "SELECT name FROM sqlite_schema",
    "SELECT sql FROM sqlite_master",
    "SELECT count(*) FROM sqlite_temp_schema",
    "SELECT name FROM pragma_table_info('devices')",
    "SELECT file FROM pragma_database_list",
    "SELECT name FROM pragma_function_list",
    "SELECT count(*) FROM dbstat",
    "SELECT data FROM sqlite_dbpage",
    "SELECT count(*) FROM temp.devices",
    "SELECT count(*) FROM main.audit_log",
    "SELECT value FROM json_each('[7]')",
    "SELECT readfile('/etc/passwd')",
    "SELECT * FROM fsdir('/')",
    "SELECT * FROM csv('/etc/passwd')",
];

const WRITES: &[&str] = &[
    "INSERT INTO devices (id) VALUES (7)",
    "REPLACE INTO devices (id) VALUES (7)",
    "UPDATE devices SET id = 7",
    "DELETE FROM devices",
    "WITH x AS (SELECT 1) DELETE FROM devices",
    "CREATE TABLE t (a)",
    "CREATE TEMP TABLE t (a)",
    "CREATE TABLE t AS SELECT 1",
    "CREATE INDEX i ON devices (id)",
    "CREATE VIEW v AS SELECT 1",
    "CREATE TEMP VIEW v AS SELECT 1",
    "CREATE TRIGGER t AFTER DELETE ON devices BEGIN SELECT 1; END",
    "CREATE VIRTUAL TABLE t USING fts5 (a)",
    "DROP TABLE devices",
    "ALTER TABLE devices RENAME TO x",
    "ALTER TABLE devices ADD COLUMN x",
    "ATTACH '/tmp/stolen.db' AS x",
    "ATTACH ':memory:' AS x",
    "DETACH main",
    "VACUUM",
    "VACUUM INTO '/tmp/stolen.db'",
    "ANALYZE",
    "REINDEX",
    "BEGIN",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "END",
    "ROLLBACK",
    "SAVEPOINT x",
    "RELEASE x",
    "ROLLBACK TO x",
];

const SETTINGS: &[&str] = &[
    "PRAGMA writable_schema = ON",
    "PRAGMA query_only = OFF",
    "PRAGMA trusted_schema = ON",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA mmap_size = 1000000000",
    "PRAGMA hard_heap_limit = 0",
    "PRAGMA soft_heap_limit = 1",
    "PRAGMA max_page_count = 4294967294",
    "PRAGMA temp_store_directory = '/tmp'",
    "PRAGMA temp_store = FILE",
    "PRAGMA threads = 8",
    "PRAGMA user_version",
    "PRAGMA user_version = 7",
    "PRAGMA schema_version = 7",
    "PRAGMA database_list",
    "PRAGMA table_list",
    "PRAGMA compile_options",
    "PRAGMA case_sensitive_like = ON",
    "PRAGMA integrity_check",
    "PRAGMA module_list",
    "PRAGMA no_such_thing",
    "SELECT load_extension('/tmp/evil.so')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT fts3_tokenizer('x', x'0000000000000000')",
    "SELECT sqlite_version()",
    "SELECT sqlite_source_id()",
    "SELECT sqlite_compileoption_get(1)",
    "SELECT sqlite_log(1, 'x')",
    "SELECT sqlite_rename_table(1, 2, 3, 4, 5, 6, 7)",
    "SELECT edit('x')",
    "SELECT subtype(1)",
];

const CLOCK_AND_CHANCE: &[&str] = &[
    "SELECT random()",
    "SELECT RANDOM()",
    "SELECT hex(randomblob(8))",
    "SELECT id FROM devices ORDER BY random() LIMIT 1",
    "SELECT datetime('now')",
    "SELECT datetime()",
    "SELECT date('now', 'localtime')",
    "SELECT julianday('now')",
    "SELECT strftime('%s', 'now')",
    "SELECT unixepoch('subsec')",
    "SELECT timediff('now', '2000-01-01')",
    "SELECT CURRENT_TIMESTAMP",
    "SELECT CURRENT_DATE",
    "SELECT current_time",
    "SELECT datetime('2026-01-01', 'localtime')",
    "SELECT datetime('2026-01-01', 'utc')",
    "SELECT datetime('2026-01-01', '+1 day')",
    "SELECT changes(), total_changes(), last_insert_rowid()",
];

const GROWTH: &[&str] = &[
    "SELECT length(printf('%.*c', 100000000, 'x'))",
    "SELECT length(printf('%2000000000d', 1))",
    "SELECT length(zeroblob(9223372036854775807))",
    "SELECT length(zeroblob(1000000000))",
    "SELECT length(randomblob(1000000000))",
    "SELECT length(hex(zeroblob(60000000)))",
    "SELECT length(replace(hex(zeroblob(5000)), '0', hex(zeroblob(10000))))",
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 100000) SELECT length(group_concat(printf('%1000d', x))) FROM c",
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 100000) SELECT length(json_group_array(printf('%1000d', x))) FROM c",
    "WITH RECURSIVE c(x) AS (SELECT 'x' UNION ALL SELECT x || x FROM c) SELECT length(x) FROM c WHERE length(x) > 100000000",
    "WITH RECURSIVE c(x) AS (SELECT printf('%1000000d', 1) UNION ALL SELECT x || 'x' FROM c LIMIT 500) SELECT count(DISTINCT x) FROM c",
    "SELECT 'x' LIKE replace(hex(zeroblob(5000)), '0', '%')",
    "SELECT abs(-9223372036854775808)",
    "SELECT sum(9223372036854775807) FROM devices",
];

const ENDLESS_AT_ONCE: &str = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c";
const ENDLESS_SORT: &str =
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c ORDER BY -x";
const ENDLESS_ROWS: &str = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c";

/// One call that takes the product of the lengths of its arguments.
const SLOW: &str = "SELECT instr(zeroblob(60000000), zeroblob(30000000) || x'01')";

const OWN: &[&str] = &[
    "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL UNIQUE)",
    "INSERT INTO t VALUES (1, 'one'), (2, 'two')",
    "CREATE INDEX i ON t (b)",
    "CREATE VIEW v AS SELECT * FROM t",
    "ALTER TABLE t ADD COLUMN c",
    "SELECT count(*) FROM v",
    "INSERT INTO t VALUES (1, 'again', NULL)",
    "INSERT OR ROLLBACK INTO t VALUES (1, 'again', NULL)",
    "SELECT count(*) FROM t",
    "DROP VIEW v",
    "DROP TABLE t",
];

const MORE_THAN_OWN: &[&str] = &[
    "CREATE TABLE t (a)",
    "CREATE TEMP TABLE u (a)",
    "CREATE TEMP TRIGGER u AFTER INSERT ON t BEGIN SELECT 1; END",
    "CREATE TRIGGER u AFTER INSERT ON t BEGIN INSERT INTO t VALUES (new.a + 1); END",
    "CREATE VIRTUAL TABLE u USING fts5 (a)",
    "CREATE TABLE r (a DEFAULT (random()))",
    "INSERT INTO r DEFAULT VALUES",
    "CREATE TABLE n (a DEFAULT CURRENT_TIMESTAMP)",
    "INSERT INTO n DEFAULT VALUES",
    "SELECT a FROM n",
    "CREATE TABLE l (a DEFAULT (load_extension('x')))",
    "INSERT INTO l DEFAULT VALUES",
    "ATTACH '/tmp/stolen.db' AS x",
    "VACUUM INTO '/tmp/stolen.db'",
    "PRAGMA max_page_count = 4294967294",
    "PRAGMA writable_schema = ON",
    "UPDATE sqlite_schema SET sql = 'x'",
    "DELETE FROM sqlite_schema",
    "INSERT INTO sqlite_sequence VALUES ('t', 7)",
    "BEGIN",
    "SAVEPOINT x",
    "SELECT count(*) FROM devices",
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 100000) INSERT INTO t SELECT zeroblob(1000000) FROM c",
];

/// Each view names the one before it four times.
const LAUGHING_VIEWS: &[&str] = &[
    "CREATE TABLE t (a)",
    "CREATE VIEW v1 AS SELECT a.a FROM t a, t b, t c, t d",
    "CREATE VIEW v2 AS SELECT a.a FROM v1 a, v1 b, v1 c, v1 d",
    "CREATE VIEW v3 AS SELECT a.a FROM v2 a, v2 b, v2 c, v2 d",
    "CREATE VIEW v4 AS SELECT a.a FROM v3 a, v3 b, v3 c, v3 d",
    "SELECT count(*) FROM v4",
    "CREATE VIEW w AS SELECT * FROM w",
    "SELECT * FROM w",
];

fn opened(name: &str) -> Result<Connection, Failure> {
    Connection::open(name).map_err(|refused| failure(format!("{name}: {}: {}", refused.code, refused.message)))
}

/// Runs a statement to the first rows that it gives, and tells how it ended.
pub(crate) fn attempt(connection: &Connection, sql: &str, values: &[Value]) -> String {
    match connection.query(sql, values).and_then(|rows| rows.next(3)) {
        Ok(rows) => format!("{rows:?}"),
        Err(refused) => format!("{}: {}", refused.code, refused.message),
    }
}

pub(crate) fn attempt_all(connection: &Connection, statements: &[&str]) {
    for sql in statements {
        tell(sql, &attempt(connection, sql, &[]));
    }
}

fn all(chunk: Chunk, name: &str, statements: &[&str]) -> Result<Vec<Chunk>, Failure> {
    attempt_all(&opened(name)?, statements);
    Ok(vec![chunk])
}

fn odd_statements(chunk: Chunk) -> Result<Vec<Chunk>, Failure> {
    let input = opened("input")?;
    let nested = |depth: usize| format!("SELECT {}1{}", "(".repeat(depth), ")".repeat(depth));
    let repeated = |part: &str, times: usize| vec![part; times].join(",");
    let statements = [
        String::new(),
        " -- nothing\n".to_owned(),
        ";".to_owned(),
        "SELECT 1;".to_owned(),
        "SELECT 1; SELECT 2".to_owned(),
        "SELECT 1; DELETE FROM devices".to_owned(),
        "SELECT 'open".to_owned(),
        "SELECT 1\0 FROM audit_log".to_owned(),
        "EXPLAIN SELECT 1".to_owned(),
        "EXPLAIN QUERY PLAN SELECT id FROM devices".to_owned(),
        "SELECT \u{1b}[2J\u{202e}".to_owned(),
        "no\u{1b}[31mthing".to_owned(),
        nested(50),
        nested(10_000),
        format!("SELECT {}", vec!["1"; 300].join("+")),
        format!("SELECT {}", repeated("1", 5_000)),
        vec!["SELECT 1"; 500].join(" UNION ALL "),
        format!("SELECT count(*) FROM {}", (0..70).map(|i| format!("devices d{i}")).collect::<Vec<_>>().join(",")),
        format!("SELECT 1 IN ({})", repeated("1", 300_000)),
        format!("SELECT coalesce({})", repeated("NULL", 200)),
        format!("SELECT '{}'", "x".repeat(10 << 20)),
        format!("SELECT {}", "x".repeat(900_000)),
    ];
    for sql in &statements {
        tell(&short(sql), &short(&attempt(&input, sql, &[])));
    }
    Ok(vec![chunk])
}

fn odd_values(chunk: Chunk) -> Result<Vec<Chunk>, Failure> {
    let input = opened("input")?;
    for values in [
        vec![],
        vec![Value::Null, Value::Null],
        vec![Value::Integer(i64::MIN)],
        vec![Value::Integer(i64::MAX)],
        vec![Value::Real(f64::NAN)],
        vec![Value::Real(f64::INFINITY)],
        vec![Value::Real(f64::NEG_INFINITY)],
        vec![Value::Real(-0.0)],
        vec![Value::Boolean(true)],
        vec![Value::Text("a\0b".to_owned())],
        vec![Value::Bytes(vec![])],
    ] {
        tell(&format!("SELECT ?1 of {values:?}"), &attempt(&input, "SELECT typeof(?1), ?1", &values));
    }
    for size in [60 << 20, 65 << 20] {
        let values = [Value::Bytes(vec![0; size])];
        tell(&format!("a value of {size} bytes"), &attempt(&input, "SELECT length(?)", &values));
        let [Value::Bytes(bytes)] = values else { continue };
        let text = [Value::Text(String::from_utf8(bytes).unwrap_or_default())];
        tell(&format!("a text of {size} bytes"), &attempt(&input, "SELECT octet_length(?)", &text));
    }
    let many = vec![Value::Null; 100_000];
    tell("100,000 values", &attempt(&input, "SELECT 1", &many));
    tell("the value 999999", &attempt(&input, "SELECT ?999999", &[]));
    tell("a named value", &attempt(&input, "SELECT :a, @b, $c, ?", &many[..4]));
    tell("a text that is not UTF-8", &attempt(&input, "SELECT CAST(x'fffe' AS TEXT)", &[]));
    Ok(vec![chunk])
}

fn odd_cursors(chunk: Chunk) -> Result<Vec<Chunk>, Failure> {
    let input = opened("input")?;
    let counted = |rows: &Rows, limit: u32| match rows.next(limit) {
        Ok(rows) => format!("{} rows", rows.len()),
        Err(refused) => format!("{}: {}", refused.code, refused.message),
    };
    let query = |sql: &str| input.query(sql, &[]).map_err(|refused| failure(refused.message));
    let numbers = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 25000) SELECT x FROM c";
    let rows = query(numbers)?;
    for limit in [0, u32::MAX, u32::MAX, u32::MAX, u32::MAX] {
        tell(&format!("next({limit})"), &counted(&rows, limit));
    }
    let mut held = vec![];
    let refused = loop {
        match input.query(numbers, &[]) {
            Ok(rows) => held.push(rows),
            Err(refused) => break refused,
        }
    };
    tell(&format!("{} cursors", held.len() + 1), &format!("{}: {}", refused.code, refused.message));
    let other = opened("input")?;
    tell("a second connection", &attempt(&other, "SELECT 1", &[]));
    drop((input, other));
    tell("a cursor whose connection was closed", &held.first().map(|rows| counted(rows, 1)).unwrap_or_default());
    Ok(vec![chunk])
}

fn each_row(chunk: Chunk, sql: &str) -> Result<Vec<Chunk>, Failure> {
    let input = opened("input")?;
    let refused = |refused: godwit_sdk::bindings::godwit::migration::database::Failure| {
        failure(format!("{}: {}", refused.code, refused.message))
    };
    let rows = input.query(sql, &[]).map_err(refused)?;
    while !rows.next(u32::MAX).map_err(refused)?.is_empty() {}
    Ok(vec![chunk])
}

/// Sixty cursors, each on a row of 64 MiB.
fn many_large_values(chunk: Chunk) -> Result<Vec<Chunk>, Failure> {
    let input = opened("input")?;
    let mut held = vec![];
    for i in 0..60 {
        match input.query("SELECT zeroblob(60000000) || x'00'", &[]) {
            Ok(rows) => held.push(rows),
            Err(refused) => {
                tell(&format!("value {i}"), &format!("{}: {}", refused.code, refused.message));
                break;
            }
        }
    }
    Ok(vec![chunk])
}

fn many_connections(_: Chunk) -> Result<Vec<Chunk>, Failure> {
    let mut held = vec![];
    loop {
        held.push(opened("input")?);
    }
}

const NAMES: &[&str] = &[
    "input",
    "scratch",
    "target",
    "",
    "INPUT",
    "Input",
    " input",
    "input ",
    "input\0",
    "input\u{1b}[2J",
    "main",
    "temp",
    "sqlite:///etc/passwd",
    "/etc/passwd",
    "0",
    "../input",
];

pub(crate) fn open_by_all_names() {
    for name in NAMES {
        let outcome = match Connection::open(name) {
            Ok(_) => "answers".to_owned(),
            Err(refused) => format!("{}: {}", refused.code, refused.message),
        };
        tell(&format!("open({name:?})"), &outcome);
    }
}

fn open_all(chunk: Chunk) -> Result<Vec<Chunk>, Failure> {
    open_by_all_names();
    Ok(vec![chunk])
}

fn open_all_in_evolve(catalog: Catalog) -> Result<Catalog, Failure> {
    open_by_all_names();
    Ok(catalog)
}

/// Until nothing more fits.
fn fill(chunk: Chunk) -> Result<Vec<Chunk>, Failure> {
    let scratch = opened("scratch")?;
    tell("a table", &attempt(&scratch, "CREATE TABLE t (a)", &[]));
    for i in 0..10_000 {
        if let Err(refused) = scratch.execute("INSERT INTO t VALUES (zeroblob(1000000))", &[]) {
            tell(&format!("MB {i}"), &format!("{}: {}", refused.code, refused.message));
            break;
        }
    }
    tell("what was there", &attempt(&scratch, "SELECT count(*) FROM t", &[]));
    tell("room again", &attempt(&scratch, "DELETE FROM t", &[]));
    tell("another", &attempt(&scratch, "INSERT INTO t VALUES (zeroblob(1000000))", &[]));
    Ok(vec![chunk])
}
