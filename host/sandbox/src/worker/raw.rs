//! The only unsafe code of the crate: what has no safe form.
#![allow(unsafe_code)]

use std::io;

use wasmtime::component::Component;
use wasmtime::{Engine, Result};

/// The first descriptor after standard input, output and error.
const FIRST_OTHER: libc::c_uint = 3;

/// Loads what [`Component::serialize`] gave in the parent.
pub(super) fn component(engine: &Engine, code: &[u8]) -> Result<Component> {
    // SAFETY: the bytes must come from an engine of the same version and settings. They come through the
    // pipe from the process that started this one from the same executable file; it made them just before,
    // or took them from a cache in a directory that it had checked to be writable by its user alone.
    // wasmtime itself refuses another version or other settings.
    unsafe { Component::deserialize(engine, code) }
}

/// Closes everything that was inherited by mistake: a shell or a build tool may have left files open for all its
/// children.
pub(super) fn close_inherited() -> io::Result<()> {
    // SAFETY: called before anything in this process opened a descriptor, so nobody owns one of these.
    match unsafe { libc::close_range(FIRST_OTHER, libc::c_uint::MAX, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
