//! File trees as modules change them, apart from what is there: copy-on-write.
//!
//! A module's paths are keys of a map and nothing else: no path that a guest gives ever reaches the file
//! system. What a [`TreeState`] holds of a file is where its content is: in the source, under the path
//! that the source listed, or in a numbered file of a private folder. So nothing can lead out.
//!
//! ```text
//! source ──▶ Base ──▶ TreeState ──▶ StepTrees (one module) ──▶ TreeState ──▶ … ──▶ OverlayTrees ──▶ target
//! ```
//!
//! A state is a tree of shared directories: a clone costs nothing, a change copies the directories on the
//! way to it and the content it touches. An entry takes about 300 bytes of memory, so a tree of a million
//! entries about 300 MB; a directory held by two states that differ in it counts twice.

mod base;
mod change;
mod changes;
mod links;
mod path;
mod source;
mod spending;
mod state;
mod step;
mod tree;

pub use base::Base;
pub use changes::{ChangeKind, TreeChange};
pub use links::BrokenLink;
pub use source::OverlayTrees;
pub use spending::{Spending, TreeLimits};
pub use state::TreeState;
pub use step::StepTrees;
