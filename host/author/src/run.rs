//! A module run over a handful of records, the way the pipeline would and in another way.

use std::collections::BTreeMap;

use godwit_model::CollectionName;
use godwit_sandbox::{Granted, Instance, LogLine, Output, SandboxError};

/// JSON lines by collection.
pub(crate) type Records = BTreeMap<CollectionName, Vec<u8>>;

/// Consecutive records of one collection.
pub(crate) struct Piece<'a> {
    pub(crate) collection: &'a CollectionName,
    pub(crate) first: u64,
    pub(crate) lines: &'a [u8],
}

/// How many instances do the work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crew {
    /// One does it all.
    One,
    /// A fresh one for each call. For a module that needs its chunks in order the same as [`Crew::One`].
    Many,
}

/// What a module returned, its end included; or its failure. Its log lines go to `log`.
pub(crate) fn run(
    granted: &Granted,
    pieces: &[Piece<'_>],
    crew: Crew,
    log: &mut Vec<LogLine>,
) -> Result<Records, SandboxError> {
    let mut worker = Worker { granted, instance: None, fresh: crew == Crew::Many && !granted.manifest().ordered };
    let mut records = Records::new();
    for piece in pieces {
        let call = |instance: &mut Instance| instance.transform(piece.collection, piece.first, piece.lines.to_vec());
        collect(&mut records, worker.call(log, call)?);
    }
    collect(&mut records, worker.call(log, Instance::finish)?);
    worker.call(log, Instance::verify)?;
    Ok(records)
}

struct Worker<'a> {
    granted: &'a Granted,
    instance: Option<Instance>,
    fresh: bool,
}

impl Worker<'_> {
    fn call<T>(
        &mut self,
        log: &mut Vec<LogLine>,
        call: impl FnOnce(&mut Instance) -> Result<T, SandboxError>,
    ) -> Result<T, SandboxError> {
        let mut instance = match self.instance.take().filter(|_| !self.fresh) {
            Some(instance) => instance,
            None => self.granted.instantiate()?,
        };
        let result = call(&mut instance);
        log.extend(instance.take_log());
        self.instance = Some(instance);
        result
    }
}

fn collect(records: &mut Records, outputs: Vec<Output>) {
    for output in outputs {
        records.entry(output.collection).or_default().extend(output.lines);
    }
}

/// Cuts records in two, so that a module which keeps something between calls shows it.
pub(crate) fn halves<'a>(collection: &'a CollectionName, lines: &'a [u8]) -> Vec<Piece<'a>> {
    let ends: Vec<_> = lines.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    let half = ends.len().div_ceil(2);
    let middle = if half == 0 { 0 } else { ends[half - 1] };
    let piece = |first, lines| Piece { collection, first, lines };
    [piece(0, &lines[..middle]), piece(half as u64, &lines[middle..])]
        .into_iter()
        .filter(|piece| !piece.lines.is_empty())
        .collect()
}

/// An interruption is nobody's failure and ends everything; what else went wrong is for the report.
pub(crate) fn unless_interrupted<T>(
    result: Result<T, SandboxError>,
) -> Result<Result<T, SandboxError>, godwit_model::Fault> {
    match result {
        Err(error @ (SandboxError::Interrupted { .. } | SandboxError::Engine(_))) => Err(error.into()),
        other => Ok(other),
    }
}

/// The whole text of what went wrong.
pub(crate) fn text_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |&error| error.source()).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = text + ": " + &cause;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_cut_between_lines() {
        let name = CollectionName::new("users").unwrap();
        let cut = |text: &'static str| {
            halves(&name, text.as_bytes())
                .iter()
                .map(|piece| (piece.first, String::from_utf8_lossy(piece.lines).into_owned()))
                .collect::<Vec<_>>()
        };
        let two = |first: &str, at: u64, second: &str| vec![(0, first.to_owned()), (at, second.to_owned())];
        assert_eq!(cut(""), []);
        assert_eq!(cut("{}\n"), [(0, "{}\n".to_owned())]);
        assert_eq!(cut("1\n22\n"), two("1\n", 1, "22\n"));
        assert_eq!(cut("1\n22\n333\n"), two("1\n22\n", 2, "333\n"));
    }
}
