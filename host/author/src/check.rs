//! What a host would refuse sooner or later, found before anyone ships it.

use std::collections::BTreeMap;

use godwit_database::{Violation, prove_change};
use godwit_model::{Access, Collection, Database, Fault, ModuleManifest, Reads, records};
use godwit_sandbox::{Granted, Limits, Module, Parameters, Sandbox, tame};
use semver::{Comparator, Op, Version, VersionReq};
use serde::Serialize;
use serde_json::Value;

use crate::means::{Given, Means, moment};
use crate::run::{Bench, Crew, Ending, Notes, Piece, Records, text_of, unless_interrupted};
use crate::{Finding, cases, generate};

/// What to try a module on. What it asks for beside its records is made up, or made of the cases.
#[derive(Debug, Clone, Default)]
pub struct Checking {
    /// Values for its parameters.
    pub parameters: BTreeMap<String, Value>,
    /// A catalog to evolve, and to make records up for.
    pub catalog: Option<Database>,
    /// Golden cases to run.
    pub cases: Vec<cases::Case>,
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// In order.
    pub steps: Vec<Step>,
}

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What, in words.
    pub what: String,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

impl CheckReport {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.steps.iter().all(|step| step.findings.is_empty())
    }

    fn add(&mut self, what: impl Into<String>, findings: Vec<Finding>) {
        self.steps.push(Step { what: what.into(), findings });
    }
}

/// Looks at a module that was read, and with that has a manifest and no import but its due.
///
/// # Errors
/// A host would refuse it: an export is missing, it does not compile, or a parameter has no value.
pub fn check(sandbox: &Sandbox, module: &Module, on: &Checking) -> Result<CheckReport, Fault> {
    let mut report = CheckReport { steps: vec![] };
    report.add("the manifest holds together", contradictions(&module.manifest));
    let parameters = Parameters::of_run(TIMESTAMP, "0000000000000000").with(&on.parameters);
    let granted = sandbox.grant(module, &parameters, Limits::default())?;
    report.add("imports nothing but godwit:migration, and has all its exports", vec![]);
    if let Some(catalog) = &on.catalog {
        check_catalog(&granted, catalog, &mut report)?;
    }
    for case in &on.cases {
        let played = cases::run(sandbox, module, case, cases::Mode::Compare)?;
        let findings = if let cases::Outcome::Failed(findings) = played.outcome { findings } else { vec![] };
        report.add(format!("the case {} is as expected", case.name), findings);
    }
    Ok(report)
}

/// What the parts of a manifest say against each other.
fn contradictions(manifest: &ModuleManifest) -> Vec<Finding> {
    let mut findings = vec![];
    let mut wrong = |place: &str, problem: String| findings.push(Finding::problem(place, &problem));
    let (from, to) = (&manifest.from, &manifest.to);
    if from.matches(to) {
        wrong("manifest, from", format!("{from} takes {to} itself, which it makes; end it with `<{to}`"));
    }
    let starts = starts(from);
    if !starts.iter().any(|start| manifest.may_step_from(start)) {
        wrong(
            "manifest, from",
            format!("no version of {from} may step to {to}: they are on different lines, or `crosses` names others"),
        );
    }
    if !starts.iter().any(|start| start < to) {
        wrong("manifest, to", format!("{to} is not after {from}: modules only lead forward"));
    }
    let touches_records =
        [&manifest.rewrites, &manifest.creates, &manifest.drops].iter().any(|names| !names.is_empty());
    if !touches_records && !manifest.files.values().any(|access| *access == Access::ReadWrite) {
        wrong(
            "manifest",
            "it neither rewrites nor creates nor drops any collection, nor writes any file tree".to_owned(),
        );
    }
    findings
}

/// The versions that a requirement begins at.
fn starts(from: &VersionReq) -> Vec<Version> {
    let is_end = |comparator: &&Comparator| matches!(comparator.op, Op::Less | Op::LessEq);
    let number = |part: Option<u64>| part.unwrap_or(0);
    let version =
        |at: &Comparator| Version { pre: at.pre.clone(), ..Version::new(at.major, number(at.minor), number(at.patch)) };
    let starts: Vec<_> = from.comparators.iter().filter(|comparator| !is_end(comparator)).map(version).collect();
    if starts.is_empty() { vec![Version::new(0, 0, 0)] } else { starts }
}

fn check_catalog(granted: &Granted, catalog: &Database, report: &mut CheckReport) -> Result<(), Fault> {
    let after = match evolve(granted, catalog)? {
        Ok(after) => after,
        Err(problem) => {
            report.add(EVOLVES, vec![Finding::problem("evolve, on this catalog", &problem)]);
            return Ok(());
        }
    };
    report.add(EVOLVES, vec![]);
    report.add(FITS, unfit(catalog, &after)?);
    let manifest = granted.manifest();
    let reads = match Reads::of(manifest, catalog) {
        Ok(reads) => reads,
        Err(error) => {
            report.add(READS, vec![Finding::problem("reads, on this catalog", &text_of(&error))]);
            return Ok(());
        }
    };
    if !reads.is_empty() {
        report.add(READS, vec![]);
    }
    let means = made_up(manifest, catalog, &reads)?;
    let taken = |collection: &&Collection| manifest.takes(collection.name.as_str());
    for collection in catalog.collections.iter().filter(taken) {
        let tried = try_on((granted, &means), collection, &after)?;
        report.add(tried.summary(collection), tried.findings);
    }
    Ok(())
}

/// What the module may reach: records made up for what it queries, and file trees that are empty.
fn made_up(manifest: &ModuleManifest, catalog: &Database, reads: &Reads) -> Result<Means, Fault> {
    let is_read = |collection: &&Collection| reads.collections.contains_key(&collection.name);
    let records = |collection: &Collection| (collection.name.clone(), generate::records(collection).concat());
    let records = catalog.collections.iter().filter(is_read).map(records).collect();
    let trees = manifest.files.keys().map(|name| (name.clone(), vec![])).collect();
    let moment = moment(TIMESTAMP).map_err(Fault::system)?;
    Means::new(manifest, Given { input: Some((catalog, reads, &records)), trees, moment })
}

/// When runs on what is made up take place.
const TIMESTAMP: &str = "2026-01-02T03:04:05Z";

/// The catalog that a module makes of one, both times that it is asked.
fn evolve(granted: &Granted, catalog: &Database) -> Result<Result<Database, String>, Fault> {
    let one = unless_interrupted(granted.evolve(catalog))?;
    let two = unless_interrupted(granted.evolve(catalog))?;
    Ok(match (one, two) {
        (Ok(one), Ok(two)) if one == two => Ok(one),
        (Ok(_), Ok(_)) => Err("two runs make different catalogs".to_owned()),
        (Err(error), _) | (_, Err(error)) => Err(text_of(&error)),
    })
}

const EVOLVES: &str = "the catalog evolves as the manifest declares";
const FITS: &str = "its tables, indexes, views and triggers still fit each other";
const READS: &str = "the catalog has what the manifest reads";

/// What the new catalog breaks, by building it empty and in memory, as a host does before it runs anything.
pub(crate) fn unfit(before: &Database, after: &Database) -> Result<Vec<Finding>, Fault> {
    let finding = |found: &Violation| {
        let place = format!("the new catalog, {} {}", found.kind, found.name);
        let advice = match found.kind.as_str() {
            "index" | "view" | "trigger" => "; change it in evolve with replace_object, or drop it",
            _ => "",
        };
        Finding::problem(&place, &tame(&format!("{}{advice}", found.message)))
    };
    Ok(prove_change(before, after)?.iter().map(finding).collect())
}

#[derive(Default)]
struct Tried {
    taken: usize,
    refused: usize,
    findings: Vec<Finding>,
}

impl Tried {
    fn summary(&self, collection: &Collection) -> String {
        let (name, Self { taken, refused, .. }) = (&collection.name, self);
        let all = taken + refused;
        format!("{all} records made up for {name}, each given twice: {taken} taken, {refused} refused by the module")
    }
}

/// Findings told of one collection; one mistake makes many.
const FINDINGS: usize = 5;

/// Each record on its own: a module may well refuse what was made up, and must do so twice.
fn try_on((granted, means): (&Granted, &Means), collection: &Collection, after: &Database) -> Result<Tried, Fault> {
    let mut tried = Tried::default();
    let mut taken = vec![];
    for (number, lines) in (0..).zip(generate::records(collection)) {
        let pieces = [Piece { collection: &collection.name, first: number, lines: &lines }];
        let bench = Bench { granted, means, pieces: &pieces };
        let one = bench.run(Crew::One, &mut Notes::default())?;
        let two = bench.run(Crew::Many, &mut Notes::default())?;
        let place = format!("{}, record {}", collection.name, String::from_utf8_lossy(&lines).trim_end());
        tried.taken += usize::from(one.is_ok());
        tried.refused += usize::from(one.is_err());
        if tried.findings.len() < FINDINGS {
            tried.findings.extend(judge(&place, &one, &two, after));
        }
        if one.is_ok() {
            taken.push((number, lines));
        }
    }
    if tried.findings.is_empty() {
        tried.findings.extend(find_memory((granted, means), collection, &taken)?);
    }
    Ok(tried)
}

/// One instance for all of them shows what it keeps from call to call, next to a fresh one for each.
fn find_memory<'a>(
    (granted, means): (&Granted, &Means),
    collection: &'a Collection,
    taken: &'a [(u64, Vec<u8>)],
) -> Result<Option<Finding>, Fault> {
    let piece = |(first, lines): &'a (u64, Vec<u8>)| Piece { collection: &collection.name, first: *first, lines };
    let pieces: Vec<_> = taken.iter().map(piece).collect();
    let bench = Bench { granted, means, pieces: &pieces };
    let one = bench.run(Crew::One, &mut Notes::default())?;
    let two = bench.run(Crew::Many, &mut Notes::default())?;
    let same = match (&one, &two) {
        (Ok(one), Ok(two)) => one == two,
        (Err(one), Err(two)) => one.to_string() == two.to_string(),
        _ => false,
    };
    let problem = "one instance for all records returns other bytes than one for each: the module keeps something \
                   between calls, which needs `\"ordered\": true`";
    Ok((!same).then(|| Finding::problem(collection.name.as_str(), problem)))
}

fn judge(place: &str, one: &Ending, two: &Ending, after: &Database) -> Option<Finding> {
    match (one, two) {
        (Ok(one), Ok(two)) if one == two => {
            misfit(&one.records, after).map(|problem| Finding::problem(place, &problem))
        }
        (Err(one), Err(two)) if one.to_string() == two.to_string() => None,
        _ => Some(Finding::problem(place, "two runs return different bytes: the module is not deterministic")),
    }
}

/// The first record returned that does not fit the catalog which the module made.
fn misfit(output: &Records, after: &Database) -> Option<String> {
    output.iter().find_map(|(name, lines)| match after.collection(name.as_str()) {
        None => Some(format!("it returns records of {name}, which its catalog does not have")),
        Some(collection) => records::check(collection, lines, |_, _| {})
            .err()
            .map(|error| format!("what it returns does not fit the catalog that it makes: {name}, {error}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(from: &str, to: &str, more: &str) -> Vec<String> {
        let json = format!(
            r#"{{"name": "acme/x", "version": "1.0.0", "application": "x", "rewrites": ["a"], "from": "{from}", "to": "{to}"{more}}}"#
        );
        let manifest = ModuleManifest::parse(json.as_bytes()).unwrap();
        contradictions(&manifest).into_iter().map(|finding| finding.problem).collect()
    }

    #[test]
    fn a_step_that_makes_sense_is_let_pass() {
        assert_eq!(found(">=1.0.0, <1.1.0", "1.1.0", ""), [""; 0]);
        assert_eq!(found("~1.0", "1.1.0", ""), [""; 0]);
        assert_eq!(found(">=1.9.0, <2.0.0", "2.0.0", r#", "crosses": {"from": "1", "to": "2"}"#), [""; 0]);
        assert_eq!(found(">=1.2.0-rc.1, <1.2.0", "1.2.0", ""), [""; 0]);
    }

    #[test]
    fn a_step_in_a_circle_sideways_or_back_is_found() {
        for (from, to, more, part) in [
            ("1.0.0", "1.1.0", "", "takes 1.1.0 itself"),
            (">=1.0.0, <2.0.0", "2.0.0", "", "different lines"),
            (">=0.1.0, <0.2.0", "0.3.0", r#", "crosses": {"from": "0.2", "to": "0.3"}"#, "`crosses` names others"),
            (">=1.2.0, <1.3.0", "1.1.0", "", "only lead forward"),
        ] {
            let found = found(from, to, more);
            assert!(found.iter().any(|problem| problem.contains(part)), "{from} to {to}: {found:?}");
        }
    }
}
