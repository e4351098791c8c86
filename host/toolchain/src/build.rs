//! Compiling a module's crate.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::environment::{not_started, succeeds};
use crate::workspace::manifest_path;
use crate::{TARGET, Toolchain, ToolchainError, componentize, flags};

/// A compiled crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The core WebAssembly file that the compiler made, in the target directory.
    pub core: PathBuf,
    /// Whether it was there already, up to date.
    pub fresh: bool,
}

impl Built {
    /// The component of it, with its manifest.
    pub fn component(&self) -> Result<Vec<u8>, ToolchainError> {
        let core = std::fs::read(&self.core).map_err(|source| ToolchainError::File {
            doing: "read",
            path: self.core.clone(),
            source,
        })?;
        componentize(&core).map_err(|source| ToolchainError::Component { core: self.core.clone(), source })
    }
}

impl Toolchain {
    /// Compiles the crate in a folder; what the compiler has to say goes to the standard error stream.
    ///
    /// `target_dir` may be the one of an outer cargo: nothing in it is shared with other profiles.
    pub fn build(self, crate_dir: &Path, target_dir: &Path) -> Result<Built, ToolchainError> {
        let manifest = manifest_path(crate_dir)?;
        let crate_dir = manifest.parent().expect("the path of a Cargo.toml has a parent");
        let target_dir = self.target_dir(target_dir)?;
        self.fetch(crate_dir)?;
        let settings = flags::settings(&target_dir)?;
        let artifacts = run(&mut self.command(crate_dir, &target_dir, &settings), crate_dir)?;
        let module = artifacts.into_iter().find_map(|artifact| artifact.module_of(&manifest));
        module.ok_or_else(|| ToolchainError::NotAModule { dir: crate_dir.to_owned() })
    }

    /// The two toolchains never disturb each other's results.
    fn target_dir(self, target_dir: &Path) -> Result<PathBuf, ToolchainError> {
        let absolute = std::path::absolute(target_dir).map_err(|source| ToolchainError::File {
            doing: "find",
            path: target_dir.to_owned(),
            source,
        })?;
        Ok(match self {
            Self::Installed => absolute,
            Self::Debian => absolute.join("debian"),
        })
    }

    /// Unpacks the dependencies, whose folders the flags then name. Needs no network where they are all there.
    fn fetch(self, crate_dir: &Path) -> Result<(), ToolchainError> {
        let mut cargo = self.cargo();
        cargo.current_dir(crate_dir).args(["fetch", "--quiet", "--target", TARGET]);
        if succeeds(&mut cargo)? { Ok(()) } else { Err(ToolchainError::Fetch { dir: crate_dir.to_owned() }) }
    }

    fn command(self, crate_dir: &Path, target_dir: &Path, settings: &[String]) -> Command {
        let mut cargo = self.cargo();
        cargo.current_dir(crate_dir).args(["build", "--lib", "--profile", "module", "--target", TARGET]);
        cargo.args(["--message-format", "json-render-diagnostics"]).arg("--target-dir").arg(target_dir);
        for setting in settings {
            cargo.args(["--config", setting]);
        }
        if self == Self::Debian {
            cargo.args(["-Z", "build-std=std,panic_abort"]);
        }
        cargo
    }
}

/// What cargo says of a finished unit. Its format: the chapter "External tools" of the Cargo Book.
#[derive(Deserialize)]
struct Artifact {
    manifest_path: PathBuf,
    filenames: Vec<PathBuf>,
    fresh: bool,
}

impl Artifact {
    fn module_of(self, manifest: &Path) -> Option<Built> {
        let own = self.manifest_path.canonicalize().is_ok_and(|path| path == manifest);
        let core = self.filenames.into_iter().find(|name| name.extension() == Some("wasm".as_ref()))?;
        own.then_some(Built { core, fresh: self.fresh })
    }
}

fn run(cargo: &mut Command, crate_dir: &Path) -> Result<Vec<Artifact>, ToolchainError> {
    let mut child = cargo.stdout(Stdio::piped()).spawn().map_err(|source| not_started(cargo, source))?;
    let stdout = child.stdout.take().expect("standard output is piped");
    let artifacts = artifacts(stdout);
    let status = child.wait().map_err(|source| not_started(cargo, source))?;
    if status.success() { Ok(artifacts) } else { Err(ToolchainError::Compile { dir: crate_dir.to_owned() }) }
}

/// Reads to the end whatever is written, so that cargo never blocks; a macro may print lines of its own.
fn artifacts(stdout: impl Read) -> Vec<Artifact> {
    let lines = BufReader::new(stdout).split(b'\n').map_while(Result::ok);
    lines.filter_map(|line| serde_json::from_slice(&line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_no_artifacts_are_passed_over() {
        let stdout = br#"printed by a macro
{"reason":"build-script-executed","package_id":"p"}
{"reason":"compiler-artifact","manifest_path":"/m/Cargo.toml","filenames":["/t/m.wasm"],"fresh":true}
{"reason":"build-finished","success":true}"#;
        let found = artifacts(&stdout[..]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].filenames, [PathBuf::from("/t/m.wasm")]);
    }
}
