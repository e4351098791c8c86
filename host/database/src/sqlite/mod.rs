//! SQLite as source and target.
//!
//! | file | tells |
//! |---|---|
//! | `raw` | the C API, wrapped: the only unsafe code, with what is in its folder |
//! | `open` | how files are opened: to read, to build, to seize |
//! | `words`, `kind` | SQL as tokens; declared types as portable kinds |
//! | `outline`, `catalog` | what is in a file; the same as a catalog |
//! | `encoding` | values to JSON and back |
//! | `source`, `target` | the two ends |
//! | `generate`, `authorize`, `build` | definitions: written, guarded, run |
//! | `insert` | JSON lines into rows |
//! | `swap` | how the new file takes the old one's place |
//! | `prove`, `scalar` | the proof of a catalog; one value for the version rule |
//! | `stage` | what a module may query, laid out for it |
//! | `session` | connections for modules |
//! | `references` | whether what refers to something still does |
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
mod references;
mod scalar;
mod script;
mod session;
mod source;
mod stage;
mod swap;
mod target;
mod words;

pub use error::DatabaseError;
pub(crate) use prove::prove;
pub(crate) use raw::limit_memory;
pub(crate) use scalar::query_scalar;
pub(crate) use script::run_script;
pub(crate) use session::{open_input, open_scratch};
pub(crate) use source::{Source, list_collections};
pub(crate) use stage::Stage;
pub(crate) use target::Target;
