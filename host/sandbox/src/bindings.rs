//! The host's side of `wit/migration.wit`, generated.
#![allow(missing_docs, unreachable_pub, clippy::pedantic)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "migration",
    imports: { default: trappable },
    with: {
        "godwit:migration/database.connection": crate::capability::Connection,
        "godwit:migration/database.rows": crate::capability::Rows,
        "godwit:migration/files.tree": crate::capability::Tree,
    },
});

pub(crate) use godwit::migration::{catalog, database, files, log, parameters, types};
