//! `cargo xtask setup | modules | demo | test`: what is done in this repository.
//!
//! Its first build is what a newcomer waits for, so it uses the standard library and the toolchain only.

#![forbid(unsafe_code)]

mod demo;
mod modules;
mod run;
mod test;
mod tools;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use godwit_toolchain::{Toolchain, Workspace};

use crate::run::Failure;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  setup              find a Rust that compiles for WebAssembly, or install one
  modules [--all]    build every crate of migrations-wasm/ into target/modules/; with --all, what is there in other
                     languages into target/modules-other/ too, as far as their tools are installed
  demo [ARGUMENT]…   build Godwit and run `godwit demo`
  test [ARGUMENT]…   all tests, then clippy and rustfmt; arguments go to `cargo test`

GODWIT_TOOLCHAIN=installed|rustup|debian forces one way of compiling for WebAssembly.
CI=true fails where something that checks is not installed, instead of leaving it out.";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let command = arguments.next().unwrap_or_default();
    match dispatch(&command.to_string_lossy(), &arguments.collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn dispatch(command: &str, arguments: &[OsString]) -> Result<(), Failure> {
    match command {
        "demo" => demo::demo(&Workshop::open()?, arguments),
        "test" => test::test(&Workshop::open()?, arguments),
        "setup" if arguments.is_empty() => setup().map(drop),
        "modules" if arguments.is_empty() => modules::build_all(&Workshop::open()?).map(drop),
        "modules" if arguments == ["--all"] => {
            let workshop = Workshop::open()?;
            modules::build_all(&workshop)?;
            modules::build_others(&workshop)
        }
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(Failure::usage(USAGE)),
    }
}

fn setup() -> Result<Toolchain, Failure> {
    let toolchain = Toolchain::set_up(&mut |line| run::say(line))?;
    run::say(&format!("modules are compiled by {}", toolchain.describe()));
    Ok(toolchain)
}

/// The folders that the work is done in.
struct Workshop {
    root: PathBuf,
    target_dir: PathBuf,
}

impl Workshop {
    /// Cargo tells its `run` where the crate is.
    fn open() -> Result<Self, Failure> {
        let own = std::env::var_os("CARGO_MANIFEST_DIR").ok_or(Failure::usage("run this as `cargo xtask`"))?;
        let Workspace { root, target_dir } = Workspace::of(Path::new(&own))?;
        Ok(Self { root, target_dir })
    }

    fn modules(&self) -> PathBuf {
        self.target_dir.join("modules")
    }
}
