//! `godwit module pack`

use std::process::ExitCode;

use godwit_model::Fault;

use crate::args::ModulePack;
use crate::session::Session;

pub fn run(session: &Session, args: &ModulePack) -> Result<ExitCode, Fault> {
    let module = godwit_author::pack(&args.file, &args.manifest)?;
    let path = args.output.clone().unwrap_or_else(|| args.file.with_extension("module.wasm"));
    super::write(session, "module pack", &module, &path)
}
