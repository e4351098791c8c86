//! `godwit module build`

use std::process::ExitCode;

use godwit_author::{AuthorError, Outline};
use godwit_model::Fault;
use serde_json::json;

use crate::args::ModuleBuild;
use crate::session::Session;

pub fn run(session: &Session, args: &ModuleBuild) -> Result<ExitCode, Fault> {
    let built = super::build(session, &args.dir)?;
    let path = args.output.clone().unwrap_or(built.default_path);
    let wrote = godwit_toolchain::write_component(&path, &built.module.bytes).map_err(AuthorError::from)?;
    let outline = Outline::of(&built.module);
    let document = json!({ "command": "module build", "file": path, "written": wrote, "module": outline });
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
