//! From the source of a migration module to a WebAssembly component, and nothing else.
//!
//! ```no_run
//! use std::path::Path;
//! use godwit_toolchain::{Toolchain, write_component};
//!
//! # fn main() -> Result<(), godwit_toolchain::ToolchainError> {
//! let toolchain = Toolchain::set_up(&mut |line| eprintln!("{line}"))?;
//! let built = toolchain.build(Path::new("migrations-wasm/inventory-1.0-to-1.1"), Path::new("target"))?;
//! write_component(Path::new("inventory.wasm"), &built.component()?)?;
//! # Ok(())
//! # }
//! ```
//!
//! The same sources, `Cargo.lock` and compiler give the same bytes, wherever they lie (a dependency by
//! a path that leaves the workspace excepted: cargo mixes that path into the names of its symbols).
//! The compiler runs a crate's build scripts and macros with the rights of whoever builds: build what
//! you trust.
//! Nothing here runs a module, and nothing here judges one: that is the sandbox's work.

#![forbid(unsafe_code)]

mod build;
mod component;
mod environment;
mod error;
mod find;
mod flags;
mod other;
mod output;
mod pack;
mod setup;
mod workspace;

pub use build::Built;
pub use component::{MANIFEST_SECTION, componentize};
pub use error::{ComponentError, ToolchainError};
pub use find::{CHOICE_VARIABLE, TARGET, Toolchain};
pub use other::{OtherModule, Packed};
pub use output::write_component;
pub use pack::pack;
pub use setup::install_packages;
pub use workspace::Workspace;
