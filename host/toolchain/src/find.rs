//! Which Rust of this machine compiles for WebAssembly.

use std::path::Path;
use std::process::Command;

use crate::ToolchainError;
use crate::environment::{answer, cargo, clean, debian_cargo};

/// What modules are compiled for: WebAssembly without any WASI.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The environment variable that forces one toolchain: `installed`, `rustup` or `debian`.
pub const CHOICE_VARIABLE: &str = "GODWIT_TOOLCHAIN";

/// What Debian's rustc links WebAssembly with.
pub(crate) const DEBIAN_LINKER: &str = "/usr/bin/rust-lld";

/// A Rust that compiles for [`TARGET`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolchain {
    /// The cargo on the path, whose standard library for the target is there.
    Installed,
    /// Debian's packages for building web browsers, which compile the standard library themselves.
    Debian,
}

impl Toolchain {
    /// Looks for a toolchain; installs nothing.
    pub fn find() -> Result<Self, ToolchainError> {
        let found = match Choice::from_environment()? {
            Choice::Installed | Choice::Rustup => installed(),
            Choice::Debian => debian(),
            Choice::Any => installed().or_else(|first| debian().map_err(|second| format!("{first}; {second}"))),
        };
        found.map_err(|why| ToolchainError::None { why })
    }

    /// Which one it is, for people: `cargo 1.95.0 (…)`.
    pub fn describe(self) -> String {
        let version = answer(self.cargo().arg("--version")).unwrap_or_else(|| "cargo".to_owned());
        match self {
            Self::Installed => version,
            Self::Debian => format!("Debian's {version}, which compiles the standard library too"),
        }
    }

    pub(crate) fn cargo(self) -> Command {
        match self {
            Self::Installed => cargo(),
            Self::Debian => debian_cargo(),
        }
    }
}

/// What the operator allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    Any,
    Installed,
    Rustup,
    Debian,
}

impl Choice {
    pub(crate) fn from_environment() -> Result<Self, ToolchainError> {
        let value = std::env::var_os(CHOICE_VARIABLE).unwrap_or_default();
        Self::parse(&value.to_string_lossy())
    }

    fn parse(value: &str) -> Result<Self, ToolchainError> {
        match value {
            "" => Ok(Self::Any),
            "installed" => Ok(Self::Installed),
            "rustup" => Ok(Self::Rustup),
            "debian" => Ok(Self::Debian),
            _ => Err(ToolchainError::Choice { value: value.to_owned() }),
        }
    }

    /// Whether this way of installing one may be gone.
    pub(crate) fn allows(self, way: Self) -> bool {
        self == Self::Any || self == way
    }
}

/// Why a toolchain will not do.
type Missing = String;

fn installed() -> Result<Toolchain, Missing> {
    if answer(cargo().arg("--version")).is_none() {
        return Err("no cargo is on the path".to_owned());
    }
    let libraries = answer(clean("rustc").args(["--print", "target-libdir", "--target", TARGET]))
        .ok_or("the rustc on the path does not run, or does not know the target")?;
    if holds_libraries(Path::new(&libraries)) {
        return Ok(Toolchain::Installed);
    }
    Err(format!("the rustc on the path has no standard library in {libraries}"))
}

fn holds_libraries(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else { return false };
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let holds = |library: &str| {
        names.iter().any(|name| name.starts_with(library) && Path::new(name).extension() == Some("rlib".as_ref()))
    };
    holds("libcore-") && holds("libstd-")
}

fn debian() -> Result<Toolchain, Missing> {
    let sysroot = answer(debian_rustc().args(["--print", "sysroot"])).ok_or("there is no /usr/bin/rustc")?;
    let source = Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml");
    for needed in [Path::new("/usr/bin/cargo"), Path::new(DEBIAN_LINKER), &source] {
        if !needed.exists() {
            return Err(format!("Debian's Rust lacks {}", needed.display()));
        }
    }
    Ok(Toolchain::Debian)
}

fn debian_rustc() -> Command {
    let mut rustc = clean("/usr/bin/rustc");
    rustc.env_remove("RUSTUP_TOOLCHAIN").env_remove("LD_LIBRARY_PATH");
    rustc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forced_toolchain_is_one_of_three() {
        assert_eq!(Choice::parse("").unwrap(), Choice::Any);
        assert_eq!(Choice::parse("debian").unwrap(), Choice::Debian);
        let message = Choice::parse("fedora").unwrap_err().to_string();
        assert!(message.contains("\"fedora\"") && message.contains("`rustup`"), "{message}");
    }

    #[test]
    fn a_library_folder_needs_core_and_std() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!holds_libraries(dir.path()));
        std::fs::write(dir.path().join("libcore-1.rlib"), "").unwrap();
        std::fs::write(dir.path().join("libstd-1.rmeta"), "").unwrap();
        assert!(!holds_libraries(dir.path()));
        std::fs::write(dir.path().join("libstd-1.rlib"), "").unwrap();
        assert!(holds_libraries(dir.path()));
        assert!(!holds_libraries(&dir.path().join("absent")));
    }

    #[test]
    fn having_none_says_what_to_run() {
        let message = ToolchainError::None { why: "no cargo is on the path".to_owned() }.to_string();
        for part in ["no cargo is on the path", "rustup target add wasm32-unknown-unknown", "rustc-web cargo-web"] {
            assert!(message.contains(part), "{message}");
        }
    }
}
