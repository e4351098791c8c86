//! The engine: wasmtime's settings, the cache of compiled code, and the clock of the time limit.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::geteuid;
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

impl Options {
    /// Whether compiled code can be kept where it is to be.
    ///
    /// # Errors
    /// The directory cannot be made or written, or others may write to it.
    pub fn check_cache(&self) -> Result<(), SandboxError> {
        self.cache.as_deref().map_or(Ok(()), |cache| open_cache(cache).map(drop))
    }
}

/// Compiles modules. One for the whole program.
pub struct Sandbox {
    pub(crate) engine: Engine,
    pub(crate) stop: Arc<AtomicBool>,
    cache: Option<Cache>,
    ticking: Arc<AtomicBool>,
}

impl Sandbox {
    /// Sets the engine up.
    pub fn new(options: &Options) -> Result<Self, SandboxError> {
        let mut config = deterministic();
        let cache = options.cache.as_deref().map(open_cache).transpose()?;
        config.cache(cache.clone()).epoch_interruption(true);
        let engine = new_engine(&config)?;
        let ticking = Arc::new(AtomicBool::new(true));
        start_clock(engine.clone(), Arc::clone(&ticking));
        Ok(Self { engine, stop: options.stop.clone().unwrap_or_default(), cache, ticking })
    }

    /// Compiles a module and binds it to what the operator allows.
    pub fn grant(&self, module: &Module, parameters: &Parameters, limits: Limits) -> Result<Granted, SandboxError> {
        Granted::new(self, module, parameters, limits)
    }

    /// How many modules needed no compiling, since the cache had their code.
    pub fn cache_hits(&self) -> usize {
        self.cache.as_ref().map_or(0, Cache::cache_hits)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.ticking.store(false, Ordering::Relaxed);
    }
}

/// Speed from Cranelift; same bytes from same input: NaNs canonical, no relaxed SIMD, no threads.
fn deterministic() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .max_wasm_stack(STACK_BYTES);
    config
}

/// For compiling what workers run. Their time is up to the parent, so their code does not look at it.
pub(crate) fn for_workers(options: &Options) -> Result<Engine, SandboxError> {
    let mut config = worker_settings();
    config.cache(options.cache.as_deref().map(open_cache).transpose()?);
    new_engine(&config)
}

/// The same without a compiler's cache, inside a worker.
pub(crate) fn of_workers() -> Result<Engine, SandboxError> {
    new_engine(&worker_settings())
}

/// A worker may write no file, not even one in memory.
fn worker_settings() -> Config {
    let mut config = deterministic();
    config.memory_init_cow(false);
    config
}

fn new_engine(config: &Config) -> Result<Engine, SandboxError> {
    Engine::new(config).map_err(|error| SandboxError::Engine(format!("{error:#}")))
}

fn open_cache(directory: &Path) -> Result<Cache, SandboxError> {
    let unusable = |problem: String| {
        SandboxError::Engine(format!("the cache directory {} cannot be used: {problem}", directory.display()))
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| unusable(error.to_string()))?;
    let about = fs::metadata(directory).map_err(|error| unusable(error.to_string()))?;
    if about.uid() != geteuid().as_raw() {
        return Err(unusable("it belongs to another user; name one of your own with --cache".to_owned()));
    }
    if about.mode() & 0o022 != 0 {
        return Err(unusable("others may write to it; make it yours alone (chmod 700)".to_owned()));
    }
    let mut config = CacheConfig::new();
    let directory = directory.canonicalize().map_err(|error| unusable(error.to_string()))?;
    config.with_directory(directory);
    Cache::new(config).map_err(|error| unusable(format!("{error:#}")))
}

/// At each tick, whatever runs looks whether it may go on: see [`crate::Instance`].
fn start_clock(engine: Engine, ticking: Arc<AtomicBool>) {
    thread::spawn(move || {
        while ticking.load(Ordering::Relaxed) {
            thread::sleep(TICK);
            engine.increment_epoch();
        }
    });
}
