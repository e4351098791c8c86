//! A backup taken while others write shows one moment.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};

use common::*;

const ACCOUNTS: i64 = 2000;

fn bank(path: &std::path::Path, mode: &str) {
    make(
        path,
        &format!(
            "PRAGMA journal_mode = {mode}; CREATE TABLE a(id INTEGER PRIMARY KEY, amount INT NOT NULL);
             CREATE TABLE b(id INTEGER PRIMARY KEY, amount INT NOT NULL);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ACCOUNTS}) INSERT INTO a SELECT i, 100 FROM n;
             INSERT INTO b SELECT id, 100 FROM a;"
        ),
    );
}

/// Moves money from one table to the other; answers how often it did.
fn transfer(path: &std::path::Path, stop: &AtomicBool) -> u64 {
    let mut connection = connect(path);
    let mut done = 0;
    while !stop.load(Ordering::Relaxed) {
        let id = done * 7 % ACCOUNTS + 1;
        let other = ACCOUNTS + 1 - id;
        let sql = format!(
            "BEGIN IMMEDIATE; UPDATE a SET amount = amount - 1 WHERE id = {id}; UPDATE b SET amount = amount + 1 WHERE id = {other}; COMMIT;"
        );
        run(&mut connection, &sql);
        done += 1;
    }
    close(connection);
    u64::try_from(done).unwrap()
}

fn sums_stay_constant(mode: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bank.db");
    bank(&path, mode);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| transfer(&path, &stop));
        for round in 0..8 {
            let copied = dir.path().join(format!("copy{round}.db"));
            copy(&path, &copied);
            let sum = "SELECT (SELECT sum(amount) FROM a) + (SELECT sum(amount) FROM b)";
            assert_eq!(scalar(&copied, sum), (2 * ACCOUNTS * 100).to_string(), "{mode}");
        }
        stop.store(true, Ordering::Relaxed);
        assert!(writer.join().unwrap() > 0, "the writer came to write");
    });
}

#[test]
fn with_a_wal() {
    sums_stay_constant("WAL");
}

#[test]
fn with_a_rollback_journal() {
    sums_stay_constant("DELETE");
}

#[test]
fn with_a_wal_the_writer_does_not_wait() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bank.db");
    bank(&path, "WAL");
    let mut source = source(&path);
    let mut writer = connect(&path);
    run(&mut writer, "UPDATE a SET amount = 0");
    close(writer);
    let id = source.catalog().collections().next().unwrap().0;
    let mut lines = String::new();
    source
        .read(&id, &mut |chunk| {
            lines.push_str(&String::from_utf8(chunk.body.into_lines()?).unwrap());
            Ok(())
        })
        .unwrap();
    assert!(
        lines.contains("\"amount\":100") && !lines.contains("\"amount\":0}"),
        "the source shows the moment it was opened"
    );
}
