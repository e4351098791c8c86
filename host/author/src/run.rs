//! A module run over a handful of records: the way the pipeline would, in another way, and broken off.

use std::collections::BTreeMap;

use godwit_model::{CollectionName, Fault};
use godwit_sandbox::{Granted, Instance, LogLine, Output, SandboxError};

use crate::means::{Means, Reach};
use crate::trees::Trees;

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

/// What a module returned, its end included, and the file trees that it may write as it left them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Returned {
    pub(crate) records: Records,
    pub(crate) trees: Trees,
}

/// That, or its failure.
pub(crate) type Ending = Result<Returned, SandboxError>;

/// What is noted of a run beside its ending.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) log: Vec<LogLine>,
    /// By the instance that was called last; with [`Crew::One`] by all there is.
    pub(crate) host_calls: u64,
}

/// A module with all that its runs need; each begins from the same.
pub(crate) struct Bench<'a> {
    pub(crate) granted: &'a Granted,
    pub(crate) means: &'a Means,
    pub(crate) pieces: &'a [Piece<'a>],
}

impl Bench<'_> {
    /// One run.
    ///
    /// # Errors
    /// The run was interrupted, or the host could not do its part.
    pub(crate) fn run(&self, crew: Crew, notes: &mut Notes) -> Result<Ending, Fault> {
        let mut worker = Worker::begin(self, crew, None)?;
        let returned = worker.work(notes);
        worker.reach.trouble()?;
        match returned {
            Ok(returned) => Ok(Ok(returned)),
            Err(End::Module(error)) => unless_interrupted(Err(error)),
            Err(End::Host(fault)) => Err(fault),
        }
    }

    /// A run that is broken off at its host call of this number or, where there is none, after its first chunk.
    /// Answers whether it came so far.
    pub(crate) fn break_off(&self, at: Option<u64>) -> Result<bool, Fault> {
        let mut worker = Worker::begin(self, Crew::One, at)?;
        let notes = &mut Notes::default();
        let ended = match at {
            Some(_) => worker.work(notes).map(drop),
            None => worker.transform(&self.pieces[..self.pieces.len().min(1)], notes).map(drop),
        };
        worker.reach.trouble()?;
        match ended {
            Err(End::Host(fault)) => Err(fault),
            Err(End::Module(SandboxError::Interrupted { .. })) => Ok(true),
            Ok(()) | Err(End::Module(_)) => Ok(at.is_none()),
        }
    }
}

/// Whose fault it is that a run ended early.
enum End {
    Module(SandboxError),
    Host(Fault),
}

impl From<SandboxError> for End {
    fn from(error: SandboxError) -> Self {
        Self::Module(error)
    }
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        Self::Host(fault)
    }
}

struct Worker<'a> {
    bench: &'a Bench<'a>,
    reach: Reach<'a>,
    instance: Option<Instance>,
    fresh: bool,
    interrupt_at: Option<u64>,
}

impl<'a> Worker<'a> {
    fn begin(bench: &'a Bench<'a>, crew: Crew, interrupt_at: Option<u64>) -> Result<Self, Fault> {
        let fresh = crew == Crew::Many && !bench.granted.manifest().ordered;
        Ok(Self { bench, reach: bench.means.begin()?, instance: None, fresh, interrupt_at })
    }

    /// As a host does it: file trees can be written in `finish` alone, and `verify` sees the result.
    fn work(&mut self, notes: &mut Notes) -> Result<Returned, End> {
        let mut records = self.transform(self.bench.pieces, notes)?;
        self.reach.set_writable(true);
        let outputs = self.call(notes, Instance::finish)?;
        self.reach.set_writable(false);
        collect(&mut records, outputs);
        self.call(notes, Instance::verify)?;
        Ok(Returned { records, trees: self.reach.trees()? })
    }

    fn transform(&mut self, pieces: &[Piece<'_>], notes: &mut Notes) -> Result<Records, End> {
        let mut records = Records::new();
        for piece in pieces {
            let call =
                |instance: &mut Instance| instance.transform(piece.collection, piece.first, piece.lines.to_vec());
            collect(&mut records, self.call(notes, call)?);
        }
        Ok(records)
    }

    fn call<T>(
        &mut self,
        notes: &mut Notes,
        call: impl FnOnce(&mut Instance) -> Result<T, SandboxError>,
    ) -> Result<T, End> {
        let mut instance = match self.instance.take().filter(|_| !self.fresh) {
            Some(instance) => instance,
            None => self.start()?,
        };
        let result = call(&mut instance);
        notes.log.extend(instance.take_log());
        notes.host_calls = instance.host_calls();
        self.instance = Some(instance);
        Ok(result?)
    }

    fn start(&self) -> Result<Instance, End> {
        let mut instance = self.bench.granted.instantiate_with(self.reach.capabilities()?)?;
        if let Some(call) = self.interrupt_at {
            instance.interrupt_at(call);
        }
        Ok(instance)
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
pub(crate) fn unless_interrupted<T>(result: Result<T, SandboxError>) -> Result<Result<T, SandboxError>, Fault> {
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
