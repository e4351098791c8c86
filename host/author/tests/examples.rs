//! The golden cases of the example modules, in the sandbox.

use std::path::{Path, PathBuf};

use godwit_author::cases::{self, Mode, Outcome};
use godwit_author::{Checking, build, check, read, shape};
use godwit_sandbox::{Module, Options, Sandbox};

/// The crates in `migrations-wasm`.
fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations-wasm");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut crates: Vec<_> = entries.filter(|path| path.join("Cargo.toml").is_file()).collect();
    crates.sort();
    crates
}

/// `GODWIT_TEST_MODULES` names a folder where they are built already.
fn module(dir: &Path) -> Module {
    let name = format!("{}.wasm", dir.file_name().unwrap().to_string_lossy());
    match std::env::var_os("GODWIT_TEST_MODULES") {
        Some(folder) => read(&Path::new(&folder).join(name)).unwrap(),
        None => build(dir).unwrap().module,
    }
}

#[test]
fn the_examples_pass_their_cases_and_every_check() {
    let sandbox = Sandbox::new(&Options::default()).unwrap();
    let examples = examples();
    assert!(examples.len() >= 3, "{examples:?}");
    for dir in examples {
        let module = module(&dir);
        let found = cases::find(&dir.join("cases"), &[]).unwrap();
        for case in &found {
            let report = cases::run(&sandbox, &module, case, Mode::Compare).unwrap();
            assert_eq!(report.outcome, Outcome::Passed, "{}, {}", dir.display(), case.name);
        }
        let with_catalog = found.iter().map(|case| case.path.join("catalog.json")).find(|path| path.is_file()).unwrap();
        let catalog = shape::read(&with_catalog, &module.manifest).unwrap();
        let on = Checking { catalog: Some(catalog), cases: found, ..Checking::default() };
        let report = check(&sandbox, &module, &on).unwrap();
        assert!(report.is_clean(), "{}: {report:#?}", dir.display());
    }
}
