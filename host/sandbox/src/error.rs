//! What a module can do wrong.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use godwit_model::{CollectionName, Fault, FaultClass, ModuleName};
use serde::{Deserialize, Serialize};

use crate::text::tame;

/// Why a module was refused or stopped.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
pub enum SandboxError {
    /// The engine could not be set up on this machine.
    #[error("the WebAssembly engine cannot be set up: {0}")]
    Engine(String),
    /// Not a component.
    #[error("{origin} is not a WebAssembly component: {problem}")]
    NotAComponent {
        /// The file.
        origin: String,
        /// What the parser says.
        problem: String,
    },
    /// A component, but nobody made a module of it.
    #[error("{origin} is a WebAssembly component without a `godwit:module` section; build it with Godwit's tools")]
    NoManifest {
        /// The file.
        origin: String,
    },
    /// Its section of the manifest is too large, or there is a second one.
    #[error("{origin} {problem}")]
    ManifestSection {
        /// The file.
        origin: String,
        /// What is wrong.
        problem: String,
    },
    /// The manifest cannot be used.
    #[error("{origin} has an unusable manifest: {problem}")]
    Manifest {
        /// The file.
        origin: String,
        /// What is wrong, in full.
        problem: String,
    },
    /// It wants something from outside the sandbox.
    #[error(
        "module {module} imports {import}; a module may import nothing but godwit:migration/*@{}",
        supported_line()
    )]
    ForbiddenImport {
        /// The module.
        module: ModuleName,
        /// What it imports.
        import: String,
    },
    /// It wants a capability that this build does not have.
    #[error("module {module} needs the capability `{capability}`, which this version of Godwit does not provide")]
    MissingCapability {
        /// The module.
        module: ModuleName,
        /// The interface's name.
        capability: String,
    },
    /// A worker process does not do its part.
    #[error("the process that runs the modules does not work: {0}")]
    Worker(String),
    /// A worker process died while it ran a module.
    #[error("the process that ran module {module} died in {call}{}: {how}", place(collection.as_ref(), *first))]
    WorkerDied {
        /// The module.
        module: ModuleName,
        /// The function called.
        call: Cow<'static, str>,
        /// The collection whose chunk it had.
        collection: Option<CollectionName>,
        /// Number of the chunk's first record.
        first: Option<u64>,
        /// Its exit status or signal.
        how: String,
    },
    /// It cannot be compiled, or lacks an export.
    #[error("module {module} cannot be used: {problem}")]
    Unusable {
        /// The module.
        module: ModuleName,
        /// What the engine says.
        problem: String,
    },
    /// A parameter is missing or unknown.
    #[error("module {module}: {problem}")]
    Parameter {
        /// The module.
        module: ModuleName,
        /// What is wrong and what to do.
        problem: String,
    },
    /// It returned a failure.
    #[error("module {module} failed in {call}{failure}")]
    Failed {
        /// The module.
        module: ModuleName,
        /// The function called.
        call: Cow<'static, str>,
        /// What it said.
        failure: Box<Failure>,
    },
    /// It was stopped by a trap.
    #[error("module {module} was stopped in {call}{}: {reason}{}", place(collection.as_ref(), *first), backtrace_text(backtrace.as_ref()))]
    Trapped {
        /// The module.
        module: ModuleName,
        /// The function called.
        call: Cow<'static, str>,
        /// The collection whose chunk it had.
        collection: Option<CollectionName>,
        /// Number of the chunk's first record.
        first: Option<u64>,
        /// Why.
        reason: String,
        /// The guest's stack, innermost first.
        backtrace: Option<String>,
    },
    /// The operator, or a signal, asked for the end of the run.
    #[error("module {module} was interrupted in {call}")]
    Interrupted {
        /// The module.
        module: ModuleName,
        /// The function called.
        call: Cow<'static, str>,
    },
    /// It took too long.
    #[error("module {module} was stopped in {call}{}: it ran longer than {} s (--module-time)", place(collection.as_ref(), *first), time.as_secs_f32())]
    TooSlow {
        /// The module.
        module: ModuleName,
        /// The function called.
        call: Cow<'static, str>,
        /// The collection whose chunk it had.
        collection: Option<CollectionName>,
        /// Number of the chunk's first record.
        first: Option<u64>,
        /// The limit.
        time: Duration,
    },
    /// It wanted too much memory.
    #[error("module {module} was stopped in {call}{}: it wanted more than {} MiB of memory (--module-memory)", place(collection.as_ref(), *first), limit >> 20)]
    TooMuchMemory {
        /// The module.
        module: ModuleName,
        /// The function called.
        call: Cow<'static, str>,
        /// The collection whose chunk it had.
        collection: Option<CollectionName>,
        /// Number of the chunk's first record.
        first: Option<u64>,
        /// The limit, in bytes.
        limit: usize,
    },
    /// It returned too much.
    #[error(
        "module {module} was stopped in {call}{}: it returned more than {} MiB",
        place(collection.as_ref(), *first),
        limit >> 20
    )]
    TooMuchOutput {
        /// The module.
        module: ModuleName,
        /// The function called.
        call: Cow<'static, str>,
        /// The collection whose chunk it had.
        collection: Option<CollectionName>,
        /// Number of the chunk's first record.
        first: Option<u64>,
        /// The limit, in bytes.
        limit: usize,
    },
    /// It returned records of a collection that its manifest does not declare.
    #[error(
        "module {module} returned records of {collection:?}, which its manifest declares neither as rewritten nor as created"
    )]
    UndeclaredOutput {
        /// The module.
        module: ModuleName,
        /// The collection.
        collection: String,
    },
    /// It changed what its manifest does not declare.
    #[error("module {module} {change} collection {collection} in its catalog, which its manifest does not declare")]
    UndeclaredChange {
        /// The module.
        module: ModuleName,
        /// The collection.
        collection: CollectionName,
        /// `changes`, `creates` or `drops`.
        change: Cow<'static, str>,
    },
    /// It left out a change that its manifest promises.
    #[error("module {module} promises in its manifest {promise}")]
    BrokenPromise {
        /// The module.
        module: ModuleName,
        /// Such as `to drop sessions, but its catalog still has it`.
        promise: String,
    },
    /// The catalog it made does not hold together.
    #[error("module {module} makes a catalog that does not hold together: {problem}")]
    BadCatalog {
        /// The module.
        module: ModuleName,
        /// What is wrong, in full.
        problem: String,
    },
}

impl From<SandboxError> for Fault {
    fn from(error: SandboxError) -> Self {
        use SandboxError as E;
        let class = match &error {
            E::Engine(_) | E::Worker(_) => FaultClass::System,
            E::NotAComponent { .. }
            | E::NoManifest { .. }
            | E::ManifestSection { .. }
            | E::Manifest { .. }
            | E::ForbiddenImport { .. }
            | E::MissingCapability { .. }
            | E::Unusable { .. } => FaultClass::Refused,
            E::Parameter { .. } => FaultClass::Usage,
            E::Interrupted { .. } => FaultClass::Interrupted,
            _ => FaultClass::Module,
        };
        Self::new(class, error)
    }
}

impl SandboxError {
    pub(crate) fn unusable(module: &ModuleName, error: &wasmtime::Error) -> Self {
        Self::Unusable { module: module.clone(), problem: tame(&format!("{error:#}")) }
    }
}

/// What a module said when it could not go on, with what the host knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What the module said.
    pub message: String,
    /// The collection.
    pub collection: Option<String>,
    /// Number of the record in its collection, from 0.
    pub record: Option<u64>,
    /// The record's primary key, as JSON.
    pub key: Option<String>,
    /// The field.
    pub field: Option<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(collection) = &self.collection {
            write!(f, ", collection {collection}")?;
        }
        if let Some(record) = self.record {
            write!(f, ", record {record}")?;
        }
        if let Some(key) = &self.key {
            write!(f, " (key {key})")?;
        }
        if let Some(field) = &self.field {
            write!(f, ", field {field}")?;
        }
        write!(f, ": {}", self.message)
    }
}

fn supported_line() -> &'static str {
    "0.1"
}

fn place(collection: Option<&CollectionName>, first: Option<u64>) -> String {
    match (collection, first) {
        (Some(collection), Some(first)) => format!(", collection {collection}, in the chunk from record {first}"),
        _ => String::new(),
    }
}

fn backtrace_text(backtrace: Option<&String>) -> String {
    backtrace.map(|trace| format!("\n{trace}")).unwrap_or_default()
}
