//! Ctrl-C while a module runs and will not end.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use godwit_tests::tree;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::range::{Range, Running, hostile};

/// Far below the 30 seconds that the module may run.
const PROMPTLY: Duration = Duration::from_secs(5);

fn interrupted(behaviour: &str, stage: &str) {
    interrupted_in(&Range::new(&hostile(|_| {})), "migrate", behaviour, stage);
}

fn interrupted_in(range: &Range, command: &str, behaviour: &str, stage: &str) {
    let before = tree(&range.path(""));
    let log = tempfile::NamedTempFile::new().unwrap();
    let (behaviour, file) = (format!("behaviour={behaviour}"), log.path().display().to_string());
    let running = range.start(command, &["--log", &file, "--parameter", &behaviour]);
    let start = wait_for(|| fs::read_to_string(log.path()).unwrap().contains(stage));
    // The stage is told before its first chunk is on its way.
    thread::sleep(Duration::from_millis(500));
    signal(&running);
    let ended = running.ended();
    assert_eq!(ended.status, Some(130), "{}", ended.stderr);
    assert!(start.elapsed() < PROMPTLY, "{:?}", start.elapsed());
    assert!(ended.stderr.contains("interrupted"), "{}", ended.stderr);
    assert_eq!(tree(&range.path("")), before, "something was left behind");
}

fn wait_for(mut there: impl FnMut() -> bool) -> Instant {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_secs(20), "it never came so far");
        thread::sleep(Duration::from_millis(10));
    }
    Instant::now()
}

fn signal(running: &Running) {
    let process = Pid::from_raw(running.child.id().try_into().unwrap()).unwrap();
    kill_process(process, Signal::INT).unwrap();
}

#[test]
fn a_loop_in_transform_is_interrupted() {
    interrupted("endless-transform", "migrate records");
}

#[test]
fn a_loop_in_evolve_is_interrupted() {
    interrupted("endless-evolve", "verify the archive");
}

#[test]
fn a_loop_in_finish_is_interrupted() {
    interrupted("endless-finish", "migrate records");
}

/// Here it is not the module that is in a loop but a database, in the program's own process.
#[test]
fn a_statement_on_the_live_target_is_interrupted() {
    let range = Range::live(&hostile(|manifest| manifest["target"] = json!({ "devices": "read" })));
    interrupted_in(&range, "restore", "target-endless-statement", "restore records");
}
