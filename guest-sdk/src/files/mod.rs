//! The file trees that the manifest declares in `"files"`.
//!
//! [`Context::tree`](crate::Context::tree) opens one, in transformations, `finish` and `verify`. It is written in
//! `finish` only; what is written there lands with everything else of the run, or not at all.
//!
//! ```
//! use godwit_sdk::prelude::*;
//!
//! // In `module.json`: "files": {"config": "read-write"}
//! fn finish(cx: &mut Context) -> Result<()> {
//!     let config = cx.tree("config")?;
//!     let main = config.read_text("main.conf")?;
//!     config.write("main.conf", main.replace("listen ", "bind "))?;
//!     config.make_directory_all("sites/enabled")?;
//!     for name in config.list("sites.d")? {
//!         config.rename(&format!("sites.d/{name}"), &format!("sites/enabled/{name}"))?;
//!     }
//!     config.remove("sites.d")
//! }
//!
//! // A native test has its trees in memory.
//! use godwit_sdk::testing::Harness;
//!
//! let harness = Harness::new(Migration::new().finish(finish));
//! let mut harness = harness.file("config", "main.conf", "listen 80\n").file("config", "sites.d/a.conf", "a\n");
//! harness.finish()?;
//! let files = harness.files("config");
//! assert_eq!(files["main.conf"], b"bind 80\n");
//! assert_eq!(files["sites/enabled/a.conf"], b"a\n");
//! assert_eq!(files.len(), 2);
//! # Ok::<(), Error>(())
//! ```
//!
//! Paths are relative to the tree, their parts separated by `/`; the root is `""`. A link is an entry that
//! is never followed.

mod change;
mod failure;
mod stream;
mod walk;

use std::rc::Rc;

use crate::bindings::godwit::migration::files::Error as Failure;
#[cfg(target_family = "wasm")]
use crate::bindings::godwit::migration::files::Tree as Handle;
#[cfg(not(target_family = "wasm"))]
use crate::native::files::Tree as Handle;
use crate::opened::Opened;
use crate::{Error, Result};

pub use self::stream::{Reader, Writer};
pub use self::walk::{Entry, Walk};
pub use crate::bindings::godwit::migration::files::{Kind, Stat};

/// Bytes that go to or come from the host at once; it hands out no more.
const PIECE: u32 = 1 << 20;

/// One of the trees that a [`Context`](crate::Context) opens. A clone is the same tree.
#[derive(Clone)]
pub struct Tree(Rc<Open>);

struct Open {
    name: String,
    handle: Handle,
}

impl Tree {
    pub(crate) fn of(opened: &mut Opened, name: &str) -> Result<Self> {
        let open = || match Handle::open(name) {
            Ok(handle) => Ok(Open { name: name.to_owned(), handle }),
            Err(error) => Err(failure::of_opening(name, error)),
        };
        opened.get(name, open).map(Self)
    }

    /// Whether there is an entry with this path.
    pub fn exists(&self, path: &str) -> Result<bool> {
        match self.0.handle.stat(path) {
            Ok(_) => Ok(true),
            Err(Failure::NotFound | Failure::NotADirectory) => Ok(false),
            Err(error) => Err(self.failed("looked at", path, error)),
        }
    }

    /// Kind, size, mode and time of an entry.
    pub fn stat(&self, path: &str) -> Result<Stat> {
        self.told("looked at", path, self.0.handle.stat(path))
    }

    /// The names in a directory, sorted by their bytes.
    pub fn list(&self, path: &str) -> Result<Vec<String>> {
        self.told("listed", path, self.0.handle.list(path))
    }

    /// All entries below a directory, each directory before what is in it, names sorted by their bytes.
    pub fn walk(&self, path: &str) -> Result<Walk> {
        Walk::new(self.clone(), path)
    }

    /// A whole file.
    pub fn read(&self, path: &str) -> Result<Vec<u8>> {
        let mut content = self.piece(path, 0)?;
        loop {
            match self.piece(path, content.len() as u64)? {
                piece if piece.is_empty() => return Ok(content),
                piece => content.extend_from_slice(&piece),
            }
        }
    }

    /// A whole file that is UTF-8.
    pub fn read_text(&self, path: &str) -> Result<String> {
        String::from_utf8(self.read(path)?).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Error::new(format!("{}: {path} is not UTF-8, from byte {at} on; `read` takes any bytes", self.0.name))
        })
    }

    /// A file by pieces, for what need not be in memory at once.
    pub fn reader(&self, path: &str) -> Result<Reader> {
        Ok(Reader::new(self.clone(), path, self.piece(path, 0)?))
    }

    /// The bytes from an offset on; none at the end, and only there.
    fn piece(&self, path: &str, offset: u64) -> Result<Vec<u8>> {
        self.told("read", path, self.0.handle.read(path, offset, PIECE))
    }

    fn told<T>(&self, done: &str, path: &str, answer: Result<T, Failure>) -> Result<T> {
        answer.map_err(|error| self.failed(done, path, error))
    }
}
