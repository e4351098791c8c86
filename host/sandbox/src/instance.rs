//! A running module.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use godwit_model::{CollectionName, Database, ModuleName};
use wasmtime::{AsContextMut, Store, Trap, UpdateDeadline, WasmBacktrace};

use crate::bindings::{Migration, types};
use crate::capability::{Capabilities, Phase};
use crate::error::{Excess, Failure, Place, SandboxError};
use crate::host::{Host, LogLine};
use crate::limits::{HANDED_BYTES_MORE, TICK};
use crate::{Granted, Limits, convert, tame, tame_line};

/// A running module. After an error it must be thrown away.
pub struct Instance {
    store: Store<Host>,
    module: Migration,
    granted: Granted,
}

/// Records of one collection that a module returned; not checked yet against any catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The collection, declared by the module as rewritten or created.
    pub collection: CollectionName,
    /// JSON lines.
    pub lines: Vec<u8>,
}

/// A call of the module, and what it is about.
#[derive(Clone, Copy)]
struct Call<'a> {
    phase: Phase,
    collection: Option<&'a CollectionName>,
    first: Option<u64>,
}

impl Call<'_> {
    fn of(phase: Phase) -> Self {
        Self { phase, collection: None, first: None }
    }

    fn place(self, module: &ModuleName) -> Place {
        let (call, collection) = (self.phase.name().into(), self.collection.cloned());
        Place { module: module.clone(), call, collection, first: self.first }
    }
}

impl Instance {
    pub(crate) fn start(granted: &Granted, capabilities: Capabilities) -> Result<Self, SandboxError> {
        let limits = granted.limits;
        let host = Host::new(granted.parameters.clone(), capabilities, limits);
        let mut store = Store::new(granted.pre.engine(), host);
        store.limiter(|host| host);
        store.set_hostcall_fuel(limits.output_bytes.saturating_add(HANDED_BYTES_MORE));
        watch(&mut store, Arc::clone(&granted.stop));
        let call = Call::of(Phase::Start);
        arm(&mut store, call, limits);
        match granted.pre.instantiate(store.as_context_mut()) {
            Ok(module) => Ok(Self { store, module, granted: granted.clone() }),
            Err(error) => Err(explain(&mut store, &granted.manifest.name, limits, call, &error)),
        }
    }

    /// The catalog as the module leaves it, held to what its manifest declares.
    pub(crate) fn evolve(&mut self, database: &Database) -> Result<Database, SandboxError> {
        let catalog = convert::to_wit(database);
        let evolved = self.call(Call::of(Phase::Evolve), |module, store| module.call_evolve(store, &catalog))?;
        convert::checked(&self.granted.manifest, evolved, database)
    }

    /// New records for old, all of the collection `name`. `first` is the number of the chunk's first record in its collection.
    pub fn transform(
        &mut self,
        name: &CollectionName,
        first: u64,
        lines: Vec<u8>,
    ) -> Result<Vec<Output>, SandboxError> {
        let input = types::Chunk { collection: name.to_string(), first, records: lines };
        let call = Call { phase: Phase::Transform, collection: Some(name), first: Some(first) };
        let outputs = self.call(call, |module, store| module.call_transform(store, &input))?;
        self.check_outputs(call, outputs)
    }

    /// Tells the module that every chunk was given.
    pub fn finish(&mut self) -> Result<Vec<Output>, SandboxError> {
        let call = Call::of(Phase::Finish);
        let outputs = self.call(call, |module, store| module.call_finish(store))?;
        self.check_outputs(call, outputs)
    }

    /// Lets the module check the result.
    pub fn verify(&mut self) -> Result<(), SandboxError> {
        self.call(Call::of(Phase::Verify), |module, store| module.call_verify(store))
    }

    /// How many calls of the host the module has made so far.
    pub fn host_calls(&self) -> u64 {
        self.store.data().calls()
    }

    /// Interrupts the module at its host call of this number, from 0: for finding out what that leaves behind.
    pub fn interrupt_at(&mut self, call: u64) {
        self.store.data_mut().interrupt_at(call);
    }

    /// The lines logged since the last time.
    pub fn take_log(&mut self) -> Vec<LogLine> {
        self.store.data_mut().take_log()
    }

    fn call<T>(
        &mut self,
        call: Call<'_>,
        run: impl FnOnce(&Migration, &mut Store<Host>) -> wasmtime::Result<Result<T, types::Failure>>,
    ) -> Result<T, SandboxError> {
        arm(&mut self.store, call, self.granted.limits);
        match run(&self.module, &mut self.store) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(failure)) => Err(self.failed(call, failure)),
            Err(error) => Err(explain(&mut self.store, &self.granted.manifest.name, self.granted.limits, call, &error)),
        }
    }

    fn failed(&self, call: Call<'_>, failure: types::Failure) -> SandboxError {
        let line = |text: String| tame_line(&text);
        let said = if failure.message.trim().is_empty() { "it does not say why" } else { &failure.message };
        SandboxError::Failed {
            module: self.granted.manifest.name.clone(),
            call: call.phase.name().into(),
            failure: Box::new(Failure {
                message: tame(said),
                collection: failure.collection.map(line).or_else(|| call.collection.map(ToString::to_string)),
                record: failure.record.map(|record| record.saturating_add(call.first.unwrap_or(0))),
                key: failure.key.map(line),
                field: failure.field.map(line),
            }),
        }
    }

    fn check_outputs(&self, call: Call<'_>, chunks: Vec<types::Chunk>) -> Result<Vec<Output>, SandboxError> {
        let manifest = &self.granted.manifest;
        let bytes: usize = chunks.iter().map(|chunk| chunk.records.len()).sum();
        if bytes > self.granted.limits.output_bytes {
            let excess = Excess::Output(self.granted.limits.output_bytes);
            return Err(SandboxError::Exceeded { at: call.place(&manifest.name), excess });
        }
        let output = |chunk: types::Chunk| match CollectionName::new(&chunk.collection) {
            Ok(collection) if manifest.gives(collection.as_str()) => Ok(Output { collection, lines: chunk.records }),
            _ => Err(SandboxError::UndeclaredOutput {
                module: manifest.name.clone(),
                collection: tame_line(&chunk.collection),
            }),
        };
        // An undeclared collection is a mistake of the module's, whether or not records come with it.
        let outputs: Result<Vec<_>, _> = chunks.into_iter().map(output).collect();
        Ok(outputs?.into_iter().filter(|output| !output.lines.is_empty()).collect())
    }
}

/// What ends a call from outside.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum End {
    #[error("its time is over")]
    TimeOver,
    #[error("the run was interrupted")]
    Interrupted,
    #[error("it wanted too much")]
    Exceeded(Excess),
}

/// At every tick of the clock, running code asks whether it may go on.
fn watch(store: &mut Store<Host>, stop: Arc<AtomicBool>) {
    store.epoch_deadline_callback(move |mut store| match (stop.load(Ordering::Relaxed), store.data_mut().tick()) {
        (true, _) => Err(End::Interrupted.into()),
        (false, false) => Err(End::TimeOver.into()),
        (false, true) => Ok(UpdateDeadline::Continue(1)),
    });
}

fn arm(store: &mut Store<Host>, call: Call<'_>, limits: Limits) {
    let ticks = limits.call_time.as_nanos().div_ceil(TICK.as_nanos());
    // The first tick may come at once.
    store.data_mut().begin(call.phase, u64::try_from(ticks).unwrap_or(u64::MAX - 1) + 1, limits.call_time);
    store.set_epoch_deadline(1);
}

fn explain(
    store: &mut Store<Host>,
    module: &ModuleName,
    limits: Limits,
    call: Call<'_>,
    error: &wasmtime::Error,
) -> SandboxError {
    let (host, at) = (store.data_mut(), call.place(module));
    let exceeded = |at, excess| SandboxError::Exceeded { at, excess };
    match error.downcast_ref::<End>() {
        Some(End::Interrupted) => return SandboxError::Interrupted { at },
        Some(End::TimeOver) => return exceeded(at, Excess::Time(limits.call_time)),
        Some(End::Exceeded(excess)) => return exceeded(at, *excess),
        None if has_handed_too_much(error) => return exceeded(at, Excess::Output(limits.output_bytes)),
        None => {}
    }
    // A module that lives on after a refusal and then panics says itself what was wrong.
    let said = host.take_last_error();
    if host.memory_refused() && said.is_none() {
        return exceeded(at, Excess::Memory(limits.memory_bytes));
    }
    let (reason, backtrace) = (reason(said, error), error.downcast_ref::<WasmBacktrace>().and_then(backtrace));
    SandboxError::Trapped { at, reason, backtrace }
}

/// The engine tells this error by its words only; a test holds it to them.
fn has_handed_too_much(error: &wasmtime::Error) -> bool {
    error.root_cause().to_string().contains("fuel allocated for hostcalls")
}

/// A panic's text, which the SDK logs just before it traps, says more than `unreachable`.
fn reason(said: Option<String>, error: &wasmtime::Error) -> String {
    let cause = tame(&error.root_cause().to_string());
    match said {
        Some(panic) => format!("{panic} ({cause})"),
        None if error.is::<Trap>() => cause,
        None => format!("it breaks the rules of the interface: {cause}"),
    }
}

/// Functions shown of a backtrace.
const FRAMES: usize = 12;

/// The innermost functions, each with how often it is there in a row; none where there are none.
fn backtrace(trace: &WasmBacktrace) -> Option<String> {
    let mut functions: Vec<(String, u64)> = vec![];
    for name in trace.frames().iter().map(function).filter(|name| !is_of_a_panic(name)) {
        match functions.last_mut() {
            Some((last, count)) if *last == name => *count += 1,
            _ => functions.push((name, 1)),
        }
    }
    let line = |(name, count): (String, u64)| match count {
        1 => format!("    at {name}"),
        _ => format!("    at {name}, {count} times"),
    };
    let lines: Vec<_> = functions.into_iter().take(FRAMES).map(line).collect();
    if lines.is_empty() { None } else { Some(lines.join("\n")) }
}

fn function(frame: &wasmtime::FrameInfo) -> String {
    frame.func_name().map_or("?".to_owned(), |name| tame_line(&format!("{:#}", rustc_demangle::demangle(name))))
}

/// What every panic of a Rust module passes through, on top of the function that matters.
fn is_of_a_panic(function: &str) -> bool {
    ["__rustc::", "core::panicking::", "std::panicking::", "std::sys::", "alloc::alloc::", "alloc::raw_vec::"]
        .iter()
        .any(|start| function.starts_with(start))
}
