//! `godwit plan`

use std::process::ExitCode;

use godwit_engine::{Plan, PlanRequest, plan};
use godwit_model::{Fault, FaultClass};
use serde_json::json;

use crate::args::Plan as PlanArgs;
use crate::session::{Session, module_options};
use crate::{exit, text};

pub fn run(session: &Session, args: &PlanArgs) -> Result<ExitCode, Fault> {
    let config = if args.archive.is_none() { Some(session.config()?) } else { session.config_if_any()? };
    let request = PlanRequest {
        archive: args.archive.clone(),
        config: config.as_ref(),
        to: args.to.clone(),
        modules: module_options(session, &args.modules, config.as_ref(), (args.archive.as_deref(), Some(&args.to))),
    };
    let workers = session.workers()?;
    let plan = plan(&session.context(&workers), &request)?;
    session.show(&json!({ "command": "plan", "plan": plan }), || text::plan(&plan) + "nothing was written\n")?;
    Ok(status_of(&plan))
}

/// A dry run that found violations says so in its exit status.
pub fn status_of(plan: &Plan) -> ExitCode {
    match plan.report.as_ref().map_or(0, |report| report.violation_count) {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(exit::status(FaultClass::Module)),
    }
}
