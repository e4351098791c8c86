//! Whether a module gives the same for the same, however it is run.

use godwit_model::{Database, Digest, Fault};
use godwit_sandbox::{Module, SandboxError};

use super::{Case, diff, files, lines};
use crate::Finding;
use crate::run::{Bench, Records, Returned, text_of};

/// What a run of a case came to.
pub(super) type Run = Result<(Option<Database>, Returned), SandboxError>;

/// Two runs that should be alike, in words.
pub(super) struct Pair<'a> {
    /// Which.
    pub(super) place: &'a str,
    /// What it means that they are not.
    pub(super) advice: &'a str,
}

/// One instance, and a fresh one for each call.
pub(super) const CREWS: Pair<'static> = Pair {
    place: "two runs of the same input",
    advice: "differ: the module keeps something between calls, which needs \"ordered\": true in its manifest",
};

/// Runs the module once more after a run that was broken off somewhere and thrown away. Where is the same every
/// time for the same case and module.
pub(super) fn after_interruption(
    bench: &Bench<'_>,
    (case, module): (&Case, &Module),
    host_calls: u64,
    run: impl FnOnce() -> Result<Run, Fault>,
    first: &Run,
) -> Result<Vec<Finding>, Fault> {
    let at = somewhere(case, module).checked_rem(host_calls);
    let place = match at {
        Some(at) => format!("a run after one that was interrupted at host call {} of {host_calls}", at + 1),
        None => "a run after one that was ended after its first chunk".to_owned(),
    };
    if !bench.break_off(at)? {
        return Ok(vec![Finding::problem(&place, "cannot be tried: the same run, begun again, never made that call")]);
    }
    let advice = "differs from the run before: something of the one that was interrupted is still there";
    Ok(Pair { place: &place, advice }.differences(first, &run()?))
}

fn somewhere(case: &Case, module: &Module) -> u64 {
    let digest = Digest::of(&[case.name.as_bytes(), module.digest.as_bytes()].concat());
    digest.as_bytes().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl Pair<'_> {
    /// Where the two differ.
    pub(super) fn differences(&self, one: &Run, other: &Run) -> Vec<Finding> {
        match (one, other) {
            (Ok((one, _)), Ok((other, _))) if one != other => {
                vec![Finding::problem(self.place, "differ in the catalog that they make")]
            }
            (Ok((_, one)), Ok((_, other))) if one != other => {
                let mut findings = vec![Finding::problem(self.place, self.advice)];
                let records = tidied(&one.records).zip(tidied(&other.records));
                findings.extend(records.map(|(one, other)| diff::records(&one, &other, None)).unwrap_or_default());
                findings.extend(files::compare(&one.trees, &other.trees));
                findings
            }
            (Ok(_), Ok(_)) => vec![],
            (one, other) => self.errors(&error_of(one), &error_of(other)),
        }
    }

    fn errors(&self, one: &str, other: &str) -> Vec<Finding> {
        if one == other {
            return vec![];
        }
        vec![Finding::problem(self.place, self.advice), Finding::different(self.place, Some(one), Some(other))]
    }
}

fn error_of(run: &Run) -> String {
    run.as_ref().err().map_or_else(|| "no error".to_owned(), |error| text_of(error))
}

fn tidied(records: &Records) -> Option<Records> {
    records.iter().map(|(name, lines)| Some((name.clone(), lines::tidy(lines).ok()?))).collect()
}
