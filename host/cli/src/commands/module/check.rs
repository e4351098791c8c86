//! `godwit module check`

use std::fmt::Write;
use std::process::ExitCode;

use godwit_author::{CheckReport, Checking, cases, shape};
use godwit_model::Fault;
use serde_json::json;

use super::findings::{Paint, describe};
use crate::args::ModuleCheck;
use crate::session::Session;

pub fn run(session: &Session, args: &ModuleCheck) -> Result<ExitCode, Fault> {
    let module = godwit_author::read(&args.module)?;
    let checking = Checking {
        parameters: args.parameters.iter().cloned().collect(),
        catalog: args.catalog.as_deref().map(|path| shape::read(path, &module.manifest)).transpose()?,
        cases: args.cases.as_deref().map(|folder| cases::find(folder, &[])).transpose()?.unwrap_or_default(),
    };
    let sandbox = session.sandbox()?;
    let report = godwit_author::check(&sandbox, &module, &checking)?;
    let tried = checking.catalog.is_some() || !checking.cases.is_empty();
    let document = json!({
        "command": "module check", "file": args.module, "digest": module.digest,
        "clean": report.is_clean(), "tried_on_records": tried, "report": report
    });
    super::conclude(session, &document, &text(&report, tried), report.is_clean())
}

fn text(report: &CheckReport, tried: bool) -> String {
    let paint = Paint::new();
    let mut text = String::new();
    for step in &report.steps {
        let verdict = if step.findings.is_empty() { paint.green("ok    ") } else { paint.red("FAILED") };
        let _ = write!(text, "{verdict}  {}\n{}", step.what, describe(&step.findings, paint));
    }
    match tried {
        true => text,
        false => text + "not tried on any record: give --catalog ARCHIVE or --cases DIR\n",
    }
}
