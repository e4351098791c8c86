//! `godwit module new`

use std::process::ExitCode;

use godwit_author::{Beginning, begin};
use godwit_model::Fault;
use serde_json::json;

use crate::args::ModuleNew;
use crate::session::Session;

pub fn run(session: &Session, args: &ModuleNew) -> Result<ExitCode, Fault> {
    let begun = begin(&Beginning {
        name: args.name.clone(),
        from: args.from.clone(),
        to: args.to.clone(),
        application: args.application.clone(),
        path: args.path.clone(),
        sdk: args.sdk.clone(),
    })?;
    let document = json!({ "command": "module new", "path": begun.path, "sdk": begun.sdk, "manifest": begun.manifest });
    session.show(&document, || {
        let (path, manifest) = (begun.path.display(), &begun.manifest);
        format!(
            "{path}: {} takes {} data {} to {}\n\
             The SDK is not published yet: Cargo.toml names it by its path, {}\n\
             Now:\n  cd {path}\n  cargo test            # its logic, natively\n  godwit module test    # the component, over cases/\n",
            manifest.name, manifest.application, manifest.from, manifest.to, begun.sdk.display()
        )
    })?;
    Ok(ExitCode::SUCCESS)
}
