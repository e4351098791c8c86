//! What can go wrong with a file tree.

use std::io;
use std::path::{Path, PathBuf};

use godwit_model::{Fault, FaultClass, TreeName, TreePath};

use crate::limits;

/// A file tree that cannot be read or replaced.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
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
    /// The root of a tree is missing, or is no directory.
    #[error("the file tree {tree} cannot be opened at {path:?}: correct the path in [files.{tree}], or create it")]
    Root {
        /// The tree.
        tree: TreeName,
        /// Its root.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A glob that cannot be used.
    #[error("[files.{tree}]: {pattern:?} cannot be used: {problem}")]
    Pattern {
        /// The tree.
        tree: TreeName,
        /// The glob as written.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A tree that is not configured.
    #[error("there is no file tree {0}")]
    Unknown(TreeName),
    /// Something that is no file, directory or symbolic link.
    #[error("{path:?} is a {kind}, which cannot be kept: exclude it")]
    Special {
        /// Where.
        path: PathBuf,
        /// `FIFO`, `socket`, …
        kind: &'static str,
    },
    /// A path with too many directories or characters.
    #[error("{path:?} is {problem}: exclude it")]
    TooDeep {
        /// Where.
        path: PathBuf,
        /// Nested too deeply, or too long.
        problem: String,
    },
    /// A file that does not hold still.
    #[error("{path:?} changed while it was read, {reads} times in a row: exclude it, or stop the application")]
    Changing {
        /// Where.
        path: PathBuf,
        /// How often it was read.
        reads: u32,
    },
    /// A large file that was quiet and changed after its reading had begun.
    #[error("{path:?} changed while it was read: run again, exclude it, or stop the application")]
    Changed {
        /// Where.
        path: PathBuf,
    },
    /// A file that could not be copied aside before it is passed on.
    #[error(
        "cannot copy {path:?} aside, which was modified only just now: point TMPDIR at a folder with {size} bytes free"
    )]
    Spool {
        /// Where.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// Why not.
        source: io::Error,
    },
    /// The private folder in which modules' files are kept cannot be used.
    #[error(
        "cannot {action} {path:?}, where this run keeps copies of the files that modules read and write: \
         see that the folder is there and has space, or point TMPDIR at another one, and run again"
    )]
    Scratch {
        /// What was being done, as a verb.
        action: &'static str,
        /// The folder, or a file in it.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file that changed between the listing of its tree and its reading.
    #[error(
        "{path} of the file tree {tree} is no longer as it was listed: run again, exclude it, or stop the application"
    )]
    NotAsListed {
        /// The tree.
        tree: TreeName,
        /// The file.
        path: TreePath,
    },
    /// An entry that cannot be part of a tree.
    #[error("the entry {entry} cannot be written to the file tree: {problem}")]
    Entry {
        /// Which.
        entry: TreePath,
        /// What is wrong with it.
        problem: String,
    },
    /// The target holds something already.
    #[error("{path:?} is not empty: give an empty folder, or allow its replacement with --empty")]
    NotEmpty {
        /// The tree's root.
        path: PathBuf,
    },
    /// The root of a tree is a mount point, which no rename can replace.
    #[error("{path:?} is a mount point and cannot be replaced all at once: keep the file tree in a folder inside it")]
    MountPoint {
        /// The tree's root.
        path: PathBuf,
    },
    /// Another file system is mounted in a tree that is to be replaced.
    #[error(
        "another file system is mounted at {mount:?}, inside {path:?}, which cannot be replaced with it: unmount it, or make it a file tree of its own"
    )]
    MountInside {
        /// The mount point.
        mount: PathBuf,
        /// The tree's root.
        path: PathBuf,
    },
    /// One tree lies in another.
    #[error("the file trees {outer} and {inner} lie one in the other ({path:?}) and cannot be replaced one by one")]
    Nested {
        /// The tree outside.
        outer: TreeName,
        /// The tree inside, or the same.
        inner: TreeName,
        /// The root inside.
        path: PathBuf,
    },
    /// A run was cut off between replacing a tree and letting go of its former state.
    #[error(
        "{former:?} was left by a run that was cut off while it replaced {path:?}, and holds one of its two states: \
         keep the right one as {path:?}, remove the other, and run again"
    )]
    CutOff {
        /// What is left.
        former: PathBuf,
        /// The tree's root.
        path: PathBuf,
    },
    /// Another run writes beside the same tree.
    #[error("another run is writing {path:?}: wait until it has ended")]
    Locked {
        /// The tree being built.
        path: PathBuf,
    },
    /// The steps of a run were called out of order.
    #[error("the file tree {tree} is {state}")]
    Order {
        /// The tree.
        tree: TreeName,
        /// What it is not, or is already.
        state: &'static str,
    },
}

impl FilesError {
    /// For `map_err`: what was being done to what.
    pub(crate) fn system<E: Into<io::Error>>(action: &'static str, path: &Path) -> impl FnOnce(E) -> Self {
        move |source| Self::System { action, path: path.to_owned(), source: source.into() }
    }

    pub(crate) fn entry(entry: &TreePath, problem: impl Into<String>) -> Self {
        Self::Entry { entry: entry.clone(), problem: problem.into() }
    }

    pub(crate) fn too_deep(path: &Path) -> Self {
        let problem = format!("nested more than {} directories deep", limits::DEPTH_MAX);
        Self::TooDeep { path: path.to_owned(), problem }
    }

    fn class(&self) -> FaultClass {
        match self {
            Self::Root { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => FaultClass::System,
            Self::Root { .. }
            | Self::Pattern { .. }
            | Self::Unknown(_)
            | Self::Nested { .. }
            | Self::Special { .. }
            | Self::TooDeep { .. } => FaultClass::Usage,
            Self::NotEmpty { .. } | Self::CutOff { .. } | Self::MountPoint { .. } | Self::MountInside { .. } => {
                FaultClass::Refused
            }
            Self::Entry { .. } => FaultClass::Damaged,
            Self::Locked { .. } => FaultClass::Locked,
            Self::System { .. }
            | Self::Changing { .. }
            | Self::Changed { .. }
            | Self::Spool { .. }
            | Self::Scratch { .. }
            | Self::NotAsListed { .. }
            | Self::Order { .. } => FaultClass::System,
        }
    }
}

impl From<FilesError> for Fault {
    fn from(error: FilesError) -> Self {
        Self::new(error.class(), error)
    }
}
