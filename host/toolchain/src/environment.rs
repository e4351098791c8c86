//! Programs, started without what an outer cargo left in the environment.
//!
//! This code runs inside `cargo xtask` and `cargo test`, and cargo tells its children much (wrappers,
//! flags, target directories, profiles) that would change what a cargo of theirs builds.

use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};

use crate::ToolchainError;

/// What is kept of `CARGO_…`: where crates come from, and how output looks.
const KEPT: [&str; 7] =
    ["CARGO_HOME", "CARGO_BUILD_JOBS", "CARGO_TERM_", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTR", "CARGO_SOURCE_"];

/// Cargo as it is found on the path.
pub(crate) fn cargo() -> Command {
    clean("cargo")
}

/// Debian's cargo and rustc, past any other on the path, with the standard library compiled along.
pub(crate) fn debian_cargo() -> Command {
    let mut command = clean("/usr/bin/cargo");
    command.env("PATH", with_usr_bin_first(std::env::var_os("PATH")));
    command.env("RUSTC", "/usr/bin/rustc");
    command.env("RUSTC_BOOTSTRAP", "1");
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("LD_LIBRARY_PATH");
    command
}

/// A program without the variables that disturb.
pub(crate) fn clean(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| disturbs(name)) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

fn disturbs(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let of_cargo = name == "CARGO" || name.starts_with("CARGO_");
    let of_rustc = name.starts_with("RUSTC") || name.starts_with("RUSTDOC") || name == "RUSTFLAGS";
    of_rustc || (of_cargo && !KEPT.iter().any(|kept| name.starts_with(kept)))
}

fn with_usr_bin_first(path: Option<OsString>) -> OsString {
    let mut whole = OsString::from("/usr/bin");
    if let Some(path) = path {
        whole.push(":");
        whole.push(path);
    }
    whole
}

/// Standard output of a program that succeeds; none where it fails or does not start.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim_end().to_owned())
}

/// Runs a program whose output goes to the standard error stream; whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool, ToolchainError> {
    let status = command.stdout(std::io::stderr()).status().map_err(|source| not_started(command, source))?;
    Ok(status.success())
}

pub(crate) fn not_started(command: &Command, source: std::io::Error) -> ToolchainError {
    ToolchainError::Start { program: command.get_program().to_string_lossy().into_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_outer_cargo_leaves_is_dropped() {
        let dropped = [
            "CARGO",
            "CARGO_MANIFEST_DIR",
            "CARGO_TARGET_DIR",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_PROFILE_MODULE_OPT_LEVEL",
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
            "RUSTC",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTFLAGS",
        ];
        for name in dropped {
            assert!(disturbs(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn where_crates_come_from_is_kept() {
        let kept = ["CARGO_HOME", "CARGO_NET_OFFLINE", "CARGO_REGISTRIES_INNER_INDEX", "RUSTUP_TOOLCHAIN", "PATH"];
        for name in kept {
            assert!(!disturbs(OsStr::new(name)), "{name}");
        }
    }
}
