//! File trees as modules change them.
#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod bases;
mod bounds;
mod changes;
mod fixture;
mod links;
mod operations;
mod properties;
