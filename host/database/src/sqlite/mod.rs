//! SQLite as source and target.
//!
//! | file | tells |
//! |---|---|
//! | `raw` | the C API, wrapped: the only unsafe code |
//! | `open` | how files are opened: to read, to build, to seize |
//! | `words`, `kind` | SQL as tokens; declared types as portable kinds |
//! | `outline`, `catalog` | what is in a file; the same as a catalog |
//! | `encoding` | values to JSON and back |
//! | `source`, `target` | the two ends |
//! | `generate`, `authorize`, `build` | definitions: written, guarded, run |
//! | `insert` | JSON lines into rows |
//! | `swap` | how the new file takes the old one's place |
//! | `prove`, `scalar` | the proof of a catalog; one value for the version rule |
//! | `script` | SQL by an application's author, for the demo and tests |

mod authorize;
mod build;
mod catalog;
mod encoding;
mod error;
mod generate;
mod insert;
mod kind;
mod open;
mod outline;
mod prove;
mod raw;
mod scalar;
mod script;
mod source;
mod swap;
mod target;
mod words;

pub use error::DatabaseError;
pub(crate) use prove::prove;
pub(crate) use scalar::query_scalar;
pub(crate) use script::run_script;
pub(crate) use source::{Source, list_collections};
pub(crate) use target::Target;
