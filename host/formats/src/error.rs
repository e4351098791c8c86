//! What can go wrong with a fixture directory.

use std::io;
use std::path::{Path, PathBuf};

use godwit_model::records::RecordError;
use godwit_model::{CatalogError, CollectionId, Fault, FaultClass};

/// A fixture directory that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FormatsError {
    /// The operating system refused.
    #[error("cannot {action} {path:?}")]
    System {
        /// What was being done, as a verb.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The target exists.
    #[error("{path:?} exists already: choose another name, or remove it")]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// The place where the target is to be built is taken by something that is not Godwit's.
    #[error("{path:?} is in the way and was not left by an export: move it, or choose another name")]
    InTheWay {
        /// `<directory>.partial`.
        path: PathBuf,
    },
    /// The target has no name or no parent directory.
    #[error("{path:?} cannot be created: give a new name in a folder that exists")]
    Place {
        /// As given.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another export writes the same target.
    #[error("another run is writing {path:?}: wait until it has ended, or choose another name")]
    Locked {
        /// `<directory>.partial`.
        path: PathBuf,
    },
    /// A database whose name has another meaning in a fixture directory.
    #[error(
        "a database named `files` cannot be exported: the folder of that name holds the file trees; rename it in godwit.toml"
    )]
    Reserved,
    /// No fixture directory.
    #[error("{path:?} is no fixture directory: it has no catalog.json")]
    NoCatalog {
        /// The directory.
        path: PathBuf,
    },
    /// A catalog that is none.
    #[error("{path:?} is not a catalog: correct it, or export again")]
    CatalogSyntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A catalog that does not hold together.
    #[error("{path:?} contradicts itself: correct it, or export again")]
    Catalog {
        /// The file.
        path: PathBuf,
        /// How.
        source: CatalogError,
    },
    /// A file of the directory that cannot be used.
    #[error("{path:?} {problem}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A record that does not fit the catalog.
    #[error("line {line} of {path:?} does not fit its catalog; one of them must be corrected")]
    Record {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        source: RecordError,
    },
    /// A collection that the catalog does not have.
    #[error("there is no collection {0}")]
    Unknown(CollectionId),
    /// Chunks or calls out of order.
    #[error("chunk {sequence} of {collection} came where chunk {expected} was due")]
    Order {
        /// Whose chunk.
        collection: CollectionId,
        /// Its number.
        sequence: u64,
        /// The number due.
        expected: u64,
    },
}

impl FormatsError {
    /// For `map_err`: what was being done to what.
    pub(crate) fn system<E: Into<io::Error>>(action: &'static str, path: &Path) -> impl FnOnce(E) -> Self {
        move |source| Self::System { action, path: path.to_owned(), source: source.into() }
    }

    pub(crate) fn file(path: &Path, problem: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), problem: problem.into() }
    }

    fn class(&self) -> FaultClass {
        match self {
            Self::System { .. } | Self::Unknown(_) | Self::Order { .. } => FaultClass::System,
            Self::Exists { .. } | Self::InTheWay { .. } | Self::Reserved => FaultClass::Refused,
            Self::Place { .. } => FaultClass::Usage,
            Self::Locked { .. } => FaultClass::Locked,
            Self::NoCatalog { .. }
            | Self::CatalogSyntax { .. }
            | Self::Catalog { .. }
            | Self::File { .. }
            | Self::Record { .. } => FaultClass::Damaged,
        }
    }
}

impl From<FormatsError> for Fault {
    fn from(error: FormatsError) -> Self {
        Self::new(error.class(), error)
    }
}
