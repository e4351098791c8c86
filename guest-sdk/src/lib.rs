//! What a migration module for Godwit is written with.
//!
//! A module takes an application's data from one version to the next. It says how the catalog
//! changes, and how the records of each collection do, in one of two styles: *edit*, where a
//! function changes some fields of a record and all others pass unread, and *typed*, where it
//! makes a new type of an old one. Its manifest, `module.json`, is described in `MANIFEST.md`.
//!
//! ```
//! use godwit_sdk::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! fn migration() -> Migration {
//!     Migration::new().evolve(evolve).edit("devices", device).typed("users", user)
//! }
//!
//! fn evolve(catalog: &mut Catalog) -> Result<()> {
//!     catalog.collection("devices")?.rename_column("hostname", "name")?;
//!     catalog.collection("users")?.add_column(Column::text("city").nullable())?;
//!     Ok(())
//! }
//!
//! // Field by field.
//! fn device(record: &mut Record, _: &mut Context) -> Result<()> {
//!     record.rename("hostname", "name")
//! }
//!
//! #[derive(Deserialize)]
//! struct OldUser { id: i64, address: String }
//!
//! #[derive(Serialize)]
//! struct User { id: i64, address: String, city: Option<String> }
//!
//! // Type by type.
//! fn user(old: OldUser, _: &mut Context) -> Result<User> {
//!     let city = old.address.rsplit_once(", ").map(|(_, city)| city.to_owned());
//!     Ok(User { id: old.id, address: old.address, city })
//! }
//!
//! // In a module crate, this line makes the component:
//! // godwit_sdk::module!(migration, manifest = "module.json");
//!
//! // And this is a whole test, run natively:
//! use godwit_sdk::testing::{Harness, json};
//!
//! let mut harness = Harness::new(migration());
//! harness.evolve(
//!     &Catalog::new("sqlite")
//!         .with(Collection::new("devices").column(Column::int64("id")).column(Column::text("hostname")))
//!         .with(Collection::new("users").column(Column::int64("id")).column(Column::text("address"))),
//! )?;
//!
//! let devices = harness.transform_lines("devices", "{\"id\":1,\"hostname\":\"sw1\"}\n")?;
//! assert_eq!(devices.lines("devices"), "{\"id\":1,\"name\":\"sw1\"}\n");
//!
//! let users = harness.transform("users", [json!({"id": 7, "address": "Kirkegata 1, Tromsø"})])?;
//! assert_eq!(users.records("users"), [json!({"id": 7, "address": "Kirkegata 1, Tromsø", "city": "Tromsø"})]);
//!
//! // What a record does wrong is told by its number, its key and its field.
//! let error = harness.transform("users", [json!({"id": 8, "address": null})]).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "users, record 0 (key 8), field address: invalid type: null, expected a string"
//! );
//! # Ok::<(), Error>(())
//! ```
//!
//! # What a module may ask for
//!
//! Whatever `module.json` declares and the operator grants is at hand in the [`Context`]; `MANIFEST.md` and
//! `wit/migration.wit` say more.
//!
//! | | in `module.json` | answers in |
//! |---|---|---|
//! | [`Context::parameter`] | `"parameters"` | everywhere; in `evolve` as [`host::parameter`] |
//! | [`Context::input`]: the data before this module, by SQL | `"reads"`, `"indexes"` | transformations, `finish`, `verify` |
//! | [`Context::scratch`]: a database of one's own | `"scratch"`, `"ordered"` | transformations, `finish`, `verify` |
//! | [`Context::target`]: the live target, by SQL | `"target"` | `verify`, where there is a live target |
//! | [`Context::tree`]: files | `"files"` | transformations, `finish`, `verify`; written in `finish` only |
//!
//! See [`database`] for SQL and [`files`] for file trees, each with an example and its test.
//!
//! # Building and testing
//!
//! `godwit module new` writes a crate of this kind that works as it is, and `godwit module test` runs
//! the component over golden cases, in the sandbox that operators run it in.
//!
//! The same crate is built for `wasm32-unknown-unknown` to become a component, and natively for
//! its tests. A module has no clock, no randomness and no network; what it needs of time or chance
//! it takes from [`Context::timestamp`] and [`Context::seed`].
#![deny(unsafe_code)]

#[doc(hidden)]
pub mod bindings;
mod catalog;
mod context;
pub mod database;
mod error;
pub mod files;
/// The log and the parameters, where no [`Context`] is at hand: in `evolve`.
pub mod host;
mod migration;
#[cfg(not(target_family = "wasm"))]
mod native;
mod opened;
mod output;
mod record;
#[doc(hidden)]
pub mod runtime;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod typed;
mod values;

pub use catalog::{Catalog, Collection, CollectionEditor, Column, DefaultValue, Kind, Object, Reference};
pub use context::Context;
pub use database::Connection;
pub use error::{Error, InField, Result};
pub use files::Tree;
pub use migration::Migration;
pub use record::Record;
pub use values::{Bytes, Decimal, DecimalError, Float, Json};

/// Everything a module uses: `use godwit_sdk::prelude::*;`.
pub mod prelude {
    pub use crate::{
        Bytes, Catalog, Collection, Column, Connection, Context, Decimal, DefaultValue, Error, Float, InField, Json,
        Kind, Migration, Object, Record, Reference, Result, Tree,
    };
}
