//! From a crate to a module that the sandbox takes.

use std::fs;
use std::path::{Path, PathBuf};

use godwit_model::{Fault, limits};
use godwit_sandbox::Module;
use godwit_toolchain::{Toolchain, Workspace};

use crate::AuthorError;

/// A module fresh from its source.
#[derive(Debug, Clone)]
pub struct Built {
    /// The module, its manifest and imports checked.
    pub module: Module,
    /// Where it goes unless told otherwise: `<target>/modules/<folder>.wasm`.
    pub default_path: PathBuf,
}

/// Compiles the crate in a folder, and checks what came of it as a host would before it runs anything.
///
/// # Errors
/// No toolchain, with what to install; what does not compile; a module that a host would refuse.
pub fn build(dir: &Path) -> Result<Built, Fault> {
    let toolchain = Toolchain::find().map_err(AuthorError::from)?;
    let workspace = Workspace::of(dir).map_err(AuthorError::from)?;
    let built = toolchain.build(dir, &workspace.target_dir).map_err(AuthorError::from)?;
    let component = built.component().map_err(AuthorError::from)?;
    let folder = dir.canonicalize().map_err(AuthorError::file("find", dir))?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned() + ".wasm";
    let module = Module::read(&name, component)?;
    Ok(Built { module, default_path: workspace.target_dir.join("modules").join(name) })
}

/// Reads a module from a file and checks it likewise.
pub fn read(path: &Path) -> Result<Module, Fault> {
    Ok(Module::read(&path.display().to_string(), bounded(path, limits::MODULE_BYTES_MAX)?)?)
}

/// The whole of a file that must not be larger than `limit` bytes.
pub(crate) fn bounded(path: &Path, limit: u64) -> Result<Vec<u8>, AuthorError> {
    let bytes = fs::metadata(path).map_err(AuthorError::file("read", path))?.len();
    if bytes > limit {
        return Err(AuthorError::TooLarge { path: path.to_owned(), bytes, limit });
    }
    fs::read(path).map_err(AuthorError::file("read", path))
}
