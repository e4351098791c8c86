//! The state behind an instance, and what every module can call: `log` and `parameters`. What else it may
//! reach is in `capability`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use godwit_model::ModuleManifest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{ResourceLimiter, Result};

use crate::bindings::{catalog, database, files, log, parameters, types};
use crate::capability::{Capabilities, Phase};
use crate::error::{Excess, SandboxError};
use crate::instance::End;
use crate::limits::{CORE_ITEMS, HANDLES, LOG_LINES, Limits, TABLE_ELEMENTS};
use crate::text::{tame, tame_line};

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

/// A line that a module wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
}

impl LogLine {
    /// The same once more made harmless, for a worker's word is not trusted.
    pub(crate) fn tamed(self) -> Self {
        let lines: Vec<_> = self.message.split("\n    ").collect();
        Self { message: tame(&lines.join("\n")), ..self }
    }
}

/// Values for modules: the operator's, and `run.timestamp`, `run.seed`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Parameters(BTreeMap<String, Value>);

impl Parameters {
    /// The values that come from the archive.
    pub fn of_run(timestamp: &str, seed: &str) -> Self {
        Self(BTreeMap::from([("run.timestamp".to_owned(), timestamp.into()), ("run.seed".to_owned(), seed.into())]))
    }

    /// The same with the operator's values.
    pub fn with(mut self, given: &BTreeMap<String, Value>) -> Self {
        self.0.extend(given.iter().filter(|(name, _)| !name.starts_with("run.")).map(|(n, v)| (n.clone(), v.clone())));
        self
    }

    /// The values by name, without those of the run.
    pub fn given(&self) -> BTreeMap<String, Value> {
        self.0.iter().filter(|(name, _)| !name.starts_with("run.")).map(|(n, v)| (n.clone(), v.clone())).collect()
    }

    /// What this module gets: the run's values and the declared parameters, defaults filled in.
    pub fn for_module(&self, manifest: &ModuleManifest) -> Result<Self, SandboxError> {
        let mut values: BTreeMap<_, _> =
            self.0.iter().filter(|(name, _)| name.starts_with("run.")).map(|(n, v)| (n.clone(), v.clone())).collect();
        for (name, spec) in &manifest.parameters {
            let value = self.0.get(name).or(spec.default.as_ref()).ok_or_else(|| SandboxError::Parameter {
                module: manifest.name.clone(),
                problem: format!(
                    "the parameter {0} is needed ({1}); give it with --parameter {0}=VALUE",
                    tame_line(name),
                    tame_line(&spec.description)
                ),
            })?;
            values.insert(name.clone(), value.clone());
        }
        Ok(Self(values))
    }
}

/// The state behind one instance.
pub(crate) struct Host {
    parameters: Arc<Parameters>,
    log: Log,
    pub(crate) capabilities: Capabilities,
    pub(crate) limits: Limits,
    /// What the module is in.
    pub(crate) phase: Phase,
    /// Connections, cursors and trees that the module holds.
    pub(crate) held: ResourceTable,
    calls: u64,
    interrupt_at: Option<u64>,
    memory_used: usize,
    table_elements: usize,
    /// Set when the module asked for more memory than it may have.
    memory_refused: bool,
    ticks_left: u64,
}

/// What a module wrote during one call.
#[derive(Default)]
struct Log {
    /// Each with how often it was said in a row.
    lines: Vec<(LogLine, u64)>,
    left_out: u64,
    /// The last line of level error, kept even where there were too many before it: a panic's text.
    last_error: Option<String>,
}

impl Host {
    pub(crate) fn new(parameters: Arc<Parameters>, capabilities: Capabilities, limits: Limits) -> Self {
        let mut held = ResourceTable::new();
        held.set_max_capacity(HANDLES);
        Self {
            parameters,
            log: Log::default(),
            capabilities,
            limits,
            phase: Phase::Start,
            held,
            calls: 0,
            interrupt_at: None,
            memory_used: 0,
            table_elements: 0,
            memory_refused: false,
            ticks_left: 0,
        }
    }

    pub(crate) fn add_to_linker(linker: &mut Linker<Self>) -> Result<()> {
        log::add_to_linker::<_, HasSelf<_>>(linker, |host| host)?;
        parameters::add_to_linker::<_, HasSelf<_>>(linker, |host| host)?;
        database::add_to_linker::<_, HasSelf<_>>(linker, |host| host)?;
        files::add_to_linker::<_, HasSelf<_>>(linker, |host| host)?;
        catalog::add_to_linker::<_, HasSelf<_>>(linker, |host| host)?;
        types::add_to_linker::<_, HasSelf<_>>(linker, |host| host)
    }

    /// A new call: what an earlier one did wrong is not its fault.
    pub(crate) fn begin(&mut self, phase: Phase, ticks: u64, time: Duration) {
        self.phase = phase;
        self.ticks_left = ticks;
        self.memory_refused = false;
        self.log.last_error = None;
        self.capabilities.end_after(time);
    }

    /// Every call of the host comes by here first.
    pub(crate) fn count_call(&mut self) -> Result<()> {
        let call = self.calls;
        self.calls += 1;
        if self.interrupt_at == Some(call) { Err(End::Interrupted.into()) } else { Ok(()) }
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls
    }

    pub(crate) fn interrupt_at(&mut self, call: u64) {
        self.interrupt_at = Some(call);
    }

    /// Gives the module something to hold.
    pub(crate) fn hold<T: Send + 'static>(&mut self, thing: T) -> Result<Resource<T>> {
        self.held.push(thing).map_err(|_| End::Exceeded(Excess::Handles(HANDLES)).into())
    }

    /// Takes a tick off the call's time; answers whether there is any left.
    pub(crate) fn tick(&mut self) -> bool {
        self.ticks_left = self.ticks_left.saturating_sub(1);
        self.ticks_left > 0
    }

    pub(crate) fn memory_refused(&self) -> bool {
        self.memory_refused
    }

    /// The last line of level error that the current call wrote, if any; it is no longer in the log,
    /// for it is told with the reason of the trap that follows it.
    pub(crate) fn take_last_error(&mut self) -> Option<String> {
        let error = self.log.last_error.take()?;
        self.log.lines.pop_if(|(line, _)| line.level == LogLevel::Error && line.message == error);
        Some(error)
    }

    pub(crate) fn take_log(&mut self) -> Vec<LogLine> {
        let Log { lines, left_out, .. } = std::mem::take(&mut self.log);
        let mut lines: Vec<_> = lines.into_iter().map(counted).collect();
        if left_out > 0 {
            let message = format!("{left_out} further lines are left out: {LOG_LINES} are kept of one call");
            lines.push(LogLine { level: LogLevel::Warn, message });
        }
        lines
    }
}

impl Log {
    fn add(&mut self, line: LogLine) {
        if line.level == LogLevel::Error {
            self.last_error = Some(line.message.clone());
        }
        let is_full = self.lines.len() >= LOG_LINES;
        match self.lines.last_mut() {
            Some((last, count)) if *last == line => *count += 1,
            _ if is_full => self.left_out += 1,
            _ => self.lines.push((line, 1)),
        }
    }
}

fn counted((line, count): (LogLine, u64)) -> LogLine {
    let LogLine { level, message } = line;
    LogLine { level, message: if count > 1 { format!("{message} ({count} times)") } else { message } }
}

impl log::Host for Host {
    fn write(&mut self, level: log::Level, message: String) -> Result<()> {
        self.count_call()?;
        let level = match level {
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        self.log.add(LogLine { level, message: tame(&message) });
        Ok(())
    }
}

impl parameters::Host for Host {
    fn get(&mut self, name: String) -> Result<Option<String>> {
        self.count_call()?;
        Ok(self.parameters.0.get(&name).map(Value::to_string))
    }
}

impl catalog::Host for Host {}
impl types::Host for Host {}

/// `current` and `desired` are one memory's or table's; a component may have several, so growth is summed.
impl ResourceLimiter for Host {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let total = self.memory_used.saturating_add(desired.saturating_sub(current));
        self.memory_refused |= total > self.limits.memory_bytes;
        Ok(grow(&mut self.memory_used, total, self.limits.memory_bytes))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        Ok(grow(&mut self.table_elements, total, TABLE_ELEMENTS))
    }

    fn instances(&self) -> usize {
        CORE_ITEMS
    }

    fn tables(&self) -> usize {
        CORE_ITEMS
    }

    fn memories(&self) -> usize {
        CORE_ITEMS
    }
}

fn grow(used: &mut usize, total: usize, limit: usize) -> bool {
    let fits = total <= limit;
    if fits {
        *used = total;
    }
    fits
}
