//! One file a command.

mod archives;
mod backup;
mod completions;
mod demo;
mod export;
mod grants;
mod init;
mod migrate;
mod module;
mod plan;
mod restore;
pub mod worker;

use std::process::ExitCode;

use godwit_model::Fault;

use crate::args::Command;
use crate::session::Session;

/// Does what the command line says.
pub fn run(session: &Session, command: &Command) -> Result<ExitCode, Fault> {
    match command {
        Command::Init(args) => init::run(session, args),
        Command::Backup(args) => backup::run(session, args),
        Command::Restore(args) => restore::run(session, args),
        Command::Migrate(args) => migrate::run(session, args),
        Command::Plan(args) => plan::run(session, args),
        Command::Grants(args) => grants::run(session, args),
        Command::Inspect(args) => archives::inspect(session, args),
        Command::Verify(args) => archives::verify(session, args),
        Command::Export(args) => export::run(session, args),
        Command::Module(command) => module::run(session, command),
        Command::Demo(args) => demo::run(session, args),
        Command::Completions(args) => Ok(completions::run(args)),
        Command::Worker(args) => Ok(worker::run(args)),
    }
}
