//! The archive: the only place that knows its layout. It never opens a database.
//!
//! One promise: an archive is there whole or not at all, and nothing read from one is used before
//! its digest was checked. `FORMAT.md` beside this crate describes the layout.
//!
//! ```
//! use godwit_archive::{Archive, ArchiveWriter, Depth, Header, WriterOptions};
//! use godwit_model::{Body, Catalog, Chunk, Collection, Column, Database, EngineKind, Kind};
//! use godwit_model::{RecordSource, RecordTarget, Staged};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let mut database = Database::new(EngineKind::Sqlite);
//! database.collections.push(Collection::new("devices", [Column::new("id", Kind::Int64)]));
//! let catalog = Catalog::of("main".parse()?, database);
//! let (devices, _) = catalog.collections().next().unwrap();
//!
//! let path = folder.path().join("backup.tar");
//! let header = Header::new("inventory", "1.1.0".parse()?, "2026-03-01T12:00:00Z");
//! let mut writer = ArchiveWriter::create(&path, header, WriterOptions::default())?;
//! writer.begin(&catalog)?;
//! let body = Body::Lines(b"{\"id\":1}\n".to_vec());
//! writer.write(Chunk { collection: devices.clone(), sequence: 0, records: 1, body })?;
//! writer.prepare()?;
//! writer.commit()?;
//! writer.settle()?;
//!
//! let mut archive = Archive::open(&path)?;
//! archive.verify(Depth::Contents, &mut |_done, _total| Ok(()))?;
//! archive.read(&devices, &mut |chunk| {
//!     assert_eq!(chunk.body.into_lines()?, b"{\"id\":1}\n");
//!     Ok(())
//! })?;
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod error;
mod found;
mod index;
mod layout;
pub mod limits;
mod manifest;
mod order;
mod read;
mod segment;
mod store;
mod sums;
mod write;

pub use error::{ArchiveError, Damage};
pub use found::{Found, look};
pub use manifest::{CollectionTotals, FORMAT, Header, Lineage, Manifest, TreeTotals};
pub use read::{Archive, Depth, Progress, Verified};
pub use write::{ArchiveWriter, WriterOptions};
