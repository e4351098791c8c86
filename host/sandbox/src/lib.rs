//! The sandbox: the only user of wasmtime. It sees chunks and capabilities, never a connection URL.
//!
//! A module passes three typed stages, each a proof of the one before:
//!
//! 1. [`Module`]: its manifest was read and its imports were checked, without running anything
//! 2. [`Granted`]: compiled, with the parameters and limits that the operator allows
//! 3. [`Instance`]: running; takes chunks, gives chunks
//!
//! The program itself runs modules in [`Workers`]: the same three stages, the last of them in a process of its
//! own that can do nothing but answer. Running them in process is for a module author's tools.
//!
//! What is absent here: WASI, a clock, randomness, the network, the environment, the file system.
#![deny(unsafe_code)] // but for worker/raw.rs

mod bindings;
mod capability;
mod convert;
mod engine;
mod error;
mod granted;
mod host;
mod instance;
pub mod limits;
mod module;
mod text;
mod worker;

pub use capability::Capabilities;
pub use engine::{Options, Sandbox};
pub use error::{Excess, Failure, Place, SandboxError};
pub use granted::Granted;
pub use host::{LogLevel, LogLine, Parameters};
pub use instance::{Instance, Output};
pub use limits::Limits;
pub use module::Module;
pub use text::{tame, tame_line};
#[doc(hidden)]
pub use worker::lock_down;
pub use worker::{Connections, Desk, Flow, Logged, NoDesk, Prepared, Worker, Workers, serve};
