//! File trees as the two ends of a run: [`LiveTrees`] reads them, [`StagedTrees`] replaces them. Between
//! the two, modules change them through [`StepTrees`], copy-on-write.
//!
//! Kept of a file, directory or symbolic link: its name (any bytes), content, permission bits and
//! modification time. Not kept: owner and group (see [`TreeBuilder`]), access control lists,
//! extended attributes, holes in sparse files, and which names are hard links of one file: each
//! becomes a file of its own. Sockets, FIFOs and devices are an error until they are excluded.
//!
//! Everything below the root of a tree is reached through open directories and never through a
//! symbolic link, so that nobody who swaps a part of a path can lead a run out of the tree. The
//! root itself is the operator's word: where it is a symbolic link, it is followed once.
//!
//! ```
//! use std::collections::BTreeMap;
//! use godwit_files::{LiveTrees, Replace, StagedTrees, TreeSpec};
//! use godwit_model::{Fault, Staged, TreeName, TreeSource, TreeTarget};
//!
//! # let home = tempfile::tempdir().unwrap();
//! # let (old, new) = (home.path().join("old"), home.path().join("new"));
//! # std::fs::create_dir(&old).unwrap();
//! # std::fs::write(old.join("app.conf"), "port = 80\n").unwrap();
//! let config = TreeName::new("config").unwrap();
//! let mut source = LiveTrees::open(BTreeMap::from([(config.clone(), TreeSpec::whole(&old))]))?;
//! let mut target = StagedTrees::open(BTreeMap::from([(config.clone(), new.clone())]), Replace::Never)?;
//!
//! target.begin_tree(&config)?;
//! source.read_tree(&config, &mut |entry, content| target.write_entry(&config, entry, content))?;
//! target.prepare()?;
//! assert!(!new.exists());
//! target.commit()?;
//! target.settle()?;
//! assert_eq!(std::fs::read_to_string(new.join("app.conf")).unwrap(), "port = 80\n");
//! # Ok::<(), Fault>(())
//! ```

#![forbid(unsafe_code)]

mod attributes;
mod build;
mod content;
mod directories;
mod error;
mod escape;
pub mod limits;
mod live;
mod mounts;
mod overlay;
mod place;
mod remove;
mod scratch;
mod select;
mod staged;
mod walk;

pub use build::TreeBuilder;
pub use error::FilesError;
pub use escape::{escape, unescape};
pub use live::{LiveTrees, TreeSpec};
pub use overlay::{Base, BrokenLink, ChangeKind, OverlayTrees, Spending, StepTrees, TreeChange, TreeLimits, TreeState};
pub use remove::remove_tree;
pub use scratch::ScratchFolder;
pub use staged::{Replace, StagedTrees};
