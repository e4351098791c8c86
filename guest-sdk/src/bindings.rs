//! The WIT package `godwit:migration` in Rust, written by wit-bindgen. The only place of this crate with unsafe code.
#![allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

wit_bindgen::generate!({
    world: "migration",
    path: "../wit",
    pub_export_macro: true,
    export_macro_name: "__export_migration",
    default_bindings_module: "godwit_sdk::bindings",
    additional_derives: [PartialEq],
    generate_all,
});
