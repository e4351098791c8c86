//! A run of the program.

use std::process::{Command, Output};

use serde_json::Value;

/// How a run ended and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// None where a signal ended it.
    pub status: Option<i32>,
    /// What it gave.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Outcome {
    let output = command.output();
    output.unwrap_or_else(|error| panic!("{} cannot be started: {error}", command.get_program().display())).into()
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("what the program writes is UTF-8");
        Self { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Outcome {
    /// What it gave, if it succeeded.
    #[track_caller]
    pub fn succeeded(self) -> String {
        assert_eq!(self.status, Some(0), "{}\n{}", self.stdout, self.stderr);
        self.stdout
    }

    /// What it said, if it failed with this status.
    #[track_caller]
    pub fn failed(self, status: i32) -> String {
        assert_eq!(self.status, Some(status), "{}\n{}", self.stdout, self.stderr);
        self.stderr
    }

    /// The one JSON document that it gave.
    #[track_caller]
    pub fn json(&self) -> Value {
        let problem = |error| panic!("{error}: standard output is no JSON document\n{}\n{}", self.stdout, self.stderr);
        serde_json::from_str(&self.stdout).unwrap_or_else(problem)
    }
}
