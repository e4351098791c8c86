//! What the author of a migration module does with `godwit module`, a function for each command:
//!
//! - [`begin`] writes a crate that builds and passes its tests as it is
//! - [`build`] makes a component of a crate
//! - [`pack`] makes a module of what another language's tools made
//! - [`Outline`] says what a module is and asks for, without running it
//! - [`check`] looks for what a host would refuse, and for whatever is not deterministic
//! - [`sign`] signs it, and [`signature`] says who did
//! - [`cases::run`] plays golden cases: records and files in, records and files out, compared byte for byte
//!
//! Modules are run in the sandbox that operators run them in, with what their manifest asks for and nothing
//! else, made of a case or made up; there is no live target.
//!
//! ```no_run
//! use std::path::Path;
//! use godwit_author::{build, cases, shape};
//! use godwit_sandbox::{Options, Sandbox};
//!
//! # fn main() -> Result<(), godwit_model::Fault> {
//! let dir = Path::new("shop-1.1");
//! let module = build(dir)?.module;
//! let sandbox = Sandbox::new(&Options::default())?;
//! for case in cases::find(&dir.join("cases"), &[])? {
//!     let report = cases::run(&sandbox, &module, &case, cases::Mode::Compare)?;
//!     println!("{}: {}", report.name, report.outcome.word());
//! }
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod begin;
mod build;
pub mod cases;
mod check;
mod error;
mod finding;
mod generate;
mod means;
mod outline;
mod pack;
mod run;
mod sdk;
pub mod shape;
mod signing;
mod trees;

pub use begin::{Beginning, Begun, begin};
pub use build::{Built, build, read};
pub use check::{CheckReport, Checking, Step, check};
pub use error::AuthorError;
pub use finding::Finding;
pub use outline::Outline;
pub use pack::pack;
pub use sdk::find_sdk;
pub use signing::{Signed, sign, signature};
