//! Two runs, or a run and the application, at the same place: one waits its turn and says so.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};

use godwit_tests::{Shop, sqlite3};
use rustix::process::Signal;

use super::interrupted::{signal, started_until};
use super::readable::Refusals;
use super::while_writing::many_devices;

/// While a run is held in the middle of a stage, another one is refused; then the first ends well.
fn refuses_a_second_run(refusals: &mut Refusals, shop: &Shop, stage: &str, arguments: &[&str]) {
    let first = started_until(shop, stage, arguments);
    signal(&first, Signal::STOP);
    let second = shop.godwit(arguments);
    signal(&first, Signal::CONT);
    refusals.said(stage, &second, 7);
    let ended = first.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn a_second_run_is_refused() {
    let shop = Shop::new();
    shop.sql(&many_devices(100_000));
    let mut refusals = Refusals::new();
    refuses_a_second_run(&mut refusals, &shop, "back up records", &["backup", "-o", "old.tar"]);
    refuses_a_second_run(&mut refusals, &shop, "restore records", &["restore", "old.tar", "--empty"]);
    refuses_a_second_run(&mut refusals, &shop, "export records", &["export", "old.tar", "-o", "records"]);
    refusals.compare("second-run");
}

/// The application in the middle of a transaction.
fn application(shop: &Shop) -> Option<Child> {
    let mut shell = sqlite3()?;
    let mut child = shell.arg(shop.database()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.as_mut().unwrap(), "BEGIN IMMEDIATE; DELETE FROM sessions; SELECT 'ready';").unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    Some(child)
}

#[test]
fn a_database_in_use_is_not_replaced() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    let Some(mut application) = application(&shop) else { return };
    let mut refusals = Refusals::new();
    refusals.case(&shop, "the application writes", &["restore", "old.tar", "--empty"], 7);
    refusals.compare("in-use");
    writeln!(application.stdin.as_mut().unwrap(), "COMMIT;").unwrap();
    drop(application.stdin.take());
    assert!(application.wait().unwrap().success());
    assert_eq!(shop.query("SELECT count(*) FROM sessions"), "0", "the application's transaction is kept");
    shop.godwit(&["restore", "old.tar", "--empty"]).succeeded();
    assert_eq!(shop.query("SELECT count(*) FROM sessions"), "4");
}
