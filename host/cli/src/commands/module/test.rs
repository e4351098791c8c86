//! `godwit module test`

use std::fmt::Write;
use std::process::ExitCode;

use godwit_author::cases::{self, CaseReport, Mode, Outcome};
use godwit_engine::{Event, Observer};
use godwit_model::Fault;
use godwit_sandbox::Module;
use serde_json::{Value, json};

use super::findings::{Paint, describe};
use crate::args::ModuleTest;
use crate::session::Session;

pub fn run(session: &Session, args: &ModuleTest) -> Result<ExitCode, Fault> {
    let cases = cases::find(&args.dir.join("cases"), &args.cases)?;
    let module = match &args.module {
        Some(path) => godwit_author::read(path)?,
        None => super::build(session, &args.dir)?.module,
    };
    let sandbox = session.sandbox()?;
    let mode = if args.bless { Mode::Bless } else { Mode::Compare };
    let mut reports = vec![];
    for case in &cases {
        session.stop.check()?;
        let report = cases::run(&sandbox, &module, case, mode)?;
        pass_on_log(session, &module, &report);
        reports.push(report);
    }
    conclude(session, &module, &reports)
}

fn pass_on_log(session: &Session, module: &Module, report: &CaseReport) {
    let name = format!("{}, case {}", module.manifest.name, report.name);
    for line in &report.log {
        session.progress.event(Event::Log { module: &name, level: line.level, message: &line.message });
    }
}

fn conclude(session: &Session, module: &Module, reports: &[CaseReport]) -> Result<ExitCode, Fault> {
    let failed = reports.iter().filter(|report| matches!(report.outcome, Outcome::Failed(_))).count();
    let passed = reports.len() - failed;
    let document = json!({
        "command": "module test", "module": module.manifest.name, "digest": module.digest,
        "passed": passed, "failed": failed, "cases": reports.iter().map(document).collect::<Vec<_>>()
    });
    let paint = Paint::new();
    let cases: String = reports.iter().map(|report| text(report, paint)).collect();
    super::conclude(session, &document, &format!("{cases}{passed} passed, {failed} failed\n"), failed == 0)
}

fn document(report: &CaseReport) -> Value {
    json!({ "name": report.name, "description": report.description, "result": report.outcome })
}

fn text(report: &CaseReport, paint: Paint) -> String {
    let (word, findings) = match &report.outcome {
        Outcome::Failed(findings) => (paint.red("FAILED "), findings.as_slice()),
        passed => (paint.green(&format!("{:<7}", passed.word())), &[][..]),
    };
    let mut text = format!("{word}  {}", report.name);
    if !report.description.is_empty() {
        let _ = write!(text, ": {}", report.description);
    }
    text + "\n" + &describe(findings, paint)
}
