//! `godwit export`

use std::process::ExitCode;

use godwit_engine::{ExportRequest, Scope, export};
use godwit_model::Fault;
use serde_json::json;

use crate::args::Export;
use crate::session::Session;
use crate::text;

pub fn run(session: &Session, args: &Export) -> Result<ExitCode, Fault> {
    let config = if args.archive.is_none() { Some(session.config()?) } else { None };
    let request = ExportRequest {
        archive: args.archive.clone(),
        config: config.as_ref(),
        scope: Scope::parse(&args.scope),
        output: args.output.clone(),
        dry_run: args.dry_run,
    };
    let workers = session.workers()?;
    let report = export(&session.context(&workers), &request)?;
    let document = json!({ "command": "export", "directory": args.output, "dry_run": args.dry_run, "report": report });
    session.show(&document, || {
        let ending = match args.dry_run {
            false => format!("the records are in {}\n", args.output.display()),
            true => "dry run: nothing was written\n".to_owned(),
        };
        text::report(&report) + &ending
    })?;
    Ok(ExitCode::SUCCESS)
}
