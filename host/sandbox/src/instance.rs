//! A running module.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use godwit_model::{CollectionName, ModuleName};
use wasmtime::{AsContext, AsContextMut, Store, UpdateDeadline, WasmBacktrace};

use crate::bindings::{Migration, catalog, types};
use crate::error::{Failure, SandboxError};
use crate::host::{Host, LogLine};
use crate::limits::{HANDED_BYTES_MORE, TICK};
use crate::{Granted, Limits, tame, tame_line};

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
            Err(error) => Err(explain(&store, &granted.manifest.name, limits, Call::of("its start"), &error)),
        }
    }

    pub(crate) fn evolve(&mut self, catalog: &catalog::Catalog) -> Result<catalog::Catalog, SandboxError> {
        self.call(Call::of("evolve"), |module, store| module.call_evolve(store, catalog))
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
            Err(error) => Err(explain(&self.store, &self.granted.manifest.name, self.granted.limits, call, &error)),
        }
    }

    fn failed(&self, call: Call<'_>, failure: types::Failure) -> SandboxError {
        let line = |text: String| tame_line(&text);
        let said = if failure.message.trim().is_empty() { "it does not say why" } else { &failure.message };
        SandboxError::Failed {
            module: self.granted.manifest.name.clone(),
            call: call.name,
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
    store: &Store<Host>,
    module: &ModuleName,
    limits: Limits,
    call: Call<'_>,
    error: &wasmtime::Error,
) -> SandboxError {
    let host = store.as_context().data();
    let (name, collection, first) = (module.clone(), call.collection.cloned(), call.first);
    match error.downcast_ref::<End>() {
        Some(End::Interrupted) => return SandboxError::Interrupted { module: name, call: call.name },
        Some(End::TimeOver) => {
            return SandboxError::TooSlow { module: name, call: call.name, collection, first, time: limits.call_time };
        }
        None if has_handed_too_much(error) => return too_much_output(module, limits, call),
        None => {}
    }
    // A module that lives on after a refusal and then panics says itself what was wrong.
    if host.memory_refused() && host.last_error().is_none() {
        let limit = limits.memory_bytes;
        return SandboxError::TooMuchMemory { module: name, call: call.name, collection, first, limit };
    }
    SandboxError::Trapped {
        module: name,
        call: call.name,
        collection,
        first,
        reason: reason(host, error),
        backtrace: error.downcast_ref::<WasmBacktrace>().map(frames).filter(|trace| !trace.is_empty()),
    }
}

/// The engine tells this error by its words only; a test holds it to them.
fn has_handed_too_much(error: &wasmtime::Error) -> bool {
    error.root_cause().to_string().contains("fuel allocated for hostcalls")
}

fn too_much_output(module: &ModuleName, limits: Limits, call: Call<'_>) -> SandboxError {
    SandboxError::TooMuchOutput {
        module: module.clone(),
        call: call.name,
        collection: call.collection.cloned(),
        first: call.first,
        limit: limits.output_bytes,
    }
}

/// A panic's text, which the SDK logs just before it traps, says more than `unreachable`.
fn reason(host: &Host, error: &wasmtime::Error) -> String {
    let trap = tame(&error.root_cause().to_string());
    match host.last_error() {
        Some(panic) => format!("{panic} ({trap})"),
        None => trap,
    }
}

/// The innermost frames, by function name.
fn frames(trace: &WasmBacktrace) -> String {
    let name = |frame: &wasmtime::FrameInfo| {
        frame.func_name().map_or("?".to_owned(), |name| format!("{:#}", rustc_demangle::demangle(name)))
    };
    let lines: Vec<_> =
        trace.frames().iter().take(12).map(|frame| format!("    at {}", tame_line(&name(frame)))).collect();
    lines.join("\n")
}
