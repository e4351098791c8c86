//! A running module.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use godwit_model::{CollectionName, Database, ModuleName};
use wasmtime::{AsContextMut, Store, Trap, UpdateDeadline, WasmBacktrace};

use crate::bindings::{Migration, types};
use crate::error::{Failure, SandboxError};
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

/// What a call was about, for messages.
#[derive(Clone, Copy)]
struct Call<'a> {
    name: &'static str,
    collection: Option<&'a CollectionName>,
    first: Option<u64>,
}

impl Call<'_> {
    fn of(name: &'static str) -> Self {
        Self { name, collection: None, first: None }
    }
}

impl Instance {
    pub(crate) fn start(granted: &Granted) -> Result<Self, SandboxError> {
        let limits = granted.limits;
        let mut store = Store::new(granted.pre.engine(), Host::new(granted.parameters.clone(), limits));
        store.limiter(|host| host);
        store.set_hostcall_fuel(limits.output_bytes.saturating_add(HANDED_BYTES_MORE));
        watch(&mut store, Arc::clone(&granted.stop));
        arm(&mut store, limits);
        match granted.pre.instantiate(store.as_context_mut()) {
            Ok(module) => Ok(Self { store, module, granted: granted.clone() }),
            Err(error) => Err(explain(&mut store, &granted.manifest.name, limits, Call::of("its start"), &error)),
        }
    }

    /// The catalog as the module leaves it, held to what its manifest declares.
    pub(crate) fn evolve(&mut self, database: &Database) -> Result<Database, SandboxError> {
        let catalog = convert::to_wit(database);
        let evolved = self.call(Call::of("evolve"), |module, store| module.call_evolve(store, &catalog))?;
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
        let call = Call { name: "transform", collection: Some(name), first: Some(first) };
        let outputs = self.call(call, |module, store| module.call_transform(store, &input))?;
        self.check_outputs(call, outputs)
    }

    /// Tells the module that every chunk was given.
    pub fn finish(&mut self) -> Result<Vec<Output>, SandboxError> {
        let call = Call::of("finish");
        let outputs = self.call(call, |module, store| module.call_finish(store))?;
        self.check_outputs(call, outputs)
    }

    /// Lets the module check the result.
    pub fn verify(&mut self) -> Result<(), SandboxError> {
        self.call(Call::of("verify"), |module, store| module.call_verify(store))
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
        arm(&mut self.store, self.granted.limits);
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
            call: call.name.into(),
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
            return Err(too_much_output(&manifest.name, self.granted.limits, call));
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
enum End {
    #[error("its time is over")]
    TimeOver,
    #[error("the run was interrupted")]
    Interrupted,
}

/// At every tick of the clock, running code asks whether it may go on.
fn watch(store: &mut Store<Host>, stop: Arc<AtomicBool>) {
    store.epoch_deadline_callback(move |mut store| match (stop.load(Ordering::Relaxed), store.data_mut().tick()) {
        (true, _) => Err(End::Interrupted.into()),
        (false, false) => Err(End::TimeOver.into()),
        (false, true) => Ok(UpdateDeadline::Continue(1)),
    });
}

fn arm(store: &mut Store<Host>, limits: Limits) {
    let ticks = limits.call_time.as_nanos().div_ceil(TICK.as_nanos());
    // The first tick may come at once.
    store.data_mut().begin(u64::try_from(ticks).unwrap_or(u64::MAX - 1) + 1);
    store.set_epoch_deadline(1);
}

fn explain(
    store: &mut Store<Host>,
    module: &ModuleName,
    limits: Limits,
    call: Call<'_>,
    error: &wasmtime::Error,
) -> SandboxError {
    let host = store.data_mut();
    let (name, collection, first) = (module.clone(), call.collection.cloned(), call.first);
    match error.downcast_ref::<End>() {
        Some(End::Interrupted) => return SandboxError::Interrupted { module: name, call: call.name.into() },
        Some(End::TimeOver) => {
            return SandboxError::TooSlow {
                module: name,
                call: call.name.into(),
                collection,
                first,
                time: limits.call_time,
            };
        }
        None if has_handed_too_much(error) => return too_much_output(module, limits, call),
        None => {}
    }
    // A module that lives on after a refusal and then panics says itself what was wrong.
    let said = host.take_last_error();
    if host.memory_refused() && said.is_none() {
        let limit = limits.memory_bytes;
        return SandboxError::TooMuchMemory { module: name, call: call.name.into(), collection, first, limit };
    }
    let (reason, backtrace) = (reason(said, error), error.downcast_ref::<WasmBacktrace>().and_then(backtrace));
    SandboxError::Trapped { module: name, call: call.name.into(), collection, first, reason, backtrace }
}

/// The engine tells this error by its words only; a test holds it to them.
fn has_handed_too_much(error: &wasmtime::Error) -> bool {
    error.root_cause().to_string().contains("fuel allocated for hostcalls")
}

fn too_much_output(module: &ModuleName, limits: Limits, call: Call<'_>) -> SandboxError {
    SandboxError::TooMuchOutput {
        module: module.clone(),
        call: call.name.into(),
        collection: call.collection.cloned(),
        first: call.first,
        limit: limits.output_bytes,
    }
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
