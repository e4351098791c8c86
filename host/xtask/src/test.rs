//! All tests, and what else must hold before a change is taken.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use crate::Workshop;
use crate::modules;
use crate::run::{Failure, cargo, run, say};
use crate::tools;

/// Runs everything even where something fails; ends with the status of the first failure.
pub(crate) fn test(workshop: &Workshop, arguments: &[OsString]) -> Result<(), Failure> {
    tools::provide()?;
    let modules = modules::build_all(workshop)?;
    // Cargo makes the program for its own package's tests, before any test runs.
    let program = workshop.target_dir.join("debug/godwit");
    let mut tests = cargo(workshop, &["test", "--workspace", "--no-fail-fast"]);
    let outcomes = [
        run(tests.args(arguments).env("GODWIT_TEST_MODULES", modules).env("GODWIT_TEST_PROGRAM", program)),
        check(workshop, "clippy", &["--workspace", "--all-targets", "--", "-D", "warnings"]),
        check(workshop, "fmt", &["--all", "--check"]),
    ];
    outcomes.into_iter().collect()
}

/// A component of Rust that may not be installed.
fn check(workshop: &Workshop, component: &str, arguments: &[&str]) -> Result<(), Failure> {
    if is_installed(&mut cargo(workshop, &[component, "--version"])) {
        return run(cargo(workshop, &[component]).args(arguments));
    }
    let lacking = format!("cargo {component} is not installed");
    if is_ci() {
        return Err(Failure::message(format!("xtask: {lacking}, and CI leaves nothing out")));
    }
    say(&format!("{lacking}: skipped"));
    Ok(())
}

pub(crate) fn is_installed(version: &mut Command) -> bool {
    let silent = version.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true" || value == "1")
}
