//! Worker processes: a module's code runs in a child of the same binary, which holds no credentials and
//! no connection, and which the parent kills at the deadline.
//!
//! ```text
//! parent: reads manifests, compiles, holds connections      child: `godwit worker`
//!   Workers ── prepare ──▶ Prepared ── spawn ──▶ Worker ══ pipes ══▶ serve: drops what it may, loads, calls
//! ```
//!
//! So the code needs no check of its time at every turn, a worker that dies takes nothing with it, and
//! what breaks out of the engine lands in an empty room: no file can be opened there, no socket made and
//! no program started. What a worker answers is as little trusted as what a module returns.
//!
//! | file | tells |
//! |---|---|
//! | `protocol` | what passes through the pipes |
//! | `pipes` | reading and writing them with a deadline |
//! | `parent` | starting a worker, calling it, killing it |
//! | `child` | what a worker does |
//! | `chain` | records through several modules |
//! | `link` | a worker's way to its parent |
//! | `wishes` | what modules ask of the parent: files and the live target |
//! | `lockdown` | what a worker gives up before it loads a module |
//! | `raw` | the only unsafe code of the crate |

mod chain;
mod child;
mod link;
mod lockdown;
mod parent;
mod pipes;
mod protocol;
mod raw;
mod wishes;

pub use chain::Flow;
pub use child::{Connections, serve};
pub use parent::{Logged, Prepared, Worker, Workers};
pub use wishes::{Desk, NoDesk};

/// Gives up what a worker gives up; answers what could not be. For the test that looks at the room from the inside.
#[doc(hidden)]
pub fn lock_down() -> Vec<String> {
    lockdown::give_up(lockdown::close_inherited())
}
