//! `Toolchain::build`, with whichever toolchain this machine has (`cargo xtask setup` installs one).

use std::fs;
use std::path::Path;

use godwit_toolchain::{Built, Toolchain, ToolchainError, Workspace};

const CDYLIB: &str = "[lib]\ncrate-type = [\"cdylib\"]\n";
/// A panic message holds the path of its source, which is what would tell where it was built.
const SOURCE: &str = r#"
#[unsafe(no_mangle)]
pub extern "C" fn sum(numbers: *const u8, length: usize) -> u32 {
    assert!(length > 0, "in {}", file!());
    let bytes = unsafe { std::slice::from_raw_parts(numbers, length) };
    bytes.iter().map(|byte| u32::from(*byte)).sum()
}
"#;

fn write_crate(dir: &Path, name: &str, manifest: &str, source: &str) {
    let package = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    fs::create_dir_all(dir.join("src")).unwrap();
    fs::write(dir.join("Cargo.toml"), package + manifest).unwrap();
    fs::write(dir.join("src/lib.rs"), source).unwrap();
}

fn toolchain() -> Toolchain {
    Toolchain::find().unwrap_or_else(|error| panic!("{error}"))
}

/// Into one directory for all, since Debian's toolchain compiles the standard library for each.
fn build(dir: &Path) -> Result<Built, ToolchainError> {
    toolchain().build(dir, Path::new(env!("CARGO_TARGET_TMPDIR")))
}

#[test]
fn the_bytes_do_not_depend_on_the_place() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let nested = other.path().join("a folder/deeper");
    write_crate(one.path(), "placed", CDYLIB, SOURCE);
    write_crate(&nested, "placed", CDYLIB, SOURCE);
    let cores =
        [one.path(), &nested].map(|dir| fs::read(toolchain().build(dir, &dir.join("target")).unwrap().core).unwrap());
    assert!(cores[0].starts_with(b"\0asm\x01\0\0\0"));
    assert!(cores[0] == cores[1], "the same crate in two folders compiles to different bytes");
}

#[test]
fn what_is_up_to_date_is_not_built_again() {
    let dir = tempfile::tempdir().unwrap();
    write_crate(dir.path(), "fresh", CDYLIB, SOURCE);
    let first = build(dir.path()).unwrap();
    let second = build(dir.path()).unwrap();
    assert!(second.fresh);
    assert_eq!(first.core, second.core);
}

#[test]
fn a_core_without_an_interface_makes_no_component() {
    let dir = tempfile::tempdir().unwrap();
    write_crate(dir.path(), "bare", CDYLIB, SOURCE);
    let error = build(dir.path()).unwrap().component().unwrap_err();
    assert!(matches!(&error, ToolchainError::Component { core, .. } if core.ends_with("bare.wasm")), "{error}");
}

#[test]
fn a_crate_that_does_not_compile_is_named() {
    let dir = tempfile::tempdir().unwrap();
    write_crate(dir.path(), "broken", CDYLIB, "fn broken( {");
    let error = build(dir.path()).unwrap_err();
    assert!(matches!(error, ToolchainError::Compile { .. }), "{error}");
}

#[test]
fn a_crate_of_another_kind_is_told_what_it_lacks() {
    let dir = tempfile::tempdir().unwrap();
    write_crate(dir.path(), "rlib", "", "");
    let message = build(dir.path()).unwrap_err().to_string();
    assert!(message.contains("crate-type = [\"cdylib\"]"), "{message}");
}

#[test]
fn a_folder_without_a_crate_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(build(dir.path()), Err(ToolchainError::NoCrate { .. })));
}

#[test]
fn a_manifest_that_cargo_cannot_read_comes_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    write_crate(dir.path(), "unread", "[lib\n", "");
    assert!(matches!(build(dir.path()), Err(ToolchainError::Fetch { .. })));
    let message = Workspace::of(dir.path()).unwrap_err().to_string();
    assert!(message.contains("Cargo.toml:5:5"), "{message}");
}

#[test]
fn a_crate_on_its_own_is_its_own_workspace() {
    let dir = tempfile::tempdir().unwrap();
    write_crate(dir.path(), "alone", CDYLIB, SOURCE);
    let workspace = Workspace::of(dir.path()).unwrap();
    assert_eq!(workspace.root, dir.path().canonicalize().unwrap());
}
