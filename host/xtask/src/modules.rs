//! Every crate of `migrations-wasm/` into `target/modules/`; what is there in other languages into `target/modules-other/`.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use godwit_toolchain::{OtherModule, Packed, Toolchain, write_component};

use crate::Workshop;
use crate::run::{Failure, say};
use crate::setup;

/// Builds the modules; the folder that holds them, and nothing else.
pub(crate) fn build_all(workshop: &Workshop) -> Result<PathBuf, Failure> {
    let toolchain = setup()?;
    let modules = workshop.modules();
    fs::create_dir_all(&modules).map_err(|error| cannot("make", &modules, &error))?;
    let crates = crates(&workshop.root.join("migrations-wasm"))?;
    for dir in &crates {
        build(toolchain, dir, workshop)?;
    }
    remove_others(&modules, &crates)?;
    say(&format!("{} modules are in {}", crates.len(), modules.display()));
    Ok(modules)
}

/// Builds the modules in other languages, as far as their tools are there.
pub(crate) fn build_others(workshop: &Workshop) -> Result<(), Failure> {
    for module in OtherModule::all(&workshop.root.join("migrations-wasm"))? {
        let name = module.name();
        match module.build(&workshop.target_dir)? {
            Packed::Module { path, written: true } => say(&format!("wrote {}", path.display())),
            Packed::Module { .. } => {}
            Packed::Lacking(lacking) => say(&format!("skipped {name}: {lacking}")),
        }
    }
    Ok(())
}

fn build(toolchain: Toolchain, dir: &Path, workshop: &Workshop) -> Result<(), Failure> {
    let component = toolchain.build(dir, &workshop.target_dir)?.component()?;
    let path = workshop.modules().join(file_name(dir));
    if write_component(&path, &component)? {
        say(&format!("wrote {} ({} KiB)", path.display(), component.len().div_ceil(1024)));
    }
    Ok(())
}

/// Named like the crate's folder: `inventory-1.0-to-1.1.wasm`.
fn file_name(dir: &Path) -> std::ffi::OsString {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(".wasm");
    name
}

/// The folders with a Cargo.toml, sorted.
fn crates(parent: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = entries(parent)?;
    found.retain(|dir| dir.join("Cargo.toml").is_file());
    found.sort();
    Ok(found)
}

/// A module whose crate is gone must not stay in anyone's chain.
fn remove_others(modules: &Path, crates: &[PathBuf]) -> Result<(), Failure> {
    let wanted: Vec<_> = crates.iter().map(|dir| modules.join(file_name(dir))).collect();
    let is_module = |path: &PathBuf| path.extension() == Some(OsStr::new("wasm"));
    for left in entries(modules)?.into_iter().filter(|path| is_module(path) && !wanted.contains(path)) {
        say(&format!("removing {}, whose crate is gone", left.display()));
        fs::remove_file(&left).map_err(|error| cannot("remove", &left, &error))?;
    }
    Ok(())
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let list = || fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    list().map_err(|error| cannot("list", dir, &error))
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::message(format!("cannot {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_named_like_its_folder() {
        assert_eq!(file_name(Path::new("migrations-wasm/inventory-1.0-to-1.1")), "inventory-1.0-to-1.1.wasm");
    }
}
