//! The compiler's flags: fast modules, and bytes that do not tell where they were built.

use std::path::{Path, PathBuf};

use crate::{TARGET, ToolchainError};

/// How every module is compiled, whether or not its workspace has a profile of this name: names are
/// kept for readable backtraces; a panic is a trap; whole-program optimisation is worth its time.
const PROFILE: [&str; 6] = [
    "profile.module.inherits='release'",
    "profile.module.opt-level=3",
    "profile.module.lto='fat'",
    "profile.module.codegen-units=1",
    "profile.module.panic='abort'",
    "profile.module.strip='debuginfo'",
];

/// Settings for cargo's `--config`.
///
/// Flags go in as the target's, where they add to those of a crate's own `.cargo/config.toml`.
pub(crate) fn settings(target_dir: &Path) -> Result<Vec<String>, ToolchainError> {
    let mut flags = vec!["-Ctarget-feature=+simd128".to_owned()];
    for (real, shown) in renamings(target_dir) {
        let path = real.to_str().ok_or_else(|| ToolchainError::Path { path: real.clone() })?;
        flags.push(format!("--remap-path-prefix={path}={shown}"));
    }
    // A JSON array of strings is a TOML array of strings.
    let flags = serde_json::Value::from(flags);
    let mut settings: Vec<_> = PROFILE.map(str::to_owned).into();
    settings.push(format!("target.{TARGET}.rustflags={flags}"));
    Ok(settings)
}

/// What the compiler shall call the folders whose paths it sees.
///
/// The crate's own sources need none: cargo names them relative to their workspace. And so crates that
/// share a target directory share their flags, and what was compiled with them.
fn renamings(target_dir: &Path) -> Vec<(PathBuf, &'static str)> {
    let mut renamings = vec![(target_dir.to_owned(), "/target")];
    let Some(home) = cargo_home() else { return renamings };
    // Unpacked crates lie in a folder named after the registry, or after its mirror.
    renamings.push((home.join("git/checkouts"), "/git"));
    renamings.extend(folders(&home.join("registry/src")).map(|registry| (registry, "/crates")));
    renamings
}

fn cargo_home() -> Option<PathBuf> {
    let named = std::env::var_os("CARGO_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let home = named.or_else(|| Some(std::env::home_dir()?.join(".cargo")))?;
    std::path::absolute(home).ok()
}

/// Sorted, so that the same folders make the same command line, and cargo builds nothing anew.
fn folders(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let mut folders: Vec<_> =
        std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders.sort();
    folders.into_iter()
}
