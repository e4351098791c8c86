//! The engine: wasmtime's settings, the cache of compiled code, and the clock of the time limit.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use wasmtime::{Cache, CacheConfig, Config, Engine};

use crate::limits::{Limits, STACK_BYTES, TICK};
use crate::{Granted, Module, Parameters, SandboxError};

/// How to set the sandbox up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where compiled code is kept between runs; none: nowhere. The directory must be writable by
    /// this user only: what lies there is run.
    pub cache: Option<PathBuf>,
    /// Once true, whatever runs in the sandbox is stopped at once.
    pub stop: Option<Arc<AtomicBool>>,
}

/// Compiles modules. One for the whole program.
pub struct Sandbox {
    pub(crate) engine: Engine,
    ticking: Arc<AtomicBool>,
}

impl Sandbox {
    /// Sets the engine up.
    pub fn new(options: &Options) -> Result<Self, SandboxError> {
        let mut config = deterministic();
        if let Some(directory) = &options.cache {
            config.cache(Some(open_cache(directory)?));
        }
        let engine = Engine::new(&config).map_err(|error| SandboxError::Engine(format!("{error:#}")))?;
        let ticking = Arc::new(AtomicBool::new(true));
        start_clock(engine.clone(), Arc::clone(&ticking), options.stop.clone());
        Ok(Self { engine, ticking })
    }

    /// Compiles a module and binds it to what the operator allows.
    pub fn grant(&self, module: &Module, parameters: Parameters, limits: Limits) -> Result<Granted, SandboxError> {
        Granted::new(self, module, parameters, limits)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.ticking.store(false, Ordering::Relaxed);
    }
}

/// More than any call's deadline is away; an atomic addition each.
const TICKS_PAST_ANY_DEADLINE: u32 = 1 << 20;

/// Speed from Cranelift; same bytes from same input: NaNs canonical, no relaxed SIMD, no threads.
fn deterministic() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES);
    config
}

fn open_cache(directory: &Path) -> Result<Cache, SandboxError> {
    let unusable = |problem: String| {
        SandboxError::Engine(format!("the cache directory {} cannot be used: {problem}", directory.display()))
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| unusable(error.to_string()))?;
    let mode = fs::metadata(directory).map_err(|error| unusable(error.to_string()))?.permissions().mode();
    if mode & 0o022 != 0 {
        return Err(unusable("others may write to it; make it yours alone (chmod 700)".to_owned()));
    }
    let mut config = CacheConfig::new();
    let directory = directory.canonicalize().map_err(|error| unusable(error.to_string()))?;
    config.with_directory(directory);
    Cache::new(config).map_err(|error| unusable(format!("{error:#}")))
}

fn start_clock(engine: Engine, ticking: Arc<AtomicBool>, stop: Option<Arc<AtomicBool>>) {
    let stopped = move || stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed));
    thread::spawn(move || {
        while ticking.load(Ordering::Relaxed) {
            thread::sleep(TICK);
            let ticks = if stopped() { TICKS_PAST_ANY_DEADLINE } else { 1 };
            (0..ticks).for_each(|_| engine.increment_epoch());
        }
    });
}
