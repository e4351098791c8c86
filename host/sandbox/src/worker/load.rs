//! Compiled code from bytes.
#![allow(unsafe_code)]

use wasmtime::component::Component;
use wasmtime::{Engine, Result};

/// Loads what [`Component::serialize`] gave in the parent.
pub(super) fn component(engine: &Engine, code: &[u8]) -> Result<Component> {
    // SAFETY: the bytes must come from an engine of the same version and settings. They come through the
    // pipe from the process that started this one from the same executable file; it made them just before,
    // or took them from a cache in a directory that it had checked to be writable by its user alone.
    // wasmtime itself refuses another version or other settings.
    unsafe { Component::deserialize(engine, code) }
}
