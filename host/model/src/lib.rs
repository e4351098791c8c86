//! The words of Godwit as types: names, versions and the version rule, the catalog, chunks, the
//! record encoding, and the two ends of the pipeline. No I/O happens in this crate.
//!
//! ```
//! use godwit_model::{Collection, Column, Kind, records};
//!
//! let devices = Collection::new("devices", [
//!     Column::new("id", Kind::Int64),
//!     Column::new("name", Kind::Text),
//! ]).with_primary_key(["id"]);
//!
//! let good = b"{\"id\":1,\"name\":\"core-1\"}\n";
//! let checked = records::check(&devices, good, |_, _| {}).unwrap();
//! assert_eq!(checked.records, 1);
//!
//! let bad = b"{\"id\":1,\"name\":2}\n";
//! let wrong = records::check(&devices, bad, |_, _| {}).unwrap_err();
//! assert_eq!(wrong.column.as_deref(), Some("name"));
//! ```

mod catalog;
mod chain;
mod chunk;
mod digest;
mod ends;
mod fault;
mod file_access;
pub mod limits;
mod manifest;
mod names;
mod reads;
pub mod records;
mod sql;
mod text;
mod version;
mod wishes;
mod words;

pub use catalog::{
    Catalog, CatalogError, Collection, Column, Database, Default, EngineKind, Kind, Object, Reference, Sequence,
};
pub use chain::{ChainError, resolve_chain};
pub use chunk::{Body, Chunk, Packed};
pub use digest::{Digest, Hasher};
pub use ends::{
    Emit, EntryKind, Form, RecordSource, RecordTarget, Source, Staged, Target, TreeEntry, TreeSource, TreeTarget, Visit,
};
pub use fault::{Fault, FaultClass};
pub use file_access::{FileAccess, FileChange, FileFailure, FileKind, FileStat};
pub use manifest::{Access, Crossing, ManifestError, ModuleManifest, ParameterSpec};
pub use names::{CollectionId, CollectionName, DatabaseName, ModuleName, NameError, TreeName, TreePath};
pub use reads::Reads;
pub use sql::{SqlConnection, SqlFailure, SqlRow, SqlValue};
pub use text::{harmless, plain};
pub use version::{Line, Verdict, verdict};
pub use wishes::{Wish, Wishes};
