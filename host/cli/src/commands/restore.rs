//! `godwit restore`

use std::process::ExitCode;

use godwit_engine::{Plan, RestoreRequest, Scope, restore};
use godwit_model::{DatabaseName, Fault};
use serde_json::json;

use super::plan::status_of;
use crate::args::Restore;
use crate::session::{Session, module_options};
use crate::text;

pub fn run(session: &Session, args: &Restore) -> Result<ExitCode, Fault> {
    let config = session.config()?;
    // For the message only: that the version cannot be told is said by the restore itself.
    let to = args.target_version.clone().or_else(|| config.application_version().ok());
    let request = RestoreRequest {
        config: &config,
        archive: args.archive.clone(),
        scope: Scope::parse(&args.scope),
        target_version: args.target_version.clone(),
        without_migration: args.without_migration,
        empty: args.empty,
        modules: module_options(session, &args.modules, Some(&config), (Some(&args.archive), to.as_ref())),
        dry_run: args.dry_run,
    };
    let workers = session.workers()?;
    let plan = restore(&session.context(&workers), &request)?;
    let document = json!({ "command": "restore", "archive": args.archive, "dry_run": args.dry_run, "plan": plan });
    session.show(&document, || {
        if args.dry_run {
            text::plan(&plan) + "dry run: nothing was written\n"
        } else {
            let places = places(&request, &plan).join(", ");
            text::done(&plan)
                + &format!("restored: {} {} is in {places}; start the application now\n", plan.application, plan.to)
        }
    })?;
    Ok(status_of(&plan))
}

/// Where the data went, so that a slip in the configuration is seen. An archive may hold less than is configured.
fn places(request: &RestoreRequest<'_>, plan: &Plan) -> Vec<String> {
    let Some(report) = &plan.report else { return vec![] };
    let restored = |name: &DatabaseName| {
        request.scope.has_database(name) && report.collections.keys().any(|id| id.starts_with(&format!("{name}.")))
    };
    let databases = request.config.databases.iter().filter(|(name, _)| restored(name));
    let trees = request.config.files.iter().filter(|(name, _)| report.trees.contains_key(*name));
    let urls = databases.map(|(_, database)| database.url.trim_start_matches("sqlite://").to_owned());
    urls.chain(trees.map(|(_, tree)| tree.path.display().to_string())).collect()
}
