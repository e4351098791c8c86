//! What must not become of the live target. A module gets it in `verify`.

use godwit_sdk::bindings::Failure;
use godwit_sdk::bindings::godwit::migration::database::Connection;

use crate::Behaviour::{self, Verify};
use crate::failure;
use crate::sql::{attempt, attempt_all, open_by_all_names};
use crate::tried::tell;

pub(crate) const BEHAVIOURS: &[(&str, Behaviour)] = &[
    ("target-not-granted", Verify(|| all(NOT_GRANTED))),
    ("target-is-no-playground", Verify(|| all(OUTSIDE))),
    ("target-opens", Verify(open_all)),
    ("target-is-changed", Verify(|| all(&["UPDATE devices SET notes = 'checked' WHERE id <= 3"]))),
    ("target-is-emptied", Verify(|| all(&["DELETE FROM devices"]))),
    ("target-broken-reference", Verify(|| all(&["UPDATE devices SET owner_id = 9999 WHERE id = 1"]))),
    ("target-rolled-back", Verify(|| all(ROLLED_BACK))),
    ("target-changed-then-failing", Verify(change_and_fail)),
    ("target-changed-then-panicking", Verify(change_and_panic)),
    ("target-endless-statement", Verify(|| all(&[ENDLESS]))),
    ("target-endless-statements", Verify(endless_statements)),
    ("target-slow-functions", Verify(slow_functions)),
    ("target-forged-statement", Verify(|| all(&["SELECT 1 /* \u{1b}[2J\nerror: all is lost\u{202e} */"]))),
];

/// `devices` may be written, `users` read.
const NOT_GRANTED: &[&str] = &[
    "SELECT count(*) > 0 FROM devices",
    "SELECT count(*) > 0 FROM users",
    "SELECT count(*) FROM audit_log",
    "SELECT (SELECT count(*) FROM audit_log)",
    "WITH x AS (SELECT * FROM audit_log) SELECT * FROM x",
    "SELECT EXISTS (SELECT 1 FROM sessions)",
    "SELECT id FROM devices WHERE id IN (SELECT device_id FROM device_tags)",
    "SELECT d.id FROM devices d, links l",
    "SELECT id FROM devices ORDER BY (SELECT count(*) FROM sessions)",
    "SELECT * FROM device_overview",
    "SELECT token FROM main.sessions",
    "WITH devices_status_log AS (SELECT token FROM sessions) SELECT * FROM devices_status_log",
    "WITH users_end_sessions AS MATERIALIZED (SELECT token FROM sessions) SELECT * FROM users_end_sessions",
    "SELECT * FROM (SELECT token FROM sessions) AS devices_status_log",
    "UPDATE devices SET notes = (SELECT group_concat(token) FROM sessions)",
    "UPDATE devices SET notes = token FROM sessions",
    "UPDATE devices SET notes = 'x' WHERE id = 1 RETURNING (SELECT count(*) FROM sessions)",
    "INSERT INTO devices (id, hostname, status) SELECT 7000, token, 'up' FROM sessions",
    "INSERT INTO devices (id, hostname, status) VALUES (1, 'a', 'up') ON CONFLICT (id) DO UPDATE SET notes = (SELECT token FROM sessions)",
    "UPDATE users SET role = 'admin'",
    "DELETE FROM users",
    "INSERT INTO users (full_name, role, created_at) VALUES ('x', 'admin', 'x')",
    "REPLACE INTO users (id, full_name, role, created_at) VALUES (1, 'x', 'admin', 'x')",
    "DELETE FROM sessions",
    "INSERT INTO audit_log (action) VALUES ('x')",
    "SELECT name FROM sqlite_schema",
    "SELECT * FROM sqlite_sequence",
    "UPDATE sqlite_sequence SET seq = 0",
    "SELECT name FROM pragma_table_list",
    "SELECT * FROM pragma_table_info('sessions')",
    "SELECT * FROM json_each('[7]')",
    "SELECT count(*) FROM dbstat",
];

const OUTSIDE: &[&str] = &[
    "CREATE TABLE t (a)",
    "CREATE TEMP TABLE t (a)",
    "CREATE INDEX i ON devices (notes)",
    "CREATE VIEW v AS SELECT * FROM sessions",
    "CREATE TEMP VIEW v AS SELECT * FROM sessions",
    "CREATE TRIGGER t AFTER UPDATE ON devices BEGIN DELETE FROM sessions; END",
    "CREATE TEMP TRIGGER t AFTER UPDATE ON devices BEGIN DELETE FROM sessions; END",
    "DROP TABLE devices",
    "DROP TRIGGER devices_status_log",
    "ALTER TABLE devices ADD COLUMN x",
    "ALTER TABLE devices RENAME TO x",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA ignore_check_constraints = ON",
    "PRAGMA writable_schema = ON",
    "PRAGMA user_version = 7",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA database_list",
    "COMMIT",
    "END",
    "ROLLBACK",
    "BEGIN",
    "SAVEPOINT x",
    "RELEASE x",
    "ATTACH '/tmp/stolen.db' AS x",
    "DETACH main",
    "VACUUM",
    "VACUUM INTO '/tmp/stolen.db'",
    "ANALYZE",
    "REINDEX",
    "EXPLAIN SELECT 1",
    "SELECT 1; DELETE FROM devices",
    "SELECT load_extension('/tmp/evil.so')",
    "SELECT random()",
    "SELECT datetime('now')",
    "SELECT zeroblob(1000000000)",
    "SELECT sqlite_version()",
];

/// SQLite ends the whole transaction upon a conflict, if it is told so.
const ROLLED_BACK: &[&str] = &[
    "INSERT OR ROLLBACK INTO devices (id, hostname, status) SELECT id, hostname, status FROM devices",
    "SELECT count(*) FROM devices",
    "UPDATE devices SET notes = 'outside of any transaction'",
];

const ENDLESS: &str = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c";

fn opened() -> Result<Connection, Failure> {
    Connection::open("target").map_err(|refused| failure(format!("{}: {}", refused.code, refused.message)))
}

/// Where there is no target, there is nothing to be done.
fn all(statements: &[&str]) -> Result<(), Failure> {
    match Connection::open("target") {
        Ok(target) => attempt_all(&target, statements),
        Err(refused) => tell("open(\"target\")", &format!("{}: {}", refused.code, refused.message)),
    }
    Ok(())
}

fn open_all() -> Result<(), Failure> {
    open_by_all_names();
    Ok(())
}

fn change() -> Result<(), Failure> {
    let target = opened()?;
    tell("DELETE FROM devices", &attempt(&target, "DELETE FROM devices", &[]));
    Ok(())
}

fn change_and_fail() -> Result<(), Failure> {
    change()?;
    Err(failure("all devices are gone"))
}

fn change_and_panic() -> Result<(), Failure> {
    change()?;
    panic!("all devices are gone");
}

fn endless_statements() -> Result<(), Failure> {
    let target = opened()?;
    loop {
        attempt(&target, "SELECT count(*) FROM devices", &[]);
    }
}

/// Functions that take the product of their arguments' lengths, or as long as a number says: nobody can interrupt SQLite
/// inside of one.
const SLOW: &[&str] = &[
    "SELECT length(printf('%.*c', 2147483647, 'x'))",
    "SELECT length(format('%.*c', 2147483647, 'x'))",
    "SELECT instr(a, b) FROM (SELECT zeroblob(600000) AS a, zeroblob(300000) || x'01' AS b)",
    "SELECT length(replace(a, b, '')) FROM (SELECT hex(zeroblob(300000)) AS a, hex(zeroblob(150000)) || '1' AS b)",
    "SELECT length(trim(a, b)) FROM (SELECT hex(zeroblob(300000)) AS a, hex(zeroblob(150000)) AS b)",
    "SELECT length(ltrim(a, b)) FROM (SELECT hex(zeroblob(300000)) AS a, hex(zeroblob(150000)) AS b)",
    "SELECT length(rtrim(a, b)) FROM (SELECT hex(zeroblob(300000)) AS a, hex(zeroblob(150000)) AS b)",
    "SELECT length(unhex(a, b)) FROM (SELECT hex(zeroblob(300000)) AS a, hex(zeroblob(150000)) AS b)",
    "SELECT length(json_patch(a, b)) FROM (SELECT '{}' AS a, '{}' AS b)",
    "SELECT length(jsonb_patch(a, b)) FROM (SELECT '{}' AS a, '{}' AS b)",
];

/// Some of them short enough to be let pass, but for how many there are.
fn slow_functions() -> Result<(), Failure> {
    all(SLOW)?;
    let (value, pattern) = ("SELECT hex(zeroblob(500000)) AS a", "'%' || hex(zeroblob(40)) || 'x'");
    let compared = |times: usize, pattern: &str| {
        format!("SELECT {} FROM ({value})", vec![format!("(a LIKE {pattern})"); times].join(" + "))
    };
    all(&[&compared(1, pattern), &compared(1, "hex(zeroblob(60))"), &compared(20, pattern), &compared(21, pattern)])
}
