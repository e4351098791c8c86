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
    /// Its manifest asks for a capability that its code does not use.
    #[error(
        "module {module} asks in its manifest for what the interface `{interface}` gives, and does not import it; a module asks for what it uses and nothing else"
    )]
    UnusedWish {
        /// The module.
        module: ModuleName,
        /// The interface's name.
        interface: String,
    },
    /// A worker process does not do its part.
    #[error("the process that runs the modules does not work: {0}")]
    Worker(String),
    /// A worker process died while it ran a module.
    #[error("the process that ran module {} died in {at}: {how}", at.module)]
    WorkerDied {
        /// Where it was.
        at: Place,
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
    #[error("module {} was stopped in {at}: {reason}{}", at.module, backtrace_text(backtrace.as_ref()))]
    Trapped {
        /// Where it was.
        at: Place,
        /// Why.
        reason: String,
        /// The guest's stack, innermost first.
        backtrace: Option<String>,
    },
    /// The operator, or a signal, asked for the end of the run.
    #[error("module {} was interrupted in {}", at.module, at.call)]
    Interrupted {
        /// Where it was.
        at: Place,
    },
    /// It wanted more than it may use up.
    #[error("module {} was stopped in {at}: it {excess}", at.module)]
    Exceeded {
        /// Where it was.
        at: Place,
        /// What it wanted.
        excess: Excess,
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
    #[error(
        "module {module} {change} collection {collection} in its catalog, which its manifest does not declare; name it in `rewrites`, `creates` or `drops`"
    )]
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
            | E::UnusedWish { .. }
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

/// Where a module was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The module.
    pub module: ModuleName,
    /// The function called.
    pub call: Cow<'static, str>,
    /// The collection whose chunk it had.
    pub collection: Option<CollectionName>,
    /// Number of the chunk's first record.
    pub first: Option<u64>,
}

impl fmt::Display for Place {
    /// All but the module.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.call)?;
        match (&self.collection, self.first) {
            (Some(collection), Some(first)) => {
                write!(f, ", collection {collection}, in the chunk from record {first}")
            }
            _ => Ok(()),
        }
    }
}

/// The limit that a module exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Excess {
    /// Time for one call.
    Time(Duration),
    /// Bytes of memory.
    Memory(usize),
    /// Bytes returned by one call.
    Output(usize),
    /// Rows read of one query.
    Rows(u64),
    /// Connections, cursors and trees held open.
    Handles(usize),
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => write!(f, "ran longer than {} s (--module-time)", time.as_secs_f32()),
            Self::Memory(bytes) => write!(f, "wanted more than {} MiB of memory (--module-memory)", bytes >> 20),
            Self::Output(bytes) => write!(f, "returned more than {} MiB (--module-output)", bytes >> 20),
            Self::Rows(rows) => write!(f, "read more than {rows} rows of one query (--module-rows)"),
            Self::Handles(count) => write!(f, "held more than {count} connections, cursors and trees open"),
        }
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

fn backtrace_text(backtrace: Option<&String>) -> String {
    backtrace.map(|trace| format!("\n{trace}")).unwrap_or_default()
}
