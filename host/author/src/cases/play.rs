//! One case in the sandbox, several times.

use godwit_model::{Database, Fault};
use godwit_sandbox::{Granted, Limits, Module, Parameters, Sandbox, SandboxError};

use super::folder::{About, EXPECTED_FILES, Expectation, FILES};
use super::steady::{self, CREWS, Run};
use super::{Case, CaseReport, Mode, Outcome, bless, diff, files, fit};
use crate::Finding;
use crate::check::unfit;
use crate::means::{Given, Means, moment};
use crate::run::{self, Bench, Crew, Notes, Piece, Records, Returned, text_of, unless_interrupted};
use crate::trees::{Trees, as_kept};

/// Runs a case. What is wrong with it, or with what the module makes of it, is in the report.
///
/// # Errors
/// The run was interrupted, or the expectation could not be written.
pub fn run(sandbox: &Sandbox, module: &Module, case: &Case, mode: Mode) -> Result<CaseReport, Fault> {
    let mut notes = Notes::default();
    let about = case.about();
    let description = about.as_ref().map(|about| about.description.clone()).unwrap_or_default();
    let outcome = match about.and_then(|about| Play::prepare(sandbox, module, case, &about)) {
        Ok(play) => play.outcome((case, module), mode, &mut notes)?,
        Err(problem) => Outcome::Failed(vec![Finding::problem("the case", &problem)]),
    };
    Ok(CaseReport { name: case.name.clone(), description, outcome, log: notes.log })
}

/// What a module made of a case.
pub(super) struct Made {
    /// Tidied, and in column order where a catalog is known.
    pub(super) records: Records,
    pub(super) catalog: Option<Database>,
    /// As Git keeps them.
    pub(super) trees: Trees,
}

struct Play {
    granted: Granted,
    before: Option<Database>,
    /// Of the collections that the module takes.
    input: Records,
    means: Means,
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
        let expectation = case.expectation()?;
        let reads = fit::reads(&module.manifest, before.as_ref())?;
        let mut input = fit::input(&module.manifest, &reads, before.as_ref(), case.input()?)?;
        let moment = moment(&about.timestamp).map_err(|problem| format!("case.json, timestamp: {problem}"))?;
        let trees = case.trees(FILES, moment)?;
        fit::trees(&module.manifest, &trees, expectation.trees())?;
        let given = Given { input: before.as_ref().map(|before| (before, &reads, &input)), trees, moment };
        let means = Means::new(&module.manifest, given).map_err(|fault| text_of(&fault))?;
        input.retain(|name, _| module.manifest.takes(name.as_str()));
        Ok(Self { granted, before, input, means, expectation })
    }

    fn outcome(&self, (case, module): (&Case, &Module), mode: Mode, notes: &mut Notes) -> Result<Outcome, Fault> {
        let bench = Bench { granted: &self.granted, means: &self.means, pieces: &self.pieces() };
        let first = self.make(&bench, Crew::One, notes)?;
        let second = self.make(&bench, Crew::Many, &mut Notes::default())?;
        let mut unsteady = CREWS.differences(&first, &second);
        if unsteady.is_empty() {
            let again = || self.make(&bench, Crew::One, &mut Notes::default());
            unsteady = steady::after_interruption(&bench, (case, module), notes.host_calls, again, &first)?;
        }
        if !unsteady.is_empty() {
            return Ok(Outcome::Failed(unsteady));
        }
        let output = first.map(|(catalog, returned)| made(catalog, returned));
        let whole = output.as_ref().ok().and_then(|made| made.as_ref().ok());
        let unfit = whole.map_or(Ok(vec![]), |made| self.unfit(made))?;
        match output {
            _ if !unfit.is_empty() => Ok(Outcome::Failed(unfit)),
            Ok(Ok(output)) => self.judge(case, mode, &Ok(output)),
            Ok(Err(findings)) => Ok(Outcome::Failed(findings)),
            Err(error) => self.judge(case, mode, &Err(error)),
        }
    }

    /// What the new catalog breaks, where there is one.
    fn unfit(&self, made: &Made) -> Result<Vec<Finding>, Fault> {
        self.before.as_ref().zip(made.catalog.as_ref()).map_or(Ok(vec![]), |(before, after)| unfit(before, after))
    }

    fn judge(&self, case: &Case, mode: Mode, result: &Result<Made, SandboxError>) -> Result<Outcome, Fault> {
        let findings = self.compare(case, result);
        match mode {
            _ if findings.is_empty() => Ok(Outcome::Passed),
            Mode::Compare => Ok(Outcome::Failed(findings)),
            Mode::Bless => bless::write(case, &self.expectation, result, findings),
        }
    }

    fn make(&self, bench: &Bench<'_>, crew: Crew, notes: &mut Notes) -> Result<Run, Fault> {
        let evolve = |before| self.granted.evolve_with_log(before, &mut notes.log);
        match unless_interrupted(self.before.as_ref().map(evolve).transpose())? {
            Ok(evolved) => Ok(bench.run(crew, notes)?.map(|returned| (evolved, returned))),
            Err(error) => Ok(Err(error)),
        }
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
            (Expectation::Output { records, trees }, Ok(made)) => {
                let mut findings = compare_records(case, records, made);
                findings.extend(unexpected(trees, &made.trees));
                findings.extend(files::compare(trees, &made.trees));
                findings
            }
            (Expectation::Error(lines), Err(error)) => compare_error(lines, &text_of(error)),
            (Expectation::Output { .. }, Err(error)) => vec![Finding::problem("the run failed", &text_of(error))],
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

/// What the case says nothing of, which is another thing than a tree that should be empty.
fn unexpected(expected: &Trees, got: &Trees) -> Vec<Finding> {
    let silent = got.iter().filter(|(name, tree)| !expected.contains_key(*name) && !tree.is_empty());
    let advice = |(name, _): (&_, &_)| {
        let place = format!("the tree {name}");
        let problem = format!(
            "the module may write it, and the case has no {EXPECTED_FILES}/{name}; write it, or have it written with --bless and read it"
        );
        Finding::problem(&place, &problem)
    };
    silent.map(advice).collect()
}

fn made(catalog: Option<Database>, returned: Returned) -> Result<Made, Vec<Finding>> {
    let records = fit::output(catalog.as_ref(), returned.records)?;
    let kept = |(name, tree)| (name, as_kept(tree, 0));
    Ok(Made { records, catalog, trees: returned.trees.into_iter().map(kept).collect() })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::find;
    use super::*;
    use godwit_sandbox::Options;

    /// Prepares a case of the example that queries its input and changes a file tree.
    fn with_play(case: &str, test: impl FnOnce(&Play, &Bench<'_>)) {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations-wasm/inventory-1.2-to-1.3");
        let module = match std::env::var_os("GODWIT_TEST_MODULES") {
            Some(folder) => crate::read(&Path::new(&folder).join("inventory-1.2-to-1.3.wasm")).unwrap(),
            None => crate::build(&dir).unwrap().module,
        };
        let sandbox = Sandbox::new(&Options::default()).unwrap();
        let case = find(&dir.join("cases"), &[case.to_owned()]).unwrap().remove(0);
        let play = Play::prepare(&sandbox, &module, &case, &case.about().unwrap()).unwrap();
        test(&play, &Bench { granted: &play.granted, means: &play.means, pieces: &play.pieces() });
    }

    #[test]
    fn an_interruption_at_any_host_call_leaves_nothing_behind() {
        with_play("sample", |play, bench| {
            let mut notes = Notes::default();
            let first = play.make(bench, Crew::One, &mut notes).unwrap();
            assert!(notes.host_calls > 8, "{}", notes.host_calls);
            for call in 0..notes.host_calls {
                assert!(bench.break_off(Some(call)).unwrap(), "it was not interrupted at {call}");
                let again = play.make(bench, Crew::One, &mut Notes::default()).unwrap();
                assert!(CREWS.differences(&first, &again).is_empty(), "after an interruption at {call}");
            }
            assert!(!bench.break_off(Some(notes.host_calls)).unwrap(), "there is no such call");
            assert!(bench.break_off(None).unwrap(), "after the first chunk");
        });
    }

    #[test]
    fn runs_that_differ_are_told_with_records_and_files() {
        with_play("sample", |play, bench| {
            let run = || play.make(bench, Crew::One, &mut Notes::default()).unwrap().unwrap();
            let (first, mut other) = (Ok(run()), run());
            let tree = other.1.trees.values_mut().next().unwrap();
            let file = tree.iter_mut().find(|(entry, _)| entry.path.as_str() == "inventory.conf").unwrap();
            file.1 = b"# Read once, at the start.\n".to_vec();
            let found = CREWS.differences(&first, &Ok(other));
            assert!(found[0].problem.contains("keeps something between calls"), "{found:?}");
            assert_eq!(found[1].place, "the tree config, inventory.conf, line 2");
            assert_eq!((found[1].expected.as_deref(), &found[1].got), (Some("\"host = 127.0.0.1\\n\""), &None));
        });
    }
}
