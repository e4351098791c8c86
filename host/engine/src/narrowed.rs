//! A source of records, some of its collections left out.

use godwit_model::{Catalog, Chunk, CollectionId, Emit, Fault, RecordSource};

/// The records of some collections only; the catalog stays whole.
pub(crate) struct Narrowed<'a> {
    source: &'a mut dyn RecordSource,
    keeps: &'a (dyn Fn(&CollectionId) -> bool + Sync),
}

impl<'a> Narrowed<'a> {
    pub(crate) fn new(source: &'a mut dyn RecordSource, keeps: &'a (dyn Fn(&CollectionId) -> bool + Sync)) -> Self {
        Self { source, keeps }
    }
}

impl RecordSource for Narrowed<'_> {
    fn catalog(&self) -> &Catalog {
        self.source.catalog()
    }

    fn read(&mut self, collection: &CollectionId, emit: Emit<'_, Chunk>) -> Result<(), Fault> {
        if (self.keeps)(collection) { self.source.read(collection, emit) } else { Ok(()) }
    }

    fn estimate(&self, collection: &CollectionId) -> Option<u64> {
        if (self.keeps)(collection) { self.source.estimate(collection) } else { Some(0) }
    }
}
