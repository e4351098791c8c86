//! File trees that are small enough to be held whole, as cases have them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use godwit_model::{EntryKind, Fault, TreeEntry, TreeName, TreeSource, Visit};

use crate::AuthorError;

/// Bytes of content that the trees of a case may have together: people read them.
pub(crate) const TREES_BYTES: u64 = 64 << 20;

/// The entries of a tree, a directory before what is in it, each with its content.
pub(crate) type Tree = Vec<(TreeEntry, Vec<u8>)>;

/// File trees by name.
pub(crate) type Trees = BTreeMap<TreeName, Tree>;

/// The whole of these trees.
///
/// # Errors
/// Those of the source. Refused: they have more content than a case may.
pub(crate) fn read(source: &mut dyn TreeSource) -> Result<Trees, Fault> {
    let mut left = TREES_BYTES;
    let names = source.trees().into_iter();
    names.map(|name| read_one(source, &name, &mut left).map(|tree| (name, tree))).collect()
}

fn read_one(source: &mut dyn TreeSource, name: &TreeName, left: &mut u64) -> Result<Tree, Fault> {
    let mut tree = vec![];
    source.read_tree(name, &mut |entry, content| {
        let size = if let EntryKind::File { size } = entry.kind { size } else { 0 };
        let rest = left.checked_sub(size).ok_or_else(|| AuthorError::TreeTooLarge { tree: name.clone() })?;
        *left = rest;
        let mut bytes = vec![];
        content.take(size).read_to_end(&mut bytes).map_err(Fault::system)?;
        tree.push((entry.clone(), bytes));
        Ok(())
    })?;
    Ok(tree)
}

/// The trees as a source, for every run anew.
pub(crate) struct Held(pub(crate) Trees);

impl TreeSource for Held {
    fn trees(&self) -> Vec<TreeName> {
        self.0.keys().cloned().collect()
    }

    fn read_tree(&mut self, name: &TreeName, visit: Visit<'_>) -> Result<(), Fault> {
        let mut entries = self.0.get(name).into_iter().flatten();
        entries.try_for_each(|(entry, content)| visit(entry, &mut content.as_slice()))
    }
}

/// What Git keeps of a tree: no directory that holds nothing, and of modes whether a file can be run. All
/// else would be as chance had it in the folder at hand.
pub(crate) fn as_kept(tree: Tree, modified: i128) -> Tree {
    let is_directory = |entry: &TreeEntry| entry.kind == EntryKind::Directory;
    let others = tree.iter().filter(|(entry, _)| !is_directory(entry));
    let filled: BTreeSet<String> = others.flat_map(|(entry, _)| above(entry)).map(str::to_owned).collect();
    let kept = tree.into_iter().filter(|(entry, _)| !is_directory(entry) || filled.contains(entry.path.as_str()));
    kept.map(|(entry, content)| (TreeEntry { mode: plain_mode(&entry), modified, ..entry }, content)).collect()
}

/// The directories on the way to it.
fn above(entry: &TreeEntry) -> impl Iterator<Item = &str> {
    let path = entry.path.as_str();
    path.match_indices('/').map(|(end, _)| &path[..end])
}

/// Whether it is a file that can be run.
pub(crate) fn is_executable(entry: &TreeEntry) -> bool {
    matches!(entry.kind, EntryKind::File { .. }) && entry.mode & 0o100 != 0
}

fn plain_mode(entry: &TreeEntry) -> u32 {
    match entry.kind {
        EntryKind::Link { .. } => 0o777,
        EntryKind::Directory => 0o755,
        EntryKind::File { .. } if is_executable(entry) => 0o755,
        EntryKind::File { .. } => 0o644,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use godwit_model::TreePath;

    pub(crate) fn entry(path: &str, kind: EntryKind, mode: u32) -> TreeEntry {
        TreeEntry { path: TreePath::new(path).unwrap(), kind, mode, modified: 7 }
    }

    pub(crate) fn file(path: &str, mode: u32, content: &[u8]) -> (TreeEntry, Vec<u8>) {
        (entry(path, EntryKind::File { size: content.len() as u64 }, mode), content.to_vec())
    }

    #[test]
    fn what_git_forgets_is_forgotten() {
        let directory = |path| (entry(path, EntryKind::Directory, 0o700), vec![]);
        let link = |mode| (entry("l", EntryKind::Link { target: "a".to_owned() }, mode), vec![]);
        let tree = vec![
            directory("a"),
            directory("a/empty"),
            file("a/run", 0o700, b"x"),
            file("ab", 0o600, b"y"),
            directory("b"),
            directory("b/c"),
            link(0o640),
        ];
        let kept = as_kept(tree, 9);
        let shown: Vec<_> = kept.iter().map(|(entry, _)| (entry.path.as_str(), entry.mode, entry.modified)).collect();
        assert_eq!(shown, [("a", 0o755, 9), ("a/run", 0o755, 9), ("ab", 0o644, 9), ("l", 0o777, 9)]);
    }

    #[test]
    fn more_than_a_case_may_hold_is_refused_before_it_is_read() {
        let name = TreeName::new("data").unwrap();
        let large = (entry("a", EntryKind::File { size: TREES_BYTES + 1 }, 0o644), vec![]);
        let mut held = Held(Trees::from([(name, vec![file("0", 0o644, b"x"), large])]));
        let fault = read(&mut held).unwrap_err().to_string();
        assert!(fault.contains("data") && fault.contains("64 MiB"), "{fault}");
    }
}
