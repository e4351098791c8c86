//! One case in the sandbox, twice.

use godwit_model::{Collection, Database, Fault, records};
use godwit_sandbox::{Granted, Limits, LogLine, Module, Parameters, Sandbox, SandboxError};

use super::folder::{About, Expectation};
use super::{Case, CaseReport, Mode, Outcome, bless, diff, lines};
use crate::Finding;
use crate::run::{self, Crew, Piece, Records, text_of, unless_interrupted};

/// Runs a case. What is wrong with it, or with what the module makes of it, is in the report.
///
/// # Errors
/// The run was interrupted, or the expectation could not be written.
pub fn run(sandbox: &Sandbox, module: &Module, case: &Case, mode: Mode) -> Result<CaseReport, Fault> {
    let mut log = vec![];
    let about = case.about();
    let description = about.as_ref().map(|about| about.description.clone()).unwrap_or_default();
    let outcome = match about.and_then(|about| Play::prepare(sandbox, module, case, &about)) {
        Ok(play) => play.outcome(case, mode, &mut log)?,
        Err(problem) => Outcome::Failed(vec![Finding::problem("the case", &problem)]),
    };
    Ok(CaseReport { name: case.name.clone(), description, outcome, log })
}

/// What a module made of a case.
pub(super) struct Made {
    /// Tidied, and in column order where a catalog is known.
    pub(super) records: Records,
    pub(super) catalog: Option<Database>,
}

struct Play {
    granted: Granted,
    before: Option<Database>,
    input: Records,
    expectation: Expectation,
}

impl Play {
    fn prepare(sandbox: &Sandbox, module: &Module, case: &Case, about: &About) -> Result<Self, String> {
        if let Some(name) = about.parameters.keys().find(|name| !module.manifest.parameters.contains_key(*name)) {
            return Err(format!("case.json gives the parameter {name}, which the manifest does not declare"));
        }
        let parameters = Parameters::of_run(&about.timestamp, &about.seed).with(&about.parameters);
        let granted = sandbox.grant(module, &parameters, Limits::default()).map_err(|error| text_of(&error))?;
        let before = case.catalog(about, &module.manifest)?;
        let input = fit_input(module, before.as_ref(), case.input()?)?;
        Ok(Self { granted, before, input, expectation: case.expectation()? })
    }

    fn outcome(&self, case: &Case, mode: Mode, log: &mut Vec<LogLine>) -> Result<Outcome, Fault> {
        let first = unless_interrupted(self.make(Crew::One, log))?;
        let second = unless_interrupted(self.make(Crew::Many, &mut vec![]))?;
        let unsteady = unsteady(&first, &second);
        if !unsteady.is_empty() {
            return Ok(Outcome::Failed(unsteady));
        }
        match first.map(|(catalog, records)| Ok(Made { records: fit_output(catalog.as_ref(), records)?, catalog })) {
            Ok(Ok(output)) => self.judge(case, mode, &Ok(output)),
            Ok(Err(findings)) => Ok(Outcome::Failed(findings)),
            Err(error) => self.judge(case, mode, &Err(error)),
        }
    }

    fn judge(&self, case: &Case, mode: Mode, result: &Result<Made, SandboxError>) -> Result<Outcome, Fault> {
        let findings = self.compare(case, result);
        match mode {
            _ if findings.is_empty() => Ok(Outcome::Passed),
            Mode::Compare => Ok(Outcome::Failed(findings)),
            Mode::Bless => bless::write(case, &self.expectation, result, findings),
        }
    }

    fn make(&self, crew: Crew, log: &mut Vec<LogLine>) -> Result<(Option<Database>, Records), SandboxError> {
        let evolved = self.before.as_ref().map(|before| self.granted.evolve_with_log(before, log)).transpose()?;
        let records = run::run(&self.granted, &self.pieces(), crew, log)?;
        Ok((evolved, records))
    }

    /// In the order of the catalog, as a host reads them.
    fn pieces(&self) -> Vec<Piece<'_>> {
        let place = |name: &str| {
            let collections = self.before.as_ref().map_or(&[][..], |before| &before.collections);
            collections.iter().position(|collection| collection.name.as_str() == name)
        };
        let mut input: Vec<_> = self.input.iter().collect();
        input.sort_by_key(|(name, _)| place(name.as_str()));
        input.into_iter().flat_map(|(name, lines)| run::halves(name, lines)).collect()
    }

    fn compare(&self, case: &Case, made: &Result<Made, SandboxError>) -> Vec<Finding> {
        match (&self.expectation, made) {
            (Expectation::Records(expected), Ok(made)) => compare_records(case, expected, made),
            (Expectation::Error(lines), Err(error)) => compare_error(lines, &text_of(error)),
            (Expectation::Records(_), Err(error)) => vec![Finding::problem("the run failed", &text_of(error))],
            (Expectation::Error(lines), Ok(_)) => {
                vec![Finding::different("the run's error", lines.lines().next(), None)]
            }
            (Expectation::None, _) => {
                let advice = "the case has neither expected/ nor expected-error.txt; write one, or have it written with --bless and read it";
                vec![Finding::problem("the expectation", advice)]
            }
        }
    }
}

fn compare_records(case: &Case, expected: &Records, made: &Made) -> Vec<Finding> {
    let mut findings = diff::records(expected, &made.records, made.catalog.as_ref());
    match (case.expected_catalog(), &made.catalog) {
        (Err(problem), _) => findings.push(Finding::problem("the case", &problem)),
        (Ok(None), _) => {}
        (Ok(Some(expected)), Some(catalog)) => {
            findings.extend(diff::catalogs(&expected, &bless::json_of(catalog)));
        }
        (Ok(Some(_)), None) => {
            findings
                .push(Finding::problem("the case", "has an expected-catalog.json, but no catalog.json to begin with"));
        }
    }
    findings
}

fn compare_error(expected: &str, got: &str) -> Vec<Finding> {
    let lines = expected.lines().map(str::trim).filter(|line| !line.is_empty());
    let missing = lines.filter(|line| !got.contains(line));
    missing.map(|line| Finding::different("the run's error", Some(line), Some(got))).collect()
}

/// Input as a host would hand it over: of collections that the module takes, and fit for the catalog.
fn fit_input(module: &Module, catalog: Option<&Database>, mut input: Records) -> Result<Records, String> {
    for (name, lines) in &mut input {
        if !module.manifest.takes(name.as_str()) {
            return Err(format!(
                "input/ has records of {name}, which the module neither rewrites nor drops; they would pass untouched, so remove them"
            ));
        }
        let Some(catalog) = catalog else { continue };
        let collection =
            catalog.collection(name.as_str()).ok_or_else(|| format!("the catalog has no collection {name}"))?;
        fit(collection, lines).map_err(|problem| format!("input of {name}, {problem}"))?;
    }
    Ok(input)
}

/// Output held to the catalog that the module made of the old one, as the host does.
fn fit_output(catalog: Option<&Database>, mut output: Records) -> Result<Records, Vec<Finding>> {
    let mut findings = vec![];
    for (name, lines) in &mut output {
        let place = format!("what it returns of {name}");
        let collection = catalog.and_then(|catalog| catalog.collection(name.as_str()));
        let result = match (catalog, collection) {
            (Some(_), None) => Err("the catalog that the module makes has no such collection".to_owned()),
            (_, Some(collection)) => fit(collection, lines),
            (None, None) => Ok(()),
        };
        match result.and_then(|()| lines::tidy(lines)) {
            Ok(tidied) => *lines = tidied,
            Err(problem) => findings.push(Finding::problem(&place, &problem)),
        }
    }
    if findings.is_empty() { Ok(output) } else { Err(findings) }
}

/// Checks lines against their collection and puts their keys in order.
fn fit(collection: &Collection, lines: &mut Vec<u8>) -> Result<(), String> {
    let checked = records::check(collection, lines, |_, _| {}).map_err(|error| error.to_string())?;
    if let Some(reordered) = checked.reordered {
        *lines = reordered;
    }
    Ok(())
}

type Run = Result<(Option<Database>, Records), SandboxError>;

/// Where two runs of the same input differ.
fn unsteady(one: &Run, many: &Run) -> Vec<Finding> {
    let place = "two runs of the same input";
    let advice = "differ: the module keeps something between calls, which needs \"ordered\": true in its manifest";
    match (one, many) {
        (Ok((_, one)), Ok((_, many))) if one != many => {
            let mut findings = vec![Finding::problem(place, advice)];
            findings.extend(
                tidied(one).zip(tidied(many)).map(|(one, many)| diff::records(&one, &many, None)).unwrap_or_default(),
            );
            findings
        }
        (Ok((one, _)), Ok((many, _))) if one != many => {
            vec![Finding::problem(place, "differ in the catalog that they make")]
        }
        (Ok(_), Ok(_)) => vec![],
        (one, many) => {
            let text = |run: &Run| run.as_ref().err().map_or_else(|| "no error".to_owned(), |error| text_of(error));
            let (one, many) = (text(one), text(many));
            if one == many {
                vec![]
            } else {
                vec![Finding::problem(place, advice), Finding::different(place, Some(&one), Some(&many))]
            }
        }
    }
}

fn tidied(records: &Records) -> Option<Records> {
    records.iter().map(|(name, lines)| Some((name.clone(), lines::tidy(lines).ok()?))).collect()
}
