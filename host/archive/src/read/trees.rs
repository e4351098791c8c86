//! Reading file trees.

use std::io::{self, Read};

use godwit_model::{EntryKind, Fault, TreeEntry, TreeName, TreePath, TreeSource, Visit};

use super::Archive;
use super::content::Content;
use super::lookup::Lookup;
use crate::error::{Damage, Reading, Trouble};
use crate::index::{self, ContentLine, EntryLine};
use crate::limits::LISTING_BYTES_MAX;
use crate::order::TreeOrder;
use crate::{TreeTotals, layout};

impl TreeSource for Archive {
    fn trees(&self) -> Vec<TreeName> {
        self.manifest().trees.iter().map(|totals| totals.name.clone()).collect()
    }

    fn read_tree(&mut self, tree: &TreeName, visit: Visit<'_>) -> Result<(), Fault> {
        let totals = self.tree_totals(tree)?;
        self.explain(self.each_entry(totals, &mut |entry, content| self.pass_on(tree, entry, content, visit)))
    }

    fn read_entry(&mut self, tree: &TreeName, path: &TreePath, visit: Visit<'_>) -> Result<bool, Fault> {
        self.look_up_in(tree)?;
        let found = self.lookup.as_ref().map_or(Ok(None), |lookup| lookup.find(path));
        match self.explain(found)? {
            None => Ok(false),
            Some((entry, content)) => self.explain(self.pass_on(tree, &entry, content.as_ref(), visit)).map(|()| true),
        }
    }
}

/// Takes an entry with, for files, where its content is.
pub(super) type EachEntry<'a> = &'a mut dyn FnMut(&TreeEntry, Option<&ContentLine>) -> Reading<()>;

impl Archive {
    /// Goes through a tree's index, checked: against its digest, in itself, and against the manifest.
    pub(super) fn each_entry(&self, totals: &TreeTotals, each: EachEntry<'_>) -> Reading<()> {
        let path = layout::tree_index(&totals.name);
        let text = self.checked_index(totals)?;
        for line in index::lines::<EntryLine>(&text) {
            let line = line.map_err(|damage| damage.of(&path))?;
            let entry = line.entry().map_err(|damage| damage.of(&path))?;
            each(&entry, line.content.as_ref())?;
        }
        Ok(())
    }

    fn checked_index(&self, totals: &TreeTotals) -> Reading<Vec<u8>> {
        let path = layout::tree_index(&totals.name);
        let text = self.read_listed(&path, LISTING_BYTES_MAX)?;
        check_entries(&text, totals).map_err(|damage| damage.of(&path))?;
        Ok(text)
    }

    fn look_up_in(&mut self, tree: &TreeName) -> Result<(), Fault> {
        if self.lookup.as_ref().is_none_or(|lookup| !lookup.is_of(tree)) {
            // Let go of the one before its successor is read.
            self.lookup = None;
            let index = self.checked_index(self.tree_totals(tree)?);
            self.lookup = Some(self.explain(index.and_then(|text| Lookup::new(tree, text)))?);
        }
        Ok(())
    }

    /// The content of a file of a tree, to be read once.
    pub(super) fn open_content(&self, tree: &TreeName, content: &ContentLine) -> Reading<Content> {
        let stored = self.store.open(&layout::in_tree(tree, &content.file))?;
        stored.expect_length(content.length)?;
        Content::new(stored, content)
    }

    fn pass_on(
        &self,
        tree: &TreeName,
        entry: &TreeEntry,
        content: Option<&ContentLine>,
        visit: Visit<'_>,
    ) -> Reading<()> {
        match content {
            None => Ok(visit(entry, &mut io::empty())?),
            Some(content) => self.visit_file(tree, entry, content, visit),
        }
    }

    fn visit_file(&self, tree: &TreeName, entry: &TreeEntry, line: &ContentLine, visit: Visit<'_>) -> Reading<()> {
        let mut content = self.open_content(tree, line)?;
        let visited = visit(entry, &mut content);
        match (content.close(), visited) {
            (Err(trouble @ Trouble::Damaged { .. }), _) => Err(trouble),
            (_, Err(fault)) => Err(fault.into()),
            (closed, Ok(())) => closed,
        }
    }
}

/// Checks the whole index before anyone acts on its first line.
fn check_entries(text: &[u8], totals: &TreeTotals) -> Result<(), Damage> {
    let mut order = TreeOrder::default();
    let mut found = TreeTotals::none(&totals.name);
    for line in index::lines::<EntryLine>(text) {
        let entry = line?.entry()?;
        let misplaced = |why| Damage::Malformed(format!("the entry {:?}: {why}", entry.path));
        order.accept(&entry.path, entry.kind == EntryKind::Directory).map_err(misplaced)?;
        found.count(&entry.kind);
    }
    if found == *totals {
        Ok(())
    } else {
        Err(Damage::Contradiction("its totals are not those in manifest.json".to_owned()))
    }
}

/// Reads to the end and keeps nothing.
pub(super) fn drain(content: &mut dyn Read) -> io::Result<u64> {
    io::copy(content, &mut io::sink())
}
