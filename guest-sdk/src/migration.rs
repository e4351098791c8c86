//! What a module does, collection by collection.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::Chunk;
use crate::context::Context;
use crate::output::Output;
use crate::record::{self, Record};
use crate::{Catalog, Error, Result, catalog, typed};

type Evolve = Box<dyn FnMut(&mut Catalog) -> Result<()>>;
type Edit = Box<dyn FnMut(&mut Record, &mut Context) -> Result<()>>;
type Typed = Box<dyn FnMut(&[u8], &mut Context) -> Result<()>>;
type Closing = Box<dyn FnMut(&mut Context) -> Result<()>>;

/// What a module does: its change of the catalog, and a transformation for each collection that
/// its manifest declares as rewritten or dropped.
#[derive(Default)]
pub struct Migration {
    evolve: Option<Evolve>,
    handlers: BTreeMap<String, Handler>,
    renamed: BTreeMap<String, String>,
    keys: BTreeMap<String, Vec<String>>,
    finish: Option<Closing>,
    verify: Option<Closing>,
    record: Record,
}

enum Handler {
    Edit(Edit),
    Typed(Typed),
    Pass,
    Drop,
}

impl Migration {
    /// One that changes nothing and takes no record.
    pub fn new() -> Self {
        Self::default()
    }

    /// How the catalog changes. Runs for `godwit plan` too, and sees nothing but the catalog and the parameters.
    pub fn evolve(mut self, evolve: impl FnMut(&mut Catalog) -> Result<()> + 'static) -> Self {
        self.evolve = Some(Box::new(evolve));
        self
    }

    /// Transforms a collection's records field by field: the fast way, and the short one for small changes.
    pub fn edit(self, collection: &str, edit: impl FnMut(&mut Record, &mut Context) -> Result<()> + 'static) -> Self {
        self.handle(collection, Handler::Edit(Box::new(edit)))
    }

    /// Transforms a collection's records from one type to another: the safe way for large changes.
    ///
    /// What is returned may be one record, an `Option` of one, or several as a `Vec` or a tuple.
    pub fn typed<Old, New>(
        self,
        collection: &str,
        mut transform: impl FnMut(Old, &mut Context) -> Result<New> + 'static,
    ) -> Self
    where
        Old: DeserializeOwned,
        New: Serialize,
    {
        let handler = move |line: &[u8], cx: &mut Context| {
            let new = transform(typed::read(line)?, cx)?;
            cx.output.write_own(&new)
        };
        self.handle(collection, Handler::Typed(Box::new(handler)))
    }

    /// Takes the records of a dropped collection and returns none.
    pub fn drop_all(self, collection: &str) -> Self {
        self.handle(collection, Handler::Drop)
    }

    /// The records of a collection go to one of another name: unchanged, unless there is a
    /// transformation too. The manifest drops the one and creates the other.
    pub fn rename(mut self, collection: &str, new: &str) -> Self {
        self.renamed.insert(collection.to_owned(), new.to_owned());
        self.handlers.entry(collection.to_owned()).or_insert(Handler::Pass);
        self
    }

    /// The fields that name a record in messages, where `id` or else the first field does not.
    pub fn key(mut self, collection: &str, fields: &[&str]) -> Self {
        self.keys.insert(collection.to_owned(), fields.iter().map(|&field| field.to_owned()).collect());
        self
    }

    /// Runs once after the last record; may emit more.
    pub fn finish(mut self, finish: impl FnMut(&mut Context) -> Result<()> + 'static) -> Self {
        self.finish = Some(Box::new(finish));
        self
    }

    /// Checks the result before it becomes visible; may not emit.
    pub fn verify(mut self, verify: impl FnMut(&mut Context) -> Result<()> + 'static) -> Self {
        self.verify = Some(Box::new(verify));
        self
    }

    /// # Panics
    /// A second transformation for one collection: one of them would silently never run.
    fn handle(mut self, collection: &str, handler: Handler) -> Self {
        let before = self.handlers.insert(collection.to_owned(), handler);
        assert!(matches!(before, None | Some(Handler::Pass)), "{collection} has two transformations; keep one of them");
        self
    }
}

/// The four calls of the host.
impl Migration {
    pub(crate) fn run_evolve(&mut self, before: &Catalog) -> Result<Catalog> {
        let mut after = before.clone();
        if let Some(evolve) = &mut self.evolve {
            evolve(&mut after)?;
        }
        catalog::warn_of_lost_clauses(before, &after);
        Ok(after)
    }

    pub(crate) fn run_transform(&mut self, chunk: Chunk) -> Result<Vec<Chunk>> {
        let name = &chunk.collection;
        let Some(handler) = self.handlers.get_mut(name) else {
            return Err(no_handler().in_collection(name));
        };
        let into = self.renamed.get(name).unwrap_or(name);
        let mut cx = Context::new(Output::of(into, chunk.records.len()), chunk.first);
        self.record.load(chunk.records);
        while self.record.advance() {
            handler.one(&mut self.record, &mut cx).map_err(|error| {
                let key = record::key_of(self.record.line(), self.keys.get(name).map_or(&[], Vec::as_slice));
                error.at_record(cx.index(), key).in_collection(name)
            })?;
            cx.next_record();
        }
        Ok(cx.output.into_chunks())
    }

    pub(crate) fn run_finish(&mut self) -> Result<Vec<Chunk>> {
        let mut cx = Context::new(Output::nowhere(), 0);
        self.finish.as_mut().map_or(Ok(()), |finish| finish(&mut cx))?;
        Ok(cx.output.into_chunks())
    }

    pub(crate) fn run_verify(&mut self) -> Result<()> {
        let mut cx = Context::new(Output::nowhere(), 0);
        self.verify.as_mut().map_or(Ok(()), |verify| verify(&mut cx))?;
        if cx.output.is_empty() {
            Ok(())
        } else {
            Err(Error::new("verify emitted records, which nobody takes any more; emit them in finish"))
        }
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn collections(&self) -> impl Iterator<Item = &String> {
        self.handlers.keys()
    }
}

impl Handler {
    #[inline]
    fn one(&mut self, record: &mut Record, cx: &mut Context) -> Result<()> {
        match self {
            Self::Edit(edit) => {
                record.open()?;
                edit(record, cx)?;
                record.write(cx.output.own());
            }
            Self::Typed(transform) => transform(record.line(), cx)?,
            Self::Pass => record.copy(cx.output.own()),
            Self::Drop => {}
        }
        Ok(())
    }
}

fn no_handler() -> Error {
    Error::new(
        "the manifest declares this collection as rewritten or dropped, but the migration has no transformation for it; add edit, typed or drop_all",
    )
}
