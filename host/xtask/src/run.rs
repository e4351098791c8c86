//! Running programs, and how it ends when one fails.

use std::error::Error;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};

use godwit_toolchain::ToolchainError;

use crate::Workshop;

/// Why the work stopped.
pub(crate) enum Failure {
    /// The command line, or what the machine lacks.
    Message { text: String, status: u8 },
    /// No toolchain, or no component.
    Toolchain(ToolchainError),
    /// A program failed and has said why.
    Program { status: u8 },
}

impl Failure {
    pub(crate) fn usage(text: &str) -> Self {
        Self::Message { text: text.to_owned(), status: 2 }
    }

    pub(crate) fn message(text: String) -> Self {
        Self::Message { text, status: 1 }
    }

    /// Says what went wrong, and gives the status to end with: a program's own where one failed.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Message { text, status } => {
                eprintln!("{text}");
                status.into()
            }
            Self::Toolchain(error) => {
                say(&with_causes(&error));
                ExitCode::FAILURE
            }
            Self::Program { status } => status.into(),
        }
    }
}

impl From<ToolchainError> for Failure {
    fn from(error: ToolchainError) -> Self {
        Self::Toolchain(error)
    }
}

fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// A line on the standard error stream: standard output belongs to what is run.
pub(crate) fn say(line: &str) {
    eprintln!("xtask: {line}");
}

/// Cargo in the workspace, building where this cargo builds.
pub(crate) fn cargo(workshop: &Workshop, arguments: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).current_dir(&workshop.root).env("CARGO_TARGET_DIR", &workshop.target_dir);
    cargo
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let program = command.get_program().display().to_string();
    let status = command.status().map_err(|error| Failure::message(format!("cannot start {program}: {error}")))?;
    // As a shell has it: 128 and the signal's number.
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    match code {
        Some(0) => Ok(()),
        other => Err(Failure::Program { status: other.and_then(|code| code.try_into().ok()).unwrap_or(1) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(script: &str) -> Option<u8> {
        match run(Command::new("sh").args(["-c", script])) {
            Ok(()) => Some(0),
            Err(Failure::Program { status }) => Some(status),
            Err(_) => None,
        }
    }

    #[test]
    fn the_status_of_a_program_is_passed_on() {
        assert_eq!(status_of("true"), Some(0));
        assert_eq!(status_of("exit 7"), Some(7));
        assert_eq!(status_of("kill -TERM $$"), Some(143));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let Err(Failure::Message { text, .. }) = run(&mut Command::new("no-such-program-of-godwit")) else {
            panic!("a program that is not there cannot run")
        };
        assert!(text.contains("no-such-program-of-godwit"), "{text}");
    }
}
