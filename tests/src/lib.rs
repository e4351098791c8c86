//! What the end-to-end tests stand on: the program, the modules, a sample application, and a look at
//! what is on the disk.
//!
//! ```no_run
//! use godwit_tests::{Shop, modules};
//!
//! let shop = Shop::new();
//! shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
//! let before = shop.tree();
//! let modules = modules().display().to_string();
//! let refused = shop.godwit(&["migrate", "old.tar", "--to", "7.0.0", "-o", "new.tar", "--modules", &modules]);
//! assert!(refused.failed(3).contains("no chain of modules"));
//! assert_eq!(shop.tree(), before, "nothing changed, nothing left behind");
//! ```

#![forbid(unsafe_code)]

mod built;
mod manifest;
mod outside;
mod program;
mod shop;
mod tree;

pub use built::{example, godwit, guests, modules, other_modules, target_dir};
pub use manifest::with_manifest;
pub use outside::{dump, shared, sqlite3, without};
pub use program::{Outcome, run};
pub use shop::Shop;
pub use tree::tree;
