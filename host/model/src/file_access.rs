//! File trees as a module sees them: the `files` interface of `wit/migration.wit` in the host's words.

use serde::{Deserialize, Serialize};

/// What a path of a tree names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link; never followed.
    Link,
}

/// What is known of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStat {
    /// What it is.
    pub kind: FileKind,
    /// Bytes of content; 0 for what is no file.
    pub size: u64,
    /// Permission bits, 0o7777 at most.
    pub mode: u32,
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub modified: i64,
}

/// Why a module's wish was not done. It may handle it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileFailure {
    /// Does not exist, or was not granted.
    NotFound,
    /// Something is there already.
    AlreadyExists,
    /// A part of the path is no directory.
    NotADirectory,
    /// It is a directory or a link.
    NotAFile,
    /// The directory still holds something.
    NotEmpty,
    /// Absolute, with `.`, `..`, an empty part or a NUL, or too long.
    InvalidPath,
    /// The tree was granted for reading, or the call is not `finish`.
    ReadOnly,
    /// More files or bytes than a module may write.
    Limit,
    /// The host could not read or write its own copy.
    Io,
}

/// The file trees of one step as a module may use them. Paths are `/`-separated; the root is the empty path.
pub trait FileAccess: Send {
    /// Whether there is such a tree.
    fn open(&mut self, tree: &str) -> Result<(), FileFailure>;
    /// The names in a directory, sorted by their bytes.
    fn list(&mut self, tree: &str, path: &str) -> Result<Vec<String>, FileFailure>;
    /// What a path names.
    fn stat(&mut self, tree: &str, path: &str) -> Result<FileStat, FileFailure>;
    /// Up to `length` bytes from `offset`; none at the end.
    fn read(&mut self, tree: &str, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, FileFailure>;
    /// Changes the tree.
    fn change(&mut self, tree: &str, path: &str, change: FileChange<'_>) -> Result<(), FileFailure>;
}

/// What a module may do to a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileChange<'a> {
    /// Writes at an offset, making the file where there is none.
    Write {
        /// Where; a gap before it reads as zeros.
        offset: u64,
        /// What.
        bytes: &'a [u8],
    },
    /// Cuts or lengthens a file.
    Truncate(u64),
    /// Sets permission bits.
    SetMode(u32),
    /// Makes a directory in one that is there.
    MakeDirectory,
    /// Gives it another path in the same tree, where nothing is yet.
    Rename(&'a str),
    /// Removes a file, a link or an empty directory.
    Remove,
}
