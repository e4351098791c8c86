//! `godwit migrate`

use std::process::ExitCode;

use godwit_engine::{MigrateRequest, migrate};
use godwit_model::Fault;
use serde_json::json;

use super::plan::status_of;
use crate::args::Migrate;
use crate::session::{Session, module_options};
use crate::text;

pub fn run(session: &Session, args: &Migrate) -> Result<ExitCode, Fault> {
    let config = session.config_if_any()?;
    let request = MigrateRequest {
        archive: args.archive.clone(),
        to: args.to.clone(),
        output: args.output.clone(),
        modules: module_options(session, &args.modules, config.as_ref(), (Some(&args.archive), Some(&args.to))),
        dry_run: args.dry_run,
    };
    let workers = session.workers()?;
    let (plan, id) = migrate(&session.context(&workers), &request)?;
    let document =
        json!({ "command": "migrate", "archive": args.output, "id": id, "dry_run": args.dry_run, "plan": plan });
    session.show(&document, || match id {
        None => text::plan(&plan) + "dry run: nothing was written\n",
        Some(id) => {
            let (archive, id) = (args.output.display(), id.short());
            text::done(&plan)
                + &text::later(&plan)
                + &format!("{} {} is in {archive} (id {id})\n", plan.application, plan.to)
        }
    })?;
    Ok(status_of(&plan))
}
