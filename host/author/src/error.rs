//! What can go wrong on an author's way.

use std::io;
use std::path::{Path, PathBuf};

use godwit_model::{Fault, FaultClass, TreeName};
use godwit_toolchain::ToolchainError;

use crate::trees::TREES_BYTES;

/// Why an author cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum AuthorError {
    /// Nothing is ever written over a folder that is there.
    #[error("{} exists already; name another folder with --path, or remove it", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// The SDK is nowhere to be seen.
    #[error(
        "the SDK is not found: it is not published, so that a module depends on it by its path; \
        give the folder `guest-sdk` of a checkout of Godwit with --sdk"
    )]
    NoSdk,
    /// What was given for the SDK is something else.
    #[error("{} is not the SDK: it has no Cargo.toml of a crate `godwit-sdk`; give the folder `guest-sdk` of a checkout", path.display())]
    NotTheSdk {
        /// The folder given.
        path: PathBuf,
    },
    /// The versions do not make a step forward.
    #[error("no module can lead from {from} to {to}: {problem}")]
    Versions {
        /// Where the data is.
        from: String,
        /// Where it is to go.
        to: semver::Version,
        /// What is wrong.
        problem: String,
    },
    /// A folder has no golden case, or not the ones named.
    #[error("{problem} in {}; a case is a folder with a case.json", path.display())]
    NoCase {
        /// The folder of the cases.
        path: PathBuf,
        /// What is missing.
        problem: String,
    },
    /// The file trees of a case, or what a module makes of them, hold too much.
    #[error(
        "the file trees come to more than {} MiB with the tree {tree}, which is more than a case may hold; make it smaller",
        TREES_BYTES >> 20
    )]
    TreeTooLarge {
        /// The tree in which the limit was reached.
        tree: TreeName,
    },
    /// A file that should hold a catalog does not hold this one.
    #[error("{} holds no catalog that can be used: {problem}", path.display())]
    Catalog {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A file is too large to be what it should be.
    #[error("{} has {bytes} bytes; {limit} are allowed", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// A file cannot be read or written.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// `read`, `write`, …
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The crate does not become a component.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
}

impl AuthorError {
    pub(crate) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { doing, path, source }
    }
}

impl From<AuthorError> for Fault {
    fn from(error: AuthorError) -> Self {
        use AuthorError as E;
        use ToolchainError as T;
        let class = match &error {
            E::Exists { .. } => FaultClass::Refused,
            // A path that leads nowhere was given so.
            E::File { source, .. } if source.kind() == io::ErrorKind::NotFound => FaultClass::Usage,
            E::File { .. } | E::Toolchain(T::File { .. }) => FaultClass::System,
            E::Toolchain(T::Compile { .. } | T::NotAModule { .. } | T::Component { .. }) => FaultClass::Module,
            _ => FaultClass::Usage,
        };
        Self::new(class, error)
    }
}
