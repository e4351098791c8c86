//! `godwit module verify`

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use godwit_author::signature;
use godwit_model::{Fault, FaultClass};
use godwit_sandbox::tame_line;
use godwit_trust::{PublicKey, SignatureState};
use serde_json::json;

use crate::args::{ModuleVerify, Output};
use crate::exit;
use crate::session::Session;

pub fn run(session: &Session, args: &ModuleVerify) -> Result<ExitCode, Fault> {
    let trusted = trusted(session, &args.public_keys)?;
    let (mut documents, mut text, mut good) = (vec![], String::new(), true);
    for file in &args.modules {
        let (module, state) = signature(file, &trusted)?;
        good &= state.trusted_key().is_some();
        let _ = writeln!(text, "{}: {state}", file.display());
        if let SignatureState::Trusted { comment, .. } = &state {
            let _ = writeln!(text, "  {}", tame_line(comment));
        }
        documents.push(json!({ "file": file, "digest": module.digest, "signature": state }));
    }
    session.show(&json!({ "command": "module verify", "good": good, "modules": documents }), || text.clone())?;
    if !good && session.quiet && session.format == Output::Human {
        eprint!("{text}");
    }
    Ok(if good { ExitCode::SUCCESS } else { exit::status(FaultClass::Refused).into() })
}

/// Those of the command line, else those of the configuration.
fn trusted(session: &Session, given: &[String]) -> Result<Vec<PublicKey>, Fault> {
    if !given.is_empty() {
        return given.iter().map(|given| key(given)).collect();
    }
    let trusted = session.config_if_any()?.map(|config| config.modules.trust).unwrap_or_default();
    match trusted.is_empty() {
        true => Err(Fault::usage(
            "there is no key to verify with: give --public-key, or name the vendor's in godwit.toml as [modules] trust",
        )),
        false => Ok(trusted),
    }
}

/// A key as such, or the file that it is in.
fn key(given: &str) -> Result<PublicKey, Fault> {
    match given.parse() {
        Ok(key) => Ok(key),
        Err(_) if Path::new(given).exists() => Ok(PublicKey::load(Path::new(given))?),
        Err(problem) => Err(Fault::usage(format!("--public-key {given}: there is no such file, and {problem}"))),
    }
}
