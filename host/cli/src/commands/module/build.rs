//! `godwit module build`

use std::process::ExitCode;

use godwit_model::Fault;

use crate::args::ModuleBuild;
use crate::session::Session;

pub fn run(session: &Session, args: &ModuleBuild) -> Result<ExitCode, Fault> {
    let built = super::build(session, &args.dir)?;
    let path = args.output.clone().unwrap_or(built.default_path);
    super::write(session, "module build", &built.module, &path)
}
