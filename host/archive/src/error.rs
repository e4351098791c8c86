//! What can be wrong with an archive, and what the operator should do about it.

use std::io;
use std::path::{Path, PathBuf};

use godwit_model::{CollectionId, Digest, Fault, FaultClass, TreePath};

use crate::FORMAT;

/// An archive that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Something has the name already.
    #[error("{} exists already; choose another name", .0.display())]
    Exists(PathBuf),
    /// No archive can have this name.
    #[error("{} cannot be the name of an archive; give the path of a new file or directory", .0.display())]
    Name(PathBuf),
    /// There is no folder to put it in.
    #[error("there is no folder {} for the archive; make it first, or choose another name", .0.display())]
    NoFolder(PathBuf),
    /// A living run writes it.
    #[error("{} is being written by another run; wait for it to end, or choose another name", .0.display())]
    Busy(PathBuf),
    /// What has the partial's name is not a partial.
    #[error("{} is in the way and was not left by an unfinished run; move it away, or choose another name", .0.display())]
    InTheWay(PathBuf),
    /// Nothing is there.
    #[error("there is no archive {}; check the name", .0.display())]
    Nothing(PathBuf),
    /// A run was cut off before its manifest.
    #[error("{} is an unfinished archive (no manifest.json): the run that wrote it was cut off; run the backup again", .0.display())]
    Unfinished(PathBuf),
    /// Something else is there.
    #[error("{} is no archive; give a directory or .tar file that `godwit backup` wrote", .0.display())]
    NoArchive(PathBuf),
    /// Made by a later format.
    #[error("{} was made by a newer Godwit (format {format}); this one reads format {FORMAT}; upgrade godwit", path.display())]
    Newer {
        /// The archive.
        path: PathBuf,
        /// Its format.
        format: u64,
    },
    /// The bytes are not those that were written.
    #[error("archive {}: {file} {damage}; restore the archive from another copy", archive.display())]
    Damaged {
        /// The archive.
        archive: PathBuf,
        /// The file inside.
        file: String,
        /// What is wrong with it.
        damage: Damage,
    },
    /// The archive holds no such part.
    #[error("archive {} holds no {what}; `godwit inspect` lists what it holds", archive.display())]
    NoSuchPart {
        /// The archive.
        archive: PathBuf,
        /// The part.
        what: String,
    },
    /// The file system failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        error: io::Error,
    },
    /// A chunk that the archive cannot take.
    #[error("chunk {sequence} of {collection} cannot be stored: {problem}")]
    Chunk {
        /// Whose chunk.
        collection: CollectionId,
        /// Which.
        sequence: u64,
        /// Why.
        problem: String,
    },
    /// A tree entry that the archive cannot take.
    #[error("{path} cannot be stored: {problem}")]
    Entry {
        /// The entry.
        path: TreePath,
        /// Why.
        problem: String,
    },
    /// Something else that the archive cannot take.
    #[error("the archive cannot be written: {0}")]
    Unfit(String),
}

/// What is wrong with a file of an archive; the text follows the file's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Listed but not there.
    #[error("is missing")]
    Missing,
    /// There but not listed.
    #[error("does not belong to the archive")]
    Extra,
    /// Other bytes than were written.
    #[error("is damaged: its sha256 is {found}, recorded is {recorded}")]
    Digest {
        /// As recorded.
        recorded: Digest,
        /// As found.
        found: Digest,
    },
    /// `manifest.json` does not end in the digest of what precedes it.
    #[error("is damaged: it does not end in the sha256 of its own text")]
    Seal,
    /// Fewer or more bytes than recorded.
    #[error("has {found} bytes where {recorded} were recorded")]
    Length {
        /// As recorded.
        recorded: u64,
        /// As found.
        found: u64,
    },
    /// More than the limit.
    #[error("has {bytes} bytes, over the limit of {limit}")]
    TooLarge {
        /// Bytes there are.
        bytes: u64,
        /// Bytes there may be.
        limit: u64,
    },
    /// Neither a regular file nor a directory, or reached through a link.
    #[error("is a link, a device or in a folder that is one; an archive holds plain files only")]
    NotPlain,
    /// A path that could lead out of the archive.
    #[error("names the path {0:?}, which is not one that an archive can hold")]
    Path(String),
    /// The tar file ends early.
    #[error("is cut off after {0} bytes")]
    CutOff(u64),
    /// Not what the format says.
    #[error("does not follow the archive format: {0}")]
    Malformed(String),
    /// Two parts of the archive disagree.
    #[error("contradicts the rest of the archive: {0}")]
    Contradiction(String),
}

/// A problem met while reading, before the archive's own path is added.
#[derive(Debug)]
pub(crate) enum Trouble {
    Damaged { file: String, damage: Damage },
    Newer(u64),
    Passed(Fault),
}

pub(crate) type Reading<T> = Result<T, Trouble>;

impl Trouble {
    pub(crate) fn at(self, archive: &Path) -> Fault {
        match self {
            Self::Damaged { file, damage } => {
                Fault::damaged(ArchiveError::Damaged { archive: archive.to_owned(), file, damage })
            }
            Self::Newer(format) => Fault::refused(ArchiveError::Newer { path: archive.to_owned(), format }),
            Self::Passed(fault) => fault,
        }
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Passed(fault)
    }
}

impl Damage {
    pub(crate) fn of(self, file: &str) -> Trouble {
        Trouble::Damaged { file: file.to_owned(), damage: self }
    }
}

/// For `map_err` on file system calls.
pub(crate) fn failed<E: Into<io::Error>>(action: &'static str, path: &Path) -> impl FnOnce(E) -> Fault {
    let path = path.to_owned();
    move |error| Fault::system(ArchiveError::Io { action, path, error: error.into() })
}

impl From<ArchiveError> for Fault {
    fn from(error: ArchiveError) -> Self {
        use ArchiveError as E;
        let class = match &error {
            E::Exists(_) | E::InTheWay(_) | E::Newer { .. } => FaultClass::Refused,
            E::Name(_) | E::NoFolder(_) | E::Nothing(_) | E::NoSuchPart { .. } => FaultClass::Usage,
            E::Busy(_) => FaultClass::Locked,
            E::Unfinished(_) | E::NoArchive(_) | E::Damaged { .. } => FaultClass::Damaged,
            E::Io { .. } | E::Chunk { .. } | E::Entry { .. } | E::Unfit(_) => FaultClass::System,
        };
        Fault::new(class, error)
    }
}
