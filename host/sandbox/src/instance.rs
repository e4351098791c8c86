//! A running module.

use godwit_model::{CollectionName, ModuleName};
use wasmtime::{AsContext, AsContextMut, Store, Trap, WasmBacktrace};

use crate::bindings::{Migration, catalog, types};
use crate::error::{Failure, SandboxError};
use crate::host::{Host, LogLine, tame};
use crate::limits::TICK;
use crate::{Granted, Limits};

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
        let host = Host::new(granted.parameters.clone(), granted.limits.memory_bytes);
        let mut store = Store::new(granted.pre.engine(), host);
        store.limiter(|host| host);
        let limits = granted.limits;
        arm(&mut store, limits);
        match granted.pre.instantiate(store.as_context_mut()) {
            Ok(module) => Ok(Self { store, module, granted: granted.clone() }),
            Err(error) => Err(explain(&store, &granted.manifest.name, limits, Call::of("its start"), &error)),
        }
    }

    pub(crate) fn evolve(&mut self, catalog: catalog::Catalog) -> Result<catalog::Catalog, SandboxError> {
        self.call(Call::of("evolve"), |module, store| module.call_evolve(store, &catalog))
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
        self.check_outputs(name.as_str(), outputs)
    }

    /// Tells the module that every chunk was given.
    pub fn finish(&mut self) -> Result<Vec<Output>, SandboxError> {
        let outputs = self.call(Call::of("finish"), |module, store| module.call_finish(store))?;
        self.check_outputs("finish", outputs)
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
        let collection = failure.collection.map(tame).or_else(|| call.collection.map(ToString::to_string));
        SandboxError::Failed {
            module: self.granted.manifest.name.clone(),
            call: call.name,
            failure: Failure {
                message: tame(failure.message),
                collection,
                record: failure.record.map(|record| record.saturating_add(call.first.unwrap_or(0))),
                key: failure.key.map(tame),
                field: failure.field.map(tame),
            },
        }
    }

    fn check_outputs(&self, from: &str, chunks: Vec<types::Chunk>) -> Result<Vec<Output>, SandboxError> {
        let module = || self.granted.manifest.name.clone();
        let bytes = chunks.iter().map(|chunk| chunk.records.len()).sum();
        let limit = self.granted.limits.output_bytes;
        if bytes > limit {
            return Err(SandboxError::TooMuchOutput { module: module(), collection: from.to_owned(), bytes, limit });
        }
        let output = |chunk: types::Chunk| match CollectionName::new(&chunk.collection) {
            Ok(collection) if self.granted.manifest.gives(collection.as_str()) => {
                Ok(Output { collection, lines: chunk.records })
            }
            _ => Err(SandboxError::UndeclaredOutput { module: module(), collection: tame(chunk.collection) }),
        };
        chunks.into_iter().filter(|chunk| !chunk.records.is_empty()).map(output).collect()
    }
}

fn arm(store: &mut Store<Host>, limits: Limits) {
    let ticks = limits.call_time.as_nanos().div_ceil(TICK.as_nanos());
    store.set_epoch_deadline(u64::try_from(ticks).unwrap_or(u64::MAX / 2).max(1));
}

fn explain(
    store: &Store<Host>,
    module: &ModuleName,
    limits: Limits,
    call: Call<'_>,
    error: &wasmtime::Error,
) -> SandboxError {
    let (module, collection, first) = (module.clone(), call.collection.cloned(), call.first);
    let host = store.as_context().data();
    if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
        return SandboxError::TooSlow { module, call: call.name, collection, first, time: limits.call_time };
    }
    if host.memory_refused {
        return SandboxError::TooMuchMemory { module, call: call.name, collection, first, limit: limits.memory_bytes };
    }
    SandboxError::Trapped {
        module,
        call: call.name,
        collection,
        first,
        reason: reason(host, error),
        backtrace: error.downcast_ref::<WasmBacktrace>().map(frames).filter(|trace| !trace.is_empty()),
    }
}

/// A panic's text, which the SDK logs just before it traps, says more than `unreachable`.
fn reason(host: &Host, error: &wasmtime::Error) -> String {
    let trap = error.root_cause().to_string();
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
    let lines: Vec<_> = trace.frames().iter().take(12).map(|frame| format!("    at {}", name(frame))).collect();
    tame(lines.join("\n"))
}
