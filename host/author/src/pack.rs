//! From what another language's tools made to a module.

use std::path::Path;

use godwit_model::{Fault, limits};
use godwit_sandbox::Module;
use godwit_sandbox::limits::MANIFEST_BYTES;
use godwit_toolchain::{ToolchainError, pack as attach};

use crate::AuthorError;
use crate::build::bounded;

/// Attaches a manifest to a core file or a component, and checks what came of it as [`crate::build`] does.
///
/// # Errors
/// What is no WebAssembly, has a manifest already or needs WASI; a module that a host would refuse.
pub fn pack(file: &Path, manifest: &Path) -> Result<Module, Fault> {
    let made = bounded(file, limits::MODULE_BYTES_MAX)?;
    let manifest = bounded(manifest, MANIFEST_BYTES as u64)?;
    let component = attach(&made, &manifest)
        .map_err(|source| ToolchainError::Component { core: file.to_owned(), source })
        .map_err(AuthorError::from)?;
    Ok(Module::read(&file.display().to_string(), component)?)
}
