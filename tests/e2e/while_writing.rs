//! A backup is one moment, whatever the application does meanwhile.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use godwit_tests::Shop;

const ACCOUNTS: u64 = 200_000;
const IN_ALL: u64 = ACCOUNTS * 100;

/// A script that adds devices to the sample, numbered from 100,000.
pub(crate) fn many_devices(count: u64) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 100000 UNION ALL SELECT i + 1 FROM n WHERE i < 99999 + {count}) \
         INSERT INTO devices (id, hostname, status, price, location, notes) \
         SELECT i, 'sw-' || i, 'up', i * 0.5, 'DC1/R08/U6', printf('%.40c', char(97 + i % 26)) FROM n"
    )
}

fn bank(journal_mode: &str) -> Shop {
    let shop = Shop::empty("1.0.0");
    shop.sql(&format!("PRAGMA journal_mode = {journal_mode}"));
    shop.sql("CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)");
    shop.sql(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ACCOUNTS}) \
         INSERT INTO accounts SELECT i, 100 FROM n"
    ));
    shop
}

/// Money goes from one end of the table to the other, so that a backup of two moments would count it twice or never.
fn transfer(shop: &Shop, number: u64) {
    let (from, to) = (1 + number % 1000, ACCOUNTS - number % 1000);
    let (from, to) = if number.is_multiple_of(2) { (from, to) } else { (to, from) };
    shop.sql(&format!(
        "BEGIN IMMEDIATE; UPDATE accounts SET balance = balance - 7 WHERE id = {from}; \
         UPDATE accounts SET balance = balance + 7 WHERE id = {to}; COMMIT"
    ));
}

/// Does the work while money is moved; how many transfers were committed meanwhile.
fn while_transferring(shop: &Shop, work: impl FnOnce()) -> u64 {
    let (done, count) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                transfer(shop, count.load(Ordering::Relaxed));
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        while count.load(Ordering::Relaxed) == 0 {
            thread::yield_now();
        }
        let before = count.load(Ordering::Relaxed);
        work();
        let after = count.load(Ordering::Relaxed);
        done.store(true, Ordering::Relaxed);
        after - before
    })
}

fn a_backup_holds_one_moment(journal_mode: &str) -> u64 {
    let shop = bank(journal_mode);
    let before = shop.query("SELECT group_concat(balance) FROM accounts");
    let transfers = while_transferring(&shop, || {
        shop.godwit(&["backup", "-o", "bank.tar", "--scope", "db"]).succeeded();
    });
    let copy = Shop::empty("1.0.0");
    copy.godwit(&["restore", &shop.arg("bank.tar")]).succeeded();
    for one in [&shop, &copy] {
        assert_eq!(one.query("SELECT sum(balance) FROM accounts"), IN_ALL.to_string());
    }
    assert_ne!(copy.query("SELECT group_concat(balance) FROM accounts"), before, "money was moved before it, too");
    transfers
}

#[test]
fn one_moment_with_a_write_ahead_log() {
    let transfers = a_backup_holds_one_moment("WAL");
    assert!(transfers > 0, "with a write-ahead log nobody waits for a backup");
}

#[test]
fn one_moment_with_a_rollback_journal() {
    a_backup_holds_one_moment("DELETE");
}
