//! The processes that modules run in: what is in their room, and what becomes of a run when one dies.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use godwit_tests::tree;
use rustix::process::{Pid, Signal, kill_process};

use crate::range::{Range, Running, hostile};
use crate::table::is_worker;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A run whose module is in an endless loop, and its worker processes.
fn looping(range: &Range) -> (Running, Vec<u32>) {
    let running = range.start("migrate", &["--workers", "2", "--parameter", "behaviour=endless-transform"]);
    let parent = running.child.id();
    wait_for(|| workers_of(parent).iter().any(|&worker| is_busy(worker)));
    let workers = workers_of(parent);
    (running, workers)
}

fn wait_for(mut there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < PATIENCE, "it never came so far");
        thread::sleep(Duration::from_millis(20));
    }
}

fn workers_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    processes.filter(|&process| field(process, "PPid") == Some(parent.to_string()) && is_worker(process)).collect()
}

fn field(process: u32, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

/// Whether it has used a good part of a second: it runs the module by then.
fn is_busy(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().nth(11).and_then(|ticks| ticks.parse::<u64>().ok()).is_some_and(|ticks| ticks > 30)
}

fn signal(process: u32, signal: Signal) {
    kill_process(Pid::from_raw(process.try_into().unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn their_room_is_empty() {
    let range = Range::new(&hostile(|_| {}));
    let (running, workers) = looping(&range);
    assert_eq!(workers.len(), 2, "one for each thread");
    for &worker in &workers {
        assert_eq!(field(worker, "Seccomp").as_deref(), Some("2"), "system calls are filtered");
        assert_eq!(field(worker, "NoNewPrivs").as_deref(), Some("1"));
        // A process that hides its memory shows these to root only.
        if let Ok(environment) = fs::read(format!("/proc/{worker}/environ")) {
            assert!(environment.is_empty(), "{}", String::from_utf8_lossy(&environment));
        }
        if let Ok(files) = fs::read_dir(format!("/proc/{worker}/fd")) {
            let open: BTreeSet<_> = files.map(|file| fs::read_link(file.unwrap().path()).unwrap()).collect();
            assert_eq!(open.len(), 3, "two pipes and nothing else to write to: {open:?}");
        }
    }
    signal(running.child.id(), Signal::INT);
    assert_eq!(running.ended().status, Some(130));
}

#[test]
fn one_that_is_killed_ends_the_run_and_nothing_else() {
    let range = Range::new(&hostile(|_| {}));
    let before = tree(&range.path(""));
    let (running, workers) = looping(&range);
    workers.iter().filter(|&&worker| is_busy(worker)).for_each(|&worker| signal(worker, Signal::KILL));
    let ended = running.ended();
    assert_eq!(ended.status, Some(5), "{}", ended.stderr);
    assert!(ended.stderr.contains("evil/hostile died in transform, collection devices"), "{}", ended.stderr);
    assert!(ended.stderr.contains("signal: 9"), "{}", ended.stderr);
    assert_eq!(tree(&range.path("")), before, "something was left behind");
}

#[test]
fn they_die_with_the_program() {
    let range = Range::new(&hostile(|_| {}));
    let (running, workers) = looping(&range);
    signal(running.child.id(), Signal::KILL);
    running.ended();
    wait_for(|| !workers.iter().any(|&worker| is_worker(worker)));
}
