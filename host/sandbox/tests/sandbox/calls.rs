//! Calls: instances reused, outputs repeated, limits held.

use std::time::{Duration, Instant};

use godwit_sandbox::{Excess, Limits, LogLevel, Options, Sandbox, SandboxError, limits};

use crate::fixture::{DEVICES, granted, lines, module, parameters, sandbox, transform};

#[test]
fn an_instance_serves_many_calls_and_all_instances_answer_alike() {
    let granted = granted("run-values", Limits::default());
    let (mut one, mut other) = (granted.instantiate().unwrap(), granted.instantiate().unwrap());
    let first = transform(&mut one).unwrap();
    for _ in 0..1_000 {
        assert_eq!(transform(&mut one).unwrap(), first);
    }
    assert_eq!(transform(&mut other).unwrap(), first);
    assert!(lines(&first).contains("\"notes\":\"2026-01-02T03:04:05Z 00000000000000ff\""));
}

#[test]
fn another_sandbox_and_other_threads_answer_alike() {
    let granted = granted("run-values", Limits::default());
    let other = Sandbox::new(&Options::default()).unwrap();
    let elsewhere = other.grant(&module(|_| {}), &parameters("run-values"), Limits::default()).unwrap();
    let expected = transform(&mut elsewhere.instantiate().unwrap()).unwrap();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let granted = granted.clone();
            std::thread::spawn(move || transform(&mut granted.instantiate().unwrap()).unwrap())
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), expected);
    }
}

#[test]
fn a_stopped_instance_answers_with_an_error_ever_after() {
    let mut instance = granted("panic", Limits::default()).instantiate().unwrap();
    for _ in 0..2 {
        assert!(matches!(transform(&mut instance), Err(SandboxError::Trapped { .. })));
    }
}

#[test]
fn time_is_counted_for_each_call() {
    let limits = Limits { call_time: Duration::from_millis(200), ..Limits::default() };
    let mut instance = granted("none", limits).instantiate().unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(700) {
        transform(&mut instance).unwrap();
    }
    let start = Instant::now();
    let stopped = transform(&mut granted("endless-transform", limits).instantiate().unwrap());
    assert!(matches!(stopped, Err(SandboxError::Exceeded { excess: Excess::Time(_), .. })), "{stopped:?}");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn no_time_at_all_is_a_little_time() {
    let limits = Limits { call_time: Duration::ZERO, ..Limits::default() };
    // On a busy machine its very start may take longer.
    let started = granted("endless-transform", limits).instantiate();
    let stopped = started.and_then(|mut instance| transform(&mut instance));
    assert!(matches!(stopped, Err(SandboxError::Exceeded { excess: Excess::Time(_), .. })), "{stopped:?}");
}

#[test]
fn output_is_limited_to_the_byte() {
    let room = |output_bytes| Limits { output_bytes, ..Limits::default() };
    transform(&mut granted("none", room(DEVICES.len())).instantiate().unwrap()).unwrap();
    let stopped = transform(&mut granted("none", room(DEVICES.len() - 1)).instantiate().unwrap());
    assert!(matches!(stopped, Err(SandboxError::Exceeded { excess: Excess::Output(_), .. })), "{stopped:?}");
}

/// The engine's own limit for what crosses the boundary is told by its words; here is who notices when they change.
#[test]
fn output_over_the_engines_own_limit_is_told_as_output() {
    let limits = Limits { output_bytes: 1 << 20, ..Limits::default() };
    let stopped = transform(&mut granted("too-much-output", limits).instantiate().unwrap());
    assert!(matches!(stopped, Err(SandboxError::Exceeded { excess: Excess::Output(_), .. })), "{stopped:?}");
}

#[test]
fn memory_is_limited() {
    let limits = Limits { memory_bytes: 8 << 20, ..Limits::default() };
    let stopped = transform(&mut granted("hoard", limits).instantiate().unwrap());
    assert!(matches!(stopped, Err(SandboxError::Exceeded { excess: Excess::Memory(_), .. })), "{stopped:?}");
    let limits = Limits { memory_bytes: 1 << 10, ..Limits::default() };
    let refused = granted("none", limits).instantiate().err();
    assert!(matches!(refused, Some(SandboxError::Exceeded { excess: Excess::Memory(_), .. })), "{refused:?}");
}

#[test]
fn a_log_has_an_end_and_lines_have_too() {
    let mut instance = granted("million-log-lines", Limits::default()).instantiate().unwrap();
    transform(&mut instance).unwrap();
    let log = instance.take_log();
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].level, log[0].message.as_str()), (LogLevel::Warn, "again (1000000 times)"));
    assert_eq!(instance.take_log(), []);

    let mut instance = granted("huge-log-line", Limits::default()).instantiate().unwrap();
    transform(&mut instance).unwrap();
    assert!(instance.take_log().iter().all(|line| line.message.len() < limits::TEXT_BYTES + 32));

    let mut instance = granted("panic-after-many-log-lines", Limits::default()).instantiate().unwrap();
    assert!(transform(&mut instance).unwrap_err().to_string().contains("rack 1 is on fire"));
    assert_eq!(instance.take_log().len(), limits::LOG_LINES + 1);
}

#[test]
fn records_keep_their_number_in_the_collection() {
    let mut instance = granted("shouting-failure", Limits::default()).instantiate().unwrap();
    let name = godwit_model::CollectionName::new("devices").unwrap();
    let Err(SandboxError::Failed { failure, .. }) = instance.transform(&name, 7, DEVICES.to_vec()) else {
        panic!("it fails");
    };
    assert_eq!(failure.record, Some(u64::MAX));
    assert!(failure.message.len() <= limits::TEXT_BYTES * 2 && failure.field.unwrap().len() < 300);
}

#[test]
fn an_unknown_behaviour_is_the_modules_own_failure() {
    let granted = sandbox().grant(&module(|_| {}), &parameters("no\u{1b}such"), Limits::default()).unwrap();
    let error = transform(&mut granted.instantiate().unwrap()).unwrap_err();
    assert!(error.to_string().ends_with("there is no behaviour no\u{fffd}such"), "{error}");
}
