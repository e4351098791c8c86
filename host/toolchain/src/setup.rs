//! Installing a toolchain, never without saying so first.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::environment::{answer, clean, succeeds};
use crate::find::{Choice, DEBIAN_LINKER, TARGET};
use crate::{Toolchain, ToolchainError};

/// What Debian packages the browsers' Rust as. The last brings the name of a linker.
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm"];

impl Toolchain {
    /// Finds a toolchain or installs one; `report` gets a line before each thing that is installed.
    ///
    /// Where there is none, it asks rustup for the target; where that fails, and this is Debian and
    /// the user is root, it installs Debian's packages, removing none.
    pub fn set_up(report: &mut dyn FnMut(&str)) -> Result<Self, ToolchainError> {
        Self::find().or_else(|missing| {
            let choice = Choice::from_environment()?;
            let added = choice.allows(Choice::Rustup) && add_target(report)?;
            if added && let Ok(found) = Self::find() {
                return Ok(found);
            }
            let installed = choice.allows(Choice::Debian) && install_toolchain(report)?;
            if installed { Self::find() } else { Err(missing) }
        })
    }
}

fn add_target(report: &mut dyn FnMut(&str)) -> Result<bool, ToolchainError> {
    if answer(clean("rustup").arg("--version")).is_none() {
        return Ok(false);
    }
    report(&format!("installing the Rust target: rustup target add {TARGET}"));
    let added = succeeds(clean("rustup").args(["target", "add", TARGET]))?;
    if !added {
        report("rustup could not install the target");
    }
    Ok(added)
}

fn install_toolchain(report: &mut dyn FnMut(&str)) -> Result<bool, ToolchainError> {
    if !install_packages(&DEBIAN_PACKAGES, report)? {
        return Ok(false);
    }
    missing_linker().map_or(Ok(true), |package| install(&[&package], report))
}

/// Installs packages where this is Debian and the user is root; `report` gets a line before each step. Answers
/// whether they are there now.
///
/// # Errors
/// The package manager cannot be started.
pub fn install_packages(packages: &[&str], report: &mut dyn FnMut(&str)) -> Result<bool, ToolchainError> {
    if !is_debian() || !is_root() {
        return Ok(false);
    }
    report("bringing Debian's list of packages up to date: apt-get update");
    // A list of packages that cannot be brought up to date may still name these.
    let _up_to_date = apt_get(&["update", "--quiet"])?;
    install(packages, report)
}

/// `rust-lld` of the packages is a link to an LLVM's own linker, whose package they do not ask for;
/// it is named like the program.
fn missing_linker() -> Option<String> {
    let program = std::fs::read_link(DEBIAN_LINKER).ok().filter(|_| !Path::new(DEBIAN_LINKER).exists())?;
    program.file_name()?.to_str().filter(|name| name.starts_with("lld-")).map(str::to_owned)
}

fn install(packages: &[&str], report: &mut dyn FnMut(&str)) -> Result<bool, ToolchainError> {
    report(&format!("installing Debian packages: apt-get install {}", packages.join(" ")));
    let options = ["install", "--yes", "--quiet", "--no-install-recommends", "--no-remove"];
    let installed = apt_get(&[&options, packages].concat())?;
    if !installed {
        report("apt-get could not install them");
    }
    Ok(installed)
}

fn apt_get(arguments: &[&str]) -> Result<bool, ToolchainError> {
    succeeds(clean("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}

fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists() && Path::new("/usr/bin/apt-get").exists()
}

/// The owner of a process' entry in `/proc` is its effective user.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}
