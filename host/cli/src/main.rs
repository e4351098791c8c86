//! `godwit`: moves an application's data between versions, safely, with code that nobody has to trust.
#![forbid(unsafe_code)]
// A binary has no outside; `pub` says what the rest of the program may use.
#![allow(unreachable_pub)]

mod args;
mod commands;
mod exit;
mod log;
mod progress;
mod question;
mod session;
mod text;

use std::process::ExitCode;

use clap::Parser;
use godwit_engine::Stop;

use crate::args::{Args, Command};
use crate::session::Session;

fn main() -> ExitCode {
    let args = Args::parse();
    if let Command::Worker(args) = &args.command {
        return commands::worker::run(args);
    }
    let stop = Stop::default();
    let outcome = watch_for_interrupts(&stop)
        .and_then(|()| Session::open(&args.global, stop))
        .and_then(|session| commands::run(&session, &args.command).inspect_err(|fault| session.log_failure(fault)));
    let untouched = matches!(args.command, Command::Migrate(_) | Command::Restore(_));
    exit::conclude(&args.global, outcome, untouched)
}

/// The first Ctrl-C (or SIGTERM) ends the run at the next chunk, with everything put back; the second at once.
/// A question ends with the first.
fn watch_for_interrupts(stop: &Stop) -> Result<(), godwit_model::Fault> {
    let stop = stop.clone();
    let on_signal = move || {
        if stop.asked() {
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
        if !question::interrupt() {
            eprintln!("\nstopping; once more to stop at once");
        }
        stop.ask();
    };
    ctrlc::set_handler(on_signal).map_err(godwit_model::Fault::system)
}
