//! A migration module that misbehaves in the way its parameter `behaviour` names.
//!
//! Each way has a line in [`BEHAVIOURS`], and nothing else is ever run; so a test can hold the list
//! against its own, and no way to misbehave goes untested. Where a module does not misbehave, it
//! leaves the catalog as it is and gives back the records it got.
#![deny(unsafe_code)]
#![allow(
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    reason = "behaviours have the types of the calls they stand for"
)]

mod careless;
mod catalogs;
mod closing;
mod records;
mod repeated;
mod sql;
mod target;
mod trees;
mod tried;

use godwit_sdk::Migration;
use godwit_sdk::bindings::{Catalog, Chunk, Failure};

/// What this module says of itself.
pub const MANIFEST: &str = include_str!("../module.json");

/// What a behaviour takes the place of.
#[derive(Clone, Copy)]
pub enum Behaviour {
    /// A whole module, written with the SDK.
    Migration(fn() -> Migration),
    /// The call `evolve`.
    Evolve(fn(Catalog) -> Result<Catalog, Failure>),
    /// The call `transform`.
    Transform(fn(Chunk) -> Result<Vec<Chunk>, Failure>),
    /// The call `finish`.
    Finish(fn() -> Result<Vec<Chunk>, Failure>),
    /// The call `verify`.
    Verify(fn() -> Result<(), Failure>),
}

/// Every way to misbehave, by its name.
pub fn behaviours() -> impl Iterator<Item = (&'static str, Behaviour)> {
    [
        careless::BEHAVIOURS,
        records::BEHAVIOURS,
        catalogs::BEHAVIOURS,
        closing::BEHAVIOURS,
        repeated::BEHAVIOURS,
        sql::BEHAVIOURS,
        target::BEHAVIOURS,
        trees::BEHAVIOURS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// A failure in these words.
fn failure(message: impl Into<String>) -> Failure {
    Failure { message: message.into(), collection: None, record: None, key: None, field: None }
}

#[cfg(target_family = "wasm")]
mod component {
    use godwit_sdk::{bindings, host, runtime};

    use super::{Behaviour, Catalog, Chunk, Failure, MANIFEST, behaviours, failure};

    #[used]
    #[unsafe(link_section = "godwit:module")]
    #[allow(unsafe_code, reason = "where the manifest lies is part of the contract")]
    static SECTION: [u8; MANIFEST.len()] = *include_bytes!("../module.json");

    struct Module;

    /// The behaviour asked for; none where there is nothing to misbehave in.
    fn wanted() -> Result<Option<Behaviour>, Failure> {
        let name: String = host::parameter("behaviour").map_err(Failure::from)?;
        match behaviours().find(|(known, _)| *known == name) {
            Some((_, behaviour)) => Ok(Some(behaviour)),
            None if name == "none" => Ok(None),
            None => Err(failure(format!("there is no behaviour {name}"))),
        }
    }

    impl bindings::Guest for Module {
        fn evolve(catalog: Catalog) -> Result<Catalog, Failure> {
            match wanted()? {
                Some(Behaviour::Evolve(evolve)) => evolve(catalog),
                Some(Behaviour::Migration(make)) => runtime::evolve(make, catalog),
                _ => Ok(catalog),
            }
        }

        fn transform(chunk: Chunk) -> Result<Vec<Chunk>, Failure> {
            match wanted()? {
                Some(Behaviour::Transform(transform)) => transform(chunk),
                Some(Behaviour::Migration(make)) => runtime::transform(make, chunk),
                _ => Ok(vec![chunk]),
            }
        }

        fn finish() -> Result<Vec<Chunk>, Failure> {
            match wanted()? {
                Some(Behaviour::Finish(finish)) => finish(),
                Some(Behaviour::Migration(make)) => runtime::finish(make),
                _ => Ok(vec![]),
            }
        }

        fn verify() -> Result<(), Failure> {
            match wanted()? {
                Some(Behaviour::Verify(verify)) => verify(),
                Some(Behaviour::Migration(make)) => runtime::verify(make),
                _ => Ok(()),
            }
        }
    }

    bindings::__export_migration!(Module with_types_in bindings);
}
