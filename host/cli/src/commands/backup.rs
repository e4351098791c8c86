//! `godwit backup`

use std::path::PathBuf;
use std::process::ExitCode;

use godwit_engine::{BackupRequest, Config, Scope, backup};
use godwit_model::Fault;
use jiff::Timestamp;
use semver::Version;
use serde_json::json;

use crate::args::Backup;
use crate::session::Session;
use crate::text;

pub fn run(session: &Session, args: &Backup) -> Result<ExitCode, Fault> {
    let config = session.config()?;
    let version = args.target_version.clone().map_or_else(|| config.application_version(), Ok)?;
    let output = args.output.clone().unwrap_or_else(|| default_name(&config, &version));
    let request = BackupRequest {
        config: &config,
        scope: Scope::parse(&args.scope),
        exclude: args.exclude.clone(),
        version: Some(version.clone()),
        output: output.clone(),
        dry_run: args.dry_run,
    };
    let workers = session.workers()?;
    let (report, id) = backup(&session.context(&workers), &request)?;
    let document = json!({ "command": "backup", "archive": output, "id": id, "dry_run": args.dry_run, "data_version": version, "report": report });
    session.show(&document, || {
        let ending = match id {
            Some(id) => {
                format!("{} {version} is in {} (id {})\n", config.application.name, output.display(), id.short())
            }
            None => format!("dry run: {} {version} could be backed up; nothing was written\n", config.application.name),
        };
        text::report(&report) + &ending
    })?;
    Ok(ExitCode::SUCCESS)
}

fn default_name(config: &Config, version: &Version) -> PathBuf {
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    format!("{}-{version}-{time}", config.application.name).into()
}
