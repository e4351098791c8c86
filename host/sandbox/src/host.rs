//! What a module can call: `log` and `parameters`.

use std::collections::BTreeMap;
use std::sync::Arc;

use godwit_model::ModuleManifest;
use serde_json::Value;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{ResourceLimiter, Result};

use crate::SandboxError;
use crate::bindings::{catalog, log, parameters, types};
use crate::limits::{CORE_ITEMS, LOG_LINES, TABLE_ELEMENTS, TEXT_BYTES};

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

/// A line that a module wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
}

/// Values for modules: the operator's, and `run.timestamp`, `run.seed`.
#[derive(Debug, Clone, Default, PartialEq)]
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
                    "the parameter {name} is needed ({}); give it with --parameter {name}=VALUE",
                    spec.description
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
    log: Vec<LogLine>,
    memory_limit: usize,
    memory_used: usize,
    /// Set when the module asked for more memory than it may have.
    pub(crate) memory_refused: bool,
}

impl Host {
    pub(crate) fn new(parameters: Arc<Parameters>, memory_limit: usize) -> Self {
        Self { parameters, log: vec![], memory_limit, memory_used: 0, memory_refused: false }
    }

    pub(crate) fn add_to_linker(linker: &mut Linker<Self>) -> Result<()> {
        log::add_to_linker::<_, HasSelf<_>>(linker, |host| host)?;
        parameters::add_to_linker::<_, HasSelf<_>>(linker, |host| host)?;
        catalog::add_to_linker::<_, HasSelf<_>>(linker, |host| host)?;
        types::add_to_linker::<_, HasSelf<_>>(linker, |host| host)
    }

    /// The last line of level error, if any.
    pub(crate) fn last_error(&self) -> Option<&str> {
        self.log.iter().rev().find(|line| line.level == LogLevel::Error).map(|line| line.message.as_str())
    }

    pub(crate) fn take_log(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.log)
    }
}

/// Cuts a guest's text to [`TEXT_BYTES`] at a character's end, and takes control characters out:
/// it goes to terminals.
pub(crate) fn tame(mut text: String) -> String {
    if text.len() > TEXT_BYTES {
        let end = (0..=TEXT_BYTES).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

impl log::Host for Host {
    fn write(&mut self, level: log::Level, message: String) {
        if self.log.len() < LOG_LINES {
            let level = match level {
                log::Level::Debug => LogLevel::Debug,
                log::Level::Info => LogLevel::Info,
                log::Level::Warn => LogLevel::Warn,
                log::Level::Error => LogLevel::Error,
            };
            self.log.push(LogLine { level, message: tame(message) });
        }
    }
}

impl parameters::Host for Host {
    fn get(&mut self, name: String) -> Option<String> {
        self.parameters.0.get(&name).map(Value::to_string)
    }
}

impl catalog::Host for Host {}
impl types::Host for Host {}

impl ResourceLimiter for Host {
    /// `current` and `desired` are one memory's; a component may have several, so growth is summed.
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let total = self.memory_used.saturating_add(desired.saturating_sub(current));
        if total > self.memory_limit {
            self.memory_refused = true;
            return Ok(false);
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.memory_used = total;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
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
