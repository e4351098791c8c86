//! The whole story on a sample application.

use std::ffi::OsString;
use std::process::Command;

use crate::Workshop;
use crate::modules;
use crate::run::{Failure, cargo, run, say};

/// Builds all that `godwit demo` needs and runs it where the user stands.
pub(crate) fn demo(workshop: &Workshop, arguments: &[OsString]) -> Result<(), Failure> {
    let modules = modules::build_all(workshop)?;
    let godwit = workshop.target_dir.join("debug/godwit");
    if !godwit.exists() {
        say("building Godwit with its WebAssembly compiler and databases: some minutes, this first time");
    }
    run(&mut cargo(workshop, &["build", "--package", "godwit"]))?;
    run(Command::new(godwit).arg("demo").args(arguments).env("GODWIT_MODULES", modules))
}
