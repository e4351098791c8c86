//! `godwit module keygen`

use std::process::ExitCode;

use godwit_model::Fault;
use godwit_trust::{Password, SecretKey};
use serde_json::json;

use super::sign::{ask, is_at_terminal};
use crate::args::ModuleKeygen;
use crate::session::Session;

pub fn run(session: &Session, args: &ModuleKeygen) -> Result<ExitCode, Fault> {
    let password = password(args)?;
    let (public, path) = SecretKey::generate(&args.key, password.as_ref())?;
    let document = json!({
        "command": "module keygen", "key": args.key, "public_key_file": path, "public_key": public, "id": public.id()
    });
    session.show(&document, || {
        format!(
            "key {}\n  secret  {}; keep it where nobody else reads it\n  public  {}\n\n\
             operators who trust it write into godwit.toml:\n\n  [modules]\n  trust = [\"{public}\"]\n",
            public.id(),
            args.key.display(),
            path.display()
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

fn password(args: &ModuleKeygen) -> Result<Option<Password>, Fault> {
    let password = match &args.password_file {
        _ if args.no_password => return Ok(None),
        Some(file) => Password::from_file(file)?,
        None if is_at_terminal() => typed_twice()?,
        None => {
            return Err(Fault::usage(
                "the key needs a password: give --password-file FILE, or --no-password for a key that whoever reads it can use",
            ));
        }
    };
    match password.is_empty() {
        true => Err(Fault::usage("an empty password protects nothing; give another, or --no-password")),
        false => Ok(Some(password)),
    }
}

fn typed_twice() -> Result<Password, Fault> {
    let first = ask("Password to protect the key with: ")?;
    match ask("The same once more: ")? == first {
        true => Ok(first),
        false => Err(Fault::usage("the two passwords differ; nothing was written")),
    }
}
