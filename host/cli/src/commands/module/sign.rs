//! `godwit module sign`

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use godwit_author::{Signed, sign};
use godwit_model::{Fault, FaultClass};
use godwit_trust::{Password, SecretKey};
use serde_json::json;

use crate::args::ModuleSign;
use crate::question::Question;
use crate::session::Session;

pub fn run(session: &Session, args: &ModuleSign) -> Result<ExitCode, Fault> {
    let key = SecretKey::load(&args.key, || password(args))?;
    let signed = args.modules.iter().map(|file| sign(file, &key)).collect::<Result<Vec<_>, _>>()?;
    session.show(&json!({ "command": "module sign", "signed": signed }), || signed.iter().map(text).collect())?;
    Ok(ExitCode::SUCCESS)
}

fn password(args: &ModuleSign) -> Result<Option<Password>, Fault> {
    match &args.password_file {
        Some(file) => Ok(Some(Password::from_file(file)?)),
        None if is_at_terminal() => ask(&format!("Password of {}: ", args.key.display())).map(Some),
        None => Ok(None),
    }
}

fn text(signed: &Signed) -> String {
    format!("{}\n  signed by {}: {}\n", signed.signature.display(), signed.key, signed.comment)
}

pub fn is_at_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Asks for a password; it is not shown while it is typed.
pub fn ask(prompt: &str) -> Result<Password, Fault> {
    let _open = Question::Password.open();
    rpassword::prompt_password(prompt).map(Password::new).map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => Fault::new(FaultClass::Interrupted, "interrupted; nothing was written"),
        _ => Fault::usage(format!("no password could be read: {error}")),
    })
}
