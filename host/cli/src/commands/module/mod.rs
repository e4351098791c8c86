//! `godwit module`: what a module's author does.

mod build;
mod check;
mod findings;
mod keygen;
mod new;
mod pack;
mod sign;
mod test;
mod verify;

use std::path::Path;
use std::process::ExitCode;

use godwit_author::{AuthorError, Built, Outline};
use godwit_model::{Fault, FaultClass};
use godwit_sandbox::Module;
use serde_json::{Value, json};

use crate::args::{ModuleCommand, ModuleInspect, Output};
use crate::exit;
use crate::session::Session;

pub fn run(session: &Session, command: &ModuleCommand) -> Result<ExitCode, Fault> {
    match command {
        ModuleCommand::New(args) => new::run(session, args),
        ModuleCommand::Build(args) => build::run(session, args),
        ModuleCommand::Pack(args) => pack::run(session, args),
        ModuleCommand::Inspect(args) => inspect(session, args),
        ModuleCommand::Check(args) => check::run(session, args),
        ModuleCommand::Test(args) => test::run(session, args),
        ModuleCommand::Keygen(args) => keygen::run(session, args),
        ModuleCommand::Sign(args) => sign::run(session, args),
        ModuleCommand::Verify(args) => verify::run(session, args),
    }
}

fn inspect(session: &Session, args: &ModuleInspect) -> Result<ExitCode, Fault> {
    let trusted = session.config_if_any()?.map(|config| config.modules.trust).unwrap_or_default();
    let (module, signature) = godwit_author::signature(&args.module, &trusted)?;
    let outline = Outline::of(&module).signed(signature);
    let document = json!({ "command": "module inspect", "file": args.module, "module": outline });
    session.show(&document, || outline.to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// A compiler that was interrupted did not fail.
fn build(session: &Session, dir: &Path) -> Result<Built, Fault> {
    godwit_author::build(dir).or_else(|fault| session.stop.check().and(Err(fault)))
}

/// Writes a module and shows what an author wants to see of it.
fn write(session: &Session, command: &str, module: &Module, path: &Path) -> Result<ExitCode, Fault> {
    let wrote = godwit_toolchain::write_component(path, &module.bytes).map_err(AuthorError::from)?;
    let outline = Outline::of(module);
    let document = json!({ "command": command, "file": path, "written": wrote, "module": outline });
    session.show(&document, || {
        let state = if wrote { "" } else { " (as it was)" };
        format!(
            "{}{state}\n  module   {} {}\n  size     {} KiB\n  sha256   {}\n  imports  {}\n",
            path.display(),
            outline.manifest.name,
            outline.manifest.version,
            outline.bytes.div_ceil(1024),
            outline.digest,
            outline.imports.join(", ")
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Shows what was found; what is wrong is shown to those as well who want to see errors only.
fn conclude(session: &Session, document: &Value, text: &str, good: bool) -> Result<ExitCode, Fault> {
    session.show(document, || text.to_owned())?;
    if good {
        return Ok(ExitCode::SUCCESS);
    }
    if session.quiet && session.format == Output::Human {
        eprint!("{text}");
    }
    Ok(exit::status(FaultClass::Module).into())
}
