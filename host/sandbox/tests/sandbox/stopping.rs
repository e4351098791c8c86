//! The stop flag ends whatever runs, at once, however much time it has left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use godwit_model::{Database, EngineKind, Fault, FaultClass};
use godwit_sandbox::{Granted, Limits, Options, Sandbox, SandboxError};

use crate::fixture::{module, parameters, transform};

const AT_ONCE: Duration = Duration::from_secs(1);

struct Stoppable {
    granted: Granted,
    stop: Arc<AtomicBool>,
    _clock: Sandbox,
}

fn stoppable(behaviour: &str) -> Stoppable {
    let stop = Arc::new(AtomicBool::new(false));
    let sandbox = Sandbox::new(&Options { cache: None, stop: Some(Arc::clone(&stop)) }).unwrap();
    let limits = Limits { call_time: Duration::MAX, ..Limits::default() };
    let granted = sandbox.grant(&module(|_| {}), &parameters(behaviour), limits).unwrap();
    Stoppable { granted, stop, _clock: sandbox }
}

impl Stoppable {
    /// Asks for the end a little later; answers when it was.
    fn stop_soon(&self) -> thread::JoinHandle<Instant> {
        let stop = Arc::clone(&self.stop);
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(200));
            stop.store(true, Ordering::Relaxed);
            Instant::now()
        })
    }
}

fn is_interrupted<T>(result: Result<T, SandboxError>) -> bool {
    let Err(error) = result else { return false };
    matches!(error, SandboxError::Interrupted { .. }) && Fault::from(error).class() == FaultClass::Interrupted
}

#[test]
fn a_loop_in_transform_ends() {
    let run = stoppable("endless-transform");
    let stopped = run.stop_soon();
    assert!(is_interrupted(transform(&mut run.granted.instantiate().unwrap())));
    assert!(stopped.join().unwrap().elapsed() < AT_ONCE);
    // And nothing starts any more that runs for long.
    assert!(is_interrupted(transform(&mut run.granted.instantiate().unwrap())));
}

#[test]
fn a_loop_in_evolve_ends() {
    let run = stoppable("endless-evolve");
    let stopped = run.stop_soon();
    assert!(is_interrupted(run.granted.evolve(&Database::new(EngineKind::Sqlite))));
    assert!(stopped.join().unwrap().elapsed() < AT_ONCE);
}

#[test]
fn without_being_asked_nothing_stops() {
    let run = stoppable("none");
    transform(&mut run.granted.instantiate().unwrap()).unwrap();
    assert!(!run.stop.load(Ordering::Relaxed));
}
