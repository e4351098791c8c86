//! Ctrl-C: the run ends, what it began is taken back, and the target is as it was.

use std::fs;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use godwit_tests::{Outcome, Shop, godwit, modules};
use rustix::process::{Pid, Signal, kill_process};

use super::while_writing::many_devices;

/// Records enough that a run lasts some tenths of a second.
const RECORDS: u64 = 300_000;

fn started(shop: &Shop, arguments: &[&str]) -> Child {
    let mut command = godwit();
    command.current_dir(shop.dir()).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// A run that is in the middle of a stage.
pub(crate) fn started_until(shop: &Shop, stage: &str, arguments: &[&str]) -> Child {
    let logs = tempfile::tempdir().unwrap();
    let log = logs.path().join("log").display().to_string();
    let child = started(shop, &[arguments, &["--log", &log]].concat());
    let deadline = Instant::now() + Duration::from_secs(20);
    while !fs::read_to_string(&log).is_ok_and(|text| text.contains(stage)) {
        assert!(Instant::now() < deadline, "the stage {stage:?} never began");
        sleep(Duration::from_millis(1));
    }
    sleep(Duration::from_millis(20));
    child
}

fn interrupted(shop: &Shop, stage: &str, arguments: &[&str]) -> Outcome {
    let child = started_until(shop, stage, arguments);
    signal(&child, Signal::INT);
    child.wait_with_output().unwrap().into()
}

#[track_caller]
fn takes_everything_back(shop: &Shop, stage: &str, arguments: &[&str]) {
    let before = shop.tree();
    let said = interrupted(shop, stage, arguments).failed(130);
    assert!(said.contains("stopping; once more to stop at once") && said.contains("error: interrupted"), "{said}");
    assert_eq!(shop.tree(), before, "nothing changed, nothing left behind: {arguments:?}");
}

#[test]
fn an_interrupted_run_takes_everything_back() {
    let shop = Shop::new();
    shop.sql(&many_devices(RECORDS));
    let modules = modules().display().to_string();
    takes_everything_back(&shop, "back up records", &["backup", "-o", "new.tar"]);
    takes_everything_back(&shop, "back up records", &["backup", "-o", "new"]);
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    let migrate = ["migrate", "old.tar", "--to", "1.2.0", "-o", "new.tar", "--modules", &modules];
    takes_everything_back(&shop, "migrate records", &migrate);
    takes_everything_back(&shop, "verify the archive", &["restore", "old.tar", "--empty"]);
    takes_everything_back(&shop, "restore records", &["restore", "old.tar", "--empty"]);
    let upgrade = ["restore", "old.tar", "--empty", "--target-version", "1.2.0", "--modules", &modules];
    takes_everything_back(&shop, "restore records", &upgrade);
    takes_everything_back(&shop, "export records", &["export", "old.tar", "-o", "records"]);
    takes_everything_back(&shop, "dry run", &["plan", "old.tar", "--to", "1.2.0", "--modules", &modules]);
}

#[test]
fn a_termination_is_an_interruption() {
    let shop = Shop::new();
    shop.sql(&many_devices(RECORDS));
    let before = shop.tree();
    let child = started_until(&shop, "back up records", &["backup", "-o", "new.tar"]);
    signal(&child, Signal::TERM);
    Outcome::from(child.wait_with_output().unwrap()).failed(130);
    assert_eq!(shop.tree(), before);
}

#[test]
fn an_interrupted_run_can_be_run_again() {
    let shop = Shop::new();
    shop.sql(&many_devices(RECORDS));
    interrupted(&shop, "back up records", &["backup", "-o", "new.tar"]).failed(130);
    shop.godwit(&["backup", "-o", "new.tar"]).succeeded();
    shop.godwit(&["verify", "new.tar"]).succeeded();
}
