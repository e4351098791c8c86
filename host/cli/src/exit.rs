//! How a run ends: its exit status and what it says of an error.

use std::error::Error;
use std::process::ExitCode;

use godwit_model::{Fault, FaultClass};

use crate::args::{Global, Output};

/// Exit status of an interrupted run.
pub const INTERRUPTED: u8 = 130;

/// Exit status by class.
pub fn status(class: FaultClass) -> u8 {
    match class {
        FaultClass::Usage => 2,
        FaultClass::Refused => 3,
        FaultClass::Damaged => 4,
        FaultClass::Module => 5,
        FaultClass::System => 6,
        FaultClass::Locked => 7,
        FaultClass::Interrupted => INTERRUPTED,
    }
}

/// Prints the error, if any, and gives the exit status. `untouched`: what a command does with a module, it does before it
/// changes anything, and says so.
pub fn conclude(global: &Global, outcome: Result<ExitCode, Fault>, untouched: bool) -> ExitCode {
    let fault = match outcome {
        Ok(code) => return code,
        Err(fault) => fault,
    };
    let text = text(&fault);
    eprintln!("error: {text}");
    if untouched && fault.class() == FaultClass::Module && !text.contains("nothing was") {
        eprintln!("nothing was changed");
    }
    if global.format == Output::Json {
        let document = serde_json::json!({
            "error": { "message": fault.to_string(), "causes": causes(&fault), "exit_status": status(fault.class()) }
        });
        println!("{document:#}");
    }
    ExitCode::from(status(fault.class()))
}

/// The error with its causes, each said once.
pub fn text(fault: &Fault) -> String {
    let mut text = fault.to_string();
    for cause in causes(fault) {
        if !text.contains(&cause) {
            text.push_str("\n  because: ");
            text.push_str(&cause);
        }
    }
    text
}

fn causes(error: &dyn Error) -> Vec<String> {
    std::iter::successors(error.source(), |&error| error.source()).map(ToString::to_string).collect()
}
