//! `godwit completions`

use std::process::ExitCode;

use clap::CommandFactory;

use crate::args::{Args, Completions};

pub fn run(args: &Completions) -> ExitCode {
    clap_complete::generate(args.shell, &mut Args::command(), "godwit", &mut std::io::stdout());
    ExitCode::SUCCESS
}
