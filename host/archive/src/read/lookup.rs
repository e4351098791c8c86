//! Straight to one entry of a tree: the index, checked once and kept, and where in it each path is.

use std::hash::{BuildHasher, RandomState};

use godwit_model::{TreeEntry, TreeName, TreePath};

use crate::error::{Damage, Reading};
use crate::index::{self, ContentLine, EntryLine};
use crate::layout;

/// The index of one tree as it was when its digest was checked: about as much memory as the index is
/// long, and 16 bytes an entry.
pub(super) struct Lookup {
    tree: TreeName,
    text: Vec<u8>,
    /// Hash of the path and where its line begins, sorted.
    places: Vec<(u64, usize)>,
    state: RandomState,
}

impl Lookup {
    /// Of a text that was checked.
    pub(super) fn new(tree: &TreeName, text: Vec<u8>) -> Reading<Self> {
        let state = RandomState::new();
        let mut at = 0;
        let mut places = vec![];
        for (line, length) in index::lines::<EntryLine>(&text).zip(lengths(&text)) {
            let line = line.map_err(|damage| damage.of(&layout::tree_index(tree)))?;
            places.push((state.hash_one(&line.path), at));
            at += length;
        }
        places.sort_unstable();
        Ok(Self { tree: tree.clone(), text, places, state })
    }

    pub(super) fn is_of(&self, tree: &TreeName) -> bool {
        self.tree == *tree
    }

    /// The entry with, for files, where its content is.
    pub(super) fn find(&self, path: &TreePath) -> Reading<Option<(TreeEntry, Option<ContentLine>)>> {
        let hash = self.state.hash_one(path);
        let first = self.places.partition_point(|(other, _)| *other < hash);
        for (_, at) in self.places[first..].iter().take_while(|(other, _)| *other == hash) {
            let line = self.line(*at).map_err(|damage| damage.of(&layout::tree_index(&self.tree)))?;
            if line.path == *path {
                let entry = line.entry().map_err(|damage| damage.of(&layout::tree_index(&self.tree)))?;
                return Ok(Some((entry, line.content)));
            }
        }
        Ok(None)
    }

    fn line(&self, at: usize) -> Result<EntryLine, Damage> {
        let cut = || Damage::Malformed(format!("no line begins at byte {at}"));
        index::lines(&self.text[at..]).next().ok_or_else(cut)?
    }
}

fn lengths(text: &[u8]) -> impl Iterator<Item = usize> {
    text.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::len)
}
