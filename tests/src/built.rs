//! What is built once for all tests of a process: the program and modules.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use godwit_toolchain::{OtherModule, Packed, Toolchain, Workspace, write_component};
use serde_json::Value;

/// The program, free of anything that the tester's environment says to it. Its cache is kept between runs.
pub fn godwit() -> Command {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let mut command = Command::new(PROGRAM.get_or_init(program));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GODWIT_")) {
        command.env_remove(name);
    }
    command.env_remove("XDG_CACHE_HOME").env("HOME", private_dir("test-home"));
    command.env("GODWIT_CACHE", private_dir("test-cache"));
    command.stdin(Stdio::null());
    command
}

/// The folder of the example modules; `GODWIT_TEST_MODULES` names one that is built already.
pub fn modules() -> &'static Path {
    static MODULES: OnceLock<PathBuf> = OnceLock::new();
    MODULES.get_or_init(|| match std::env::var_os("GODWIT_TEST_MODULES") {
        Some(folder) => folder.into(),
        None => build_modules(&root().join("migrations-wasm"), &target_dir().join("modules")),
    })
}

/// The folder of the modules that misbehave, `tests/guests/*`.
pub fn guests() -> &'static Path {
    static GUESTS: OnceLock<PathBuf> = OnceLock::new();
    GUESTS.get_or_init(|| build_modules(&root().join("tests/guests"), &target_dir().join("guests")))
}

/// The example modules in other languages whose tools are there, each with the folder that it is alone in. The
/// others are named and left out, in CI as well: they are examples.
pub fn other_modules() -> &'static [(String, PathBuf)] {
    static MODULES: OnceLock<Vec<(String, PathBuf)>> = OnceLock::new();
    MODULES.get_or_init(|| {
        let all = OtherModule::all(&root().join("migrations-wasm")).unwrap_or_else(|error| panic!("{error}"));
        all.iter().filter_map(build_other).collect()
    })
}

fn build_other(module: &OtherModule) -> Option<(String, PathBuf)> {
    match module.build(target_dir()).unwrap_or_else(|error| panic!("{error}")) {
        Packed::Module { path, .. } => Some((module.name(), path.parent().unwrap_or(&path).to_owned())),
        Packed::Lacking(lacking) => {
            eprintln!("skipped: {}: {lacking}", module.name());
            None
        }
    }
}

/// The folder of an example module's source.
pub fn example(name: &str) -> PathBuf {
    root().join("migrations-wasm").join(name)
}

/// Where cargo builds.
pub fn target_dir() -> &'static Path {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    TARGET.get_or_init(|| Workspace::of(&root().join("tests")).unwrap_or_else(|error| panic!("{error}")).target_dir)
}

/// The workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are in a folder of the workspace")
}

fn private_dir(name: &str) -> PathBuf {
    let path = target_dir().join(name);
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
    made.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path
}

/// `GODWIT_TEST_PROGRAM` names one that was built along with the tests, and so from the same dependencies.
fn program() -> PathBuf {
    std::env::var_os("GODWIT_TEST_PROGRAM").map_or_else(build_program, PathBuf::from)
}

/// An outer cargo has let go of its locks by the time that it runs tests.
fn build_program() -> PathBuf {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_this_crate(&name.to_string_lossy())) {
        cargo.env_remove(name);
    }
    cargo.args(["build", "--package", "godwit", "--message-format", "json-render-diagnostics"]);
    cargo.current_dir(root()).env("CARGO_TARGET_DIR", target_dir()).stderr(Stdio::inherit());
    let output = cargo.output().unwrap_or_else(|error| panic!("cargo cannot be started: {error}"));
    assert!(output.status.success(), "godwit cannot be built");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().rev().find_map(executable).expect("cargo says what it built")
}

fn is_of_this_crate(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

fn executable(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    Some(message.get("executable")?.as_str()?.into())
}

/// Builds each crate in a folder into `FOLDER.wasm`, and removes what is of no crate any more.
fn build_modules(crates: &Path, to: &Path) -> PathBuf {
    let toolchain = Toolchain::find().unwrap_or_else(|error| panic!("{error}"));
    let folders = entries(crates).into_iter().filter(|path| path.join("Cargo.toml").is_file());
    let built: Vec<_> = folders.map(|folder| build_module(toolchain, &folder, to)).collect();
    for left in entries(to).into_iter().filter(|path| !built.contains(path)) {
        fs::remove_file(&left).unwrap_or_else(|error| panic!("{}: {error}", left.display()));
    }
    to.to_owned()
}

fn build_module(toolchain: Toolchain, folder: &Path, to: &Path) -> PathBuf {
    let built = toolchain.build(folder, target_dir()).unwrap_or_else(|error| panic!("{error}"));
    let component = built.component().unwrap_or_else(|error| panic!("{error}"));
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let path = to.join(name + ".wasm");
    write_component(&path, &component).unwrap_or_else(|error| panic!("{error}"));
    path
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    listed.map(|entry| entry.expect("a folder that is listed can be listed to its end").path()).collect()
}
