//! The way from the component's exports to a [`Migration`], and the macro that makes them.

use std::cell::RefCell;

use crate::bindings::{Chunk, Failure};
use crate::host::{self, Level};
use crate::{Catalog, Migration, Result};

/// Makes a crate a module: exports the component and puts the manifest into it.
///
/// ```text
/// godwit_sdk::module!(migration, manifest = "module.json");
/// ```
///
/// `migration` is a function `fn() -> Migration`; the manifest's path is relative to the folder of
/// the crate's `Cargo.toml`. The crate also gets `pub const MANIFEST: &str`, for its tests. The
/// crate needs `crate-type = ["cdylib", "rlib"]`: the one for the component, the other for tests.
#[macro_export]
macro_rules! module {
    ($migration:path, manifest = $manifest:literal) => {
        /// The manifest of this module.
        pub const MANIFEST: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $manifest));

        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Migration = $migration;

        #[cfg(target_family = "wasm")]
        const _: () = {
            #[used]
            #[unsafe(link_section = "godwit:module")]
            static SECTION: [u8; MANIFEST.len()] = *include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $manifest));

            struct Module;

            impl $crate::bindings::Guest for Module {
                fn evolve(
                    catalog: $crate::bindings::Catalog,
                ) -> Result<$crate::bindings::Catalog, $crate::bindings::Failure> {
                    $crate::runtime::evolve($migration, catalog)
                }

                fn transform(
                    chunk: $crate::bindings::Chunk,
                ) -> Result<Vec<$crate::bindings::Chunk>, $crate::bindings::Failure> {
                    $crate::runtime::transform($migration, chunk)
                }

                fn finish() -> Result<Vec<$crate::bindings::Chunk>, $crate::bindings::Failure> {
                    $crate::runtime::finish($migration)
                }

                fn verify() -> Result<(), $crate::bindings::Failure> {
                    $crate::runtime::verify($migration)
                }
            }

    $crate::bindings::__export_migration!(Module with_types_in $crate::bindings);
        };
    };
}

/// The function that an author hands to [`module!`](crate::module).
pub type Make = fn() -> Migration;

thread_local! {
    static MIGRATION: RefCell<Option<Migration>> = const { RefCell::new(None) };
}

/// The host's call `evolve`.
#[allow(clippy::needless_pass_by_value, reason = "the bindings hand it over so")]
pub fn evolve(make: Make, catalog: Catalog) -> Result<Catalog, Failure> {
    with(make, |migration| migration.run_evolve(&catalog))
}

/// The host's call `transform`.
pub fn transform(make: Make, chunk: Chunk) -> Result<Vec<Chunk>, Failure> {
    with(make, |migration| migration.run_transform(chunk))
}

/// The host's call `finish`.
pub fn finish(make: Make) -> Result<Vec<Chunk>, Failure> {
    with(make, Migration::run_finish)
}

/// The host's call `verify`.
pub fn verify(make: Make) -> Result<(), Failure> {
    with(make, Migration::run_verify)
}

/// One migration serves all calls of an instance, for its buffers, and for what an ordered module keeps.
fn with<T>(make: Make, call: impl FnOnce(&mut Migration) -> Result<T>) -> Result<T, Failure> {
    MIGRATION.with_borrow_mut(|slot| {
        let migration = slot.get_or_insert_with(|| {
            std::panic::set_hook(Box::new(|panic| host::log(Level::Error, &panic.to_string())));
            make()
        });
        call(migration).map_err(Failure::from)
    })
}
