//! What can be wrong with approvals, keys and signatures.

use std::io;
use std::path::{Path, PathBuf};

use godwit_model::{Fault, FaultClass};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The lock file is not what this program writes.
    #[error(
        "{} cannot be used: {problem}; take its last good version out of version control, or remove it and approve \
         the modules again with `godwit grants --approve`",
        path.display()
    )]
    DamagedLock {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        problem: String,
    },
    /// A later program wrote it.
    #[error(
        "{} has the format {format}, and this godwit knows formats up to {known}: use the godwit that wrote it, or a later one",
        path.display()
    )]
    NewerLock {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: i64,
        /// The newest that is known.
        known: i64,
    },
    /// A key that is none.
    #[error("{origin} holds no minisign key that can be used: {problem}")]
    BadKey {
        /// The file, or where else it stands.
        origin: String,
        /// What is wrong.
        problem: String,
    },
    /// A key file that would be overwritten.
    #[error("{} exists already; a key is never written over, so name another with --key, or move it away", path.display())]
    KeyExists {
        /// The file.
        path: PathBuf,
    },
    /// A secret key with a password, and none at hand.
    #[error("the secret key {} has a password; give it with --password-file, or at a terminal", path.display())]
    PasswordNeeded {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no key.
    #[error("no key can be made: {0}")]
    NoKey(String),
    /// Signing went wrong.
    #[error("{} cannot be signed: {problem}", path.display())]
    Unsigned {
        /// What was to be signed.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// `read`, `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl TrustError {
    pub(crate) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { doing, path, source }
    }
}

impl From<TrustError> for Fault {
    fn from(error: TrustError) -> Self {
        use TrustError as E;
        let class = match &error {
            E::DamagedLock { .. } | E::NewerLock { .. } | E::KeyExists { .. } => FaultClass::Refused,
            // A path that leads nowhere was given so.
            E::File { source, doing: "read", .. } if source.kind() == io::ErrorKind::NotFound => FaultClass::Usage,
            E::BadKey { .. } | E::PasswordNeeded { .. } => FaultClass::Usage,
            E::NoKey(_) | E::Unsigned { .. } | E::File { .. } => FaultClass::System,
        };
        Self::new(class, error)
    }
}
