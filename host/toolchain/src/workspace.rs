//! Where a crate's workspace and target directory are, as cargo sees it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::ToolchainError;
use crate::environment::{clean, not_started};

/// The workspace of a crate; of a crate on its own, the crate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Workspace {
    /// The folder of the workspace's Cargo.toml.
    #[serde(rename = "workspace_root")]
    pub root: PathBuf,
    /// Where cargo builds: `target`, or what `CARGO_TARGET_DIR` or a configuration file says.
    #[serde(rename = "target_directory")]
    pub target_dir: PathBuf,
}

impl Workspace {
    /// Asks the cargo on the path; needs no network.
    pub fn of(crate_dir: &Path) -> Result<Self, ToolchainError> {
        let mut cargo = clean("cargo");
        if let Some(dir) = std::env::var_os("CARGO_TARGET_DIR") {
            cargo.env("CARGO_TARGET_DIR", dir);
        }
        cargo.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]);
        cargo.arg(manifest_path(crate_dir)?);
        let output = cargo.output().map_err(|source| not_started(&cargo, source))?;
        let failed = |message: String| ToolchainError::Describe { dir: crate_dir.to_owned(), message };
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
    }
}

/// The absolute path of a crate's Cargo.toml, links resolved.
pub(crate) fn manifest_path(crate_dir: &Path) -> Result<PathBuf, ToolchainError> {
    let manifest = crate_dir.join("Cargo.toml");
    manifest.canonicalize().map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => ToolchainError::NoCrate { dir: crate_dir.to_owned() },
        _ => ToolchainError::File { doing: "read", path: manifest, source },
    })
}
