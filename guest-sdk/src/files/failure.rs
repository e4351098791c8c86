//! What went wrong with a file, in words that name it.

use super::{Failure, Tree};
use crate::Error;

/// Done to a file that need not be there yet.
pub(super) const WRITTEN: &str = "written";

const NO_DIRECTORY: &str = "it does not exist; a new file's directory must be there, see `make_directory_all`";

/// A tree that did not open.
#[cold]
pub(super) fn of_opening(name: &str, error: Failure) -> Error {
    let words = match error {
        Failure::NotFound => "it does not exist, or was not granted; module.json asks for it in \"files\"",
        other => reason(other).1,
    };
    Error::new(format!("the file tree {name} cannot be opened: {words}")).with_code(reason(error).0)
}

impl Tree {
    #[cold]
    pub(super) fn failed(&self, done: &str, path: &str, error: Failure) -> Error {
        let path = if path.is_empty() { "its root" } else { path };
        let (code, words) = match error {
            Failure::NotFound if done == WRITTEN => (reason(error).0, NO_DIRECTORY),
            error => reason(error),
        };
        Error::new(format!("{}: {path} cannot be {done}: {words}", self.0.name)).with_code(code)
    }
}

fn reason(error: Failure) -> (&'static str, &'static str) {
    match error {
        Failure::NotFound => ("not-found", "it does not exist"),
        Failure::AlreadyExists => ("already-exists", "there is something of that name already; remove it first"),
        Failure::NotADirectory => ("not-a-directory", "it, or what it is in, is no directory"),
        Failure::NotAFile => ("not-a-file", "it is no file"),
        Failure::NotEmpty => ("not-empty", "it is not empty; `remove_all` removes what is in it too"),
        Failure::InvalidPath => {
            ("invalid-path", "a path is relative to its tree, its parts separated by /, none of them empty, . or ..")
        }
        Failure::ReadOnly => {
            ("read-only", "trees are written in finish only, and where module.json asks for \"read-write\"")
        }
        Failure::Limit => ("limit", "it would go over a limit of the run on sizes or counts of files"),
        Failure::Io => ("io", "the host failed; its log says why"),
    }
}
