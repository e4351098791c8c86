//! What the engine refuses, and what it finds wrong.

use std::path::PathBuf;

use godwit_model::{ChainError, CollectionId, Fault, FaultClass, Line, ManifestError};
use semver::Version;

use crate::keys::DANGLING;

/// An error of the engine itself; the ends and the sandbox bring their own.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No configuration where one is needed.
    #[error("there is no {}; write one with `godwit init URL`, or name one with --config", path.display())]
    NoConfig {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The configuration cannot be read.
    #[error("{} cannot be read: {problem}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        problem: String,
    },
    /// The application's version cannot be told.
    #[error("the application's version cannot be told: {0}")]
    Version(String),
    /// Data older than the application and no chain wanted or found.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A module declares to read what is not there.
    #[error(transparent)]
    Reads(ManifestError),
    /// Data newer than the application.
    #[error(
        "the archive holds data of {data}, newer than the application's {application} (from godwit.toml or --target-version): data is never taken back; restore into {data} or later"
    )]
    Downgrade {
        /// The data's version.
        data: Version,
        /// The application's version.
        application: Version,
    },
    /// Another compatibility line.
    #[error(
        "the archive holds data of {data} (line {}) and the application is at {application} (line {}): an archive is restored on its own line only; take it across first with `godwit migrate ARCHIVE --to {application} --across-major -o NEW`, with a module that declares the step",
        Line::of(data),
        Line::of(application)
    )]
    OtherLine {
        /// The data's version.
        data: Version,
        /// The application's version.
        application: Version,
    },
    /// A migration that leads nowhere.
    #[error("the data is at {data} already; there is nothing to migrate")]
    NothingToDo {
        /// The data's version.
        data: Version,
    },
    /// A migration that leads back.
    #[error(
        "the data is at {data}, newer than the {to} wanted: data is never taken back; give a later version with --to"
    )]
    Back {
        /// The data's version.
        data: Version,
        /// The version wanted.
        to: Version,
    },
    /// A parameter that nobody takes, most likely a misspelt one.
    #[error("--parameter {name}: no module of the chain takes it; {}", if known.is_empty() { "they take none".to_owned() } else { format!("they take: {}", known.join(", ")) })]
    UnknownParameter {
        /// As given.
        name: String,
        /// What the modules take.
        known: Vec<String>,
    },
    /// An archive of another application.
    #[error(
        "the archive is of the application {archive:?} and godwit.toml is for {config:?}; give the other archive, or the other configuration with --config"
    )]
    OtherApplication {
        /// In the archive.
        archive: String,
        /// In the configuration.
        config: String,
    },
    /// A name in `--scope` that is nothing.
    #[error("--scope {name}: there is no database and no file tree of this name; there are: {}", known.join(", "))]
    UnknownScope {
        /// As given.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The archive holds what the configuration does not name.
    #[error(
        "the archive holds {what} {name}, which godwit.toml does not name; add it there, or leave it out with --scope"
    )]
    Unplaced {
        /// `the database` or `the file tree`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// No directory of modules.
    #[error("the module directory {} cannot be read: {problem}", path.display())]
    ModuleDirectory {
        /// The directory.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// The same module twice, with different bytes.
    #[error("the module {name} {version} is there twice with different content: {} and {}; keep one", one.display(), other.display())]
    ModuleTwice {
        /// The module.
        name: String,
        /// Its version.
        version: Version,
        /// A file.
        one: PathBuf,
        /// Another.
        other: PathBuf,
    },
    /// Modules that nobody approved, or that are not what was approved.
    #[error(
        "{} may not run, and nothing was run:\n  {}{}",
        if *modules == 1 { "a module" } else { "modules" },
        problems.join("\n  "),
        next.as_ref().map(|next| format!("\n{next}")).unwrap_or_default()
    )]
    NotGranted {
        /// How many.
        modules: usize,
        /// Each module, and what speaks against it.
        problems: Vec<String>,
        /// What to do, where an approval would let them run.
        next: Option<String>,
    },
    /// Modules that cannot be approved.
    #[error("nothing was approved:\n  {}", problems.join("\n  "))]
    NotApprovable {
        /// Each module, and what speaks against it.
        problems: Vec<String>,
    },
    /// An approval to take back that was never given.
    #[error("{} has no approval of {name}; {}", lock.display(), if approved.is_empty() { "it has none at all".to_owned() } else { format!("it has: {}", approved.join(", ")) })]
    NothingToRevoke {
        /// The module.
        name: String,
        /// The lock file.
        lock: PathBuf,
        /// What is approved.
        approved: Vec<String>,
    },
    /// No module where some are wanted.
    #[error("there is no module{} in {}; give the folder that holds the *.wasm files with --modules, or as [modules] path in godwit.toml", application.as_ref().map(|name| format!(" of {name}")).unwrap_or_default(), if directories.is_empty() { "any folder, for none is named".to_owned() } else { directories.join(", ") })]
    NoModule {
        /// Whose modules, where it is known.
        application: Option<String>,
        /// Where they were looked for.
        directories: Vec<String>,
    },
    /// It is not clear which database a module is for.
    #[error("module {module} does not say which database it is for, and the data has several: {}; the module's manifest must name one", databases.join(", "))]
    WhichDatabase {
        /// The module.
        module: String,
        /// Those there are.
        databases: Vec<String>,
    },
    /// A module for a database that is not there.
    #[error("module {module} is for the database {database}, which the data does not have")]
    NoDatabase {
        /// The module.
        module: String,
        /// The database.
        database: String,
    },
    /// A record that does not fit the new catalog.
    #[error(
        "the modules made a record that breaks the new catalog: {collection}, {problem} (made from the chunk of {origin} from record {first})"
    )]
    BadRecord {
        /// The collection it was made for.
        collection: CollectionId,
        /// What is wrong, with record and key.
        problem: String,
        /// The collection that it was made from.
        origin: CollectionId,
        /// Number of the first record of that chunk.
        first: u64,
    },
    /// Violations of keys or references.
    #[error(
        "the result breaks its catalog ({count} {}), first: {first}; `godwit plan` lists them; nothing was changed{}",
        if *count == 1 { "violation" } else { "violations" },
        if first.starts_with(DANGLING) { "; where the data had this before, repair it, or pass --allow-dangling" } else { "" }
    )]
    Violations {
        /// How many.
        count: u64,
        /// The first, in words.
        first: String,
    },
    /// The engine would not take the new catalog.
    #[error("the new catalog cannot be built: {}", problems.join("; "))]
    Unbuildable {
        /// Each object and why.
        problems: Vec<String>,
    },
    /// No room for what modules read and write meanwhile.
    #[error("the folder for temporary files cannot be used: {0}; name another in the environment variable TMPDIR")]
    Scratch(String),
    /// The archive is not the one that it was.
    #[error("{} was replaced by another archive meanwhile; start again", path.display())]
    ArchiveChanged {
        /// Where it is.
        path: PathBuf,
    },
    /// The archive tells no moment.
    #[error("the archive was taken at {text:?}, which is no time: {problem}")]
    Moment {
        /// As the archive has it.
        text: String,
        /// What is wrong.
        problem: String,
    },
    /// A command that needs a live application.
    #[error(
        "godwit.toml names neither a database nor a file tree; add one as [databases.main] with a url, or as [files.NAME] with a path"
    )]
    NothingConfigured,
}

impl From<EngineError> for Fault {
    fn from(error: EngineError) -> Self {
        use EngineError as E;
        let class = match &error {
            E::NoConfig { .. }
            | E::Config { .. }
            | E::Version(_)
            | E::UnknownScope { .. }
            | E::UnknownParameter { .. }
            | E::ModuleDirectory { .. }
            | E::NothingToRevoke { .. }
            | E::NoModule { .. }
            | E::NothingConfigured => FaultClass::Usage,
            E::Scratch(_) => FaultClass::System,
            E::BadRecord { .. } | E::Violations { .. } | E::Unbuildable { .. } => FaultClass::Module,
            _ => FaultClass::Refused,
        };
        Self::new(class, error)
    }
}
