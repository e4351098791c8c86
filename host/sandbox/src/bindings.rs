//! The host's side of `wit/migration.wit`, generated.
#![allow(missing_docs, unreachable_pub, clippy::pedantic)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "migration",
});

pub(crate) use godwit::migration::{catalog, log, parameters, types};
