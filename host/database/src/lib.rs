//! Databases as source and target. SQLite today; PostgreSQL and MySQL become sibling folders.
//!
//! Records pass between a database and JSON lines with no tree of values in between, and a
//! definition from a catalog runs only under an authorizer that lets it create what it claims to be.
//!
//! ```no_run
//! use godwit_database::{Options, Replace, open_source, open_target};
//! use godwit_model::DatabaseName;
//!
//! # fn main() -> Result<(), godwit_model::Fault> {
//! let main = DatabaseName::new("main").expect("letters only");
//! let mut source = open_source(&main, "sqlite://shop.db", &Options::default())?;
//! let mut copy = open_target(&main, "sqlite://copy.db", Replace::Never)?;
//! let catalog = source.catalog().clone();
//! copy.begin(&catalog)?;
//! for (id, _) in catalog.collections() {
//!     source.read(&id, &mut |chunk| copy.write(chunk))?;
//! }
//! copy.prepare()?;
//! copy.commit()?;
//! copy.settle()?;
//! # Ok(())
//! # }
//! ```
//!
//! Absent by intent: archives (see `godwit-archive`), modules, and any decision on what to run.

#![deny(unsafe_code)] // forbidden everywhere but in sqlite/raw.rs and sqlite/raw, which talk to SQLite's C API

mod api;
mod location;
mod sqlite;

pub use api::{
    Listed, Options, Replace, Violation, limit_memory, list_collections, open_input, open_scratch, open_source,
    open_target, prove, prove_change, query_scalar, run_script, stage_input,
};
pub use location::LocationError;
pub use sqlite::DatabaseError;
