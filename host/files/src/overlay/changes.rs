//! What became of a tree, for the report.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use godwit_model::TreePath;
use serde::Serialize;

use super::state::TreeState;
use super::tree::{Body, Content, Directory, Node};
use crate::scratch::ScratchFile;

/// What became of one path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TreeChange {
    /// Where; for what was removed, where it was.
    pub path: TreePath,
    /// What happened there.
    pub what: ChangeKind,
    /// The path it had before, where it was renamed. What is in a directory goes with it unmentioned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<TreePath>,
    /// Bytes of a file's content before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Bytes of a file's content after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// What happened at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It is gone.
    Removed,
    /// It is new.
    Added,
    /// It has its content from elsewhere, unchanged.
    Renamed,
    /// It has other content.
    Changed,
    /// It has another mode.
    Mode,
}

impl TreeState {
    /// What became of each path since an earlier state of the same tree, sorted. A file counts as changed
    /// when it was written, be it with the bytes it had; one both moved and written as removed and added.
    pub fn changes_since(&self, before: &Self) -> Vec<TreeChange> {
        let mut comparison = Comparison::default();
        comparison.directories(&before.root, &self.root, "");
        comparison.finish()
    }
}

#[derive(Default)]
struct Comparison<'a> {
    removed: Vec<(String, &'a Node)>,
    added: Vec<(String, &'a Node)>,
    changes: Vec<TreeChange>,
}

/// By what an entry is known under another path.
#[derive(PartialEq, Eq, Hash)]
enum Identity<'a> {
    Base(&'a TreePath),
    Own(*const ScratchFile),
    Directory(*const Directory),
    Link(*const u8),
}

impl<'a> Identity<'a> {
    fn of(node: &'a Node) -> Self {
        match &node.body {
            Body::Directory(directory) => Self::Directory(Arc::as_ptr(directory)),
            Body::Link(target) => Self::Link(target.as_ptr()),
            Body::File(file) => match &file.content {
                Content::Base(path) => Self::Base(path),
                Content::Own(own) => Self::Own(Arc::as_ptr(own)),
            },
        }
    }
}

type Gone<'a> = HashMap<Identity<'a>, (String, &'a Node)>;

impl<'a> Comparison<'a> {
    fn directories(&mut self, before: &'a Arc<Directory>, after: &'a Arc<Directory>, path: &str) {
        if Arc::ptr_eq(before, after) {
            return;
        }
        for (name, node) in &before.entries {
            match after.entries.get(name) {
                Some(now) => self.nodes(node, now, &below(path, name)),
                None => self.removed.push((below(path, name), node)),
            }
        }
        let new = after.entries.iter().filter(|(name, _)| !before.entries.contains_key(*name));
        self.added.extend(new.map(|(name, node)| (below(path, name), node)));
    }

    fn nodes(&mut self, before: &'a Node, after: &'a Node, path: &str) {
        let is_changed = match (&before.body, &after.body) {
            (Body::Directory(one), Body::Directory(other)) => {
                self.directories(one, other, path);
                false
            }
            (Body::Link(one), Body::Link(other)) => one != other,
            (Body::File(one), Body::File(other)) => {
                Identity::of(before) != Identity::of(after) && (one.size, other.size) != (0, 0)
            }
            _ => {
                self.removed.push((path.to_owned(), before));
                self.added.push((path.to_owned(), after));
                return;
            }
        };
        if is_changed {
            self.note(path, ChangeKind::Changed, Some(before), Some(after));
        }
        self.mode(path, before, after);
    }

    fn mode(&mut self, path: &str, before: &Node, after: &Node) {
        if before.mode != after.mode {
            self.note(path, ChangeKind::Mode, Some(before), Some(after));
        }
    }

    fn finish(mut self) -> Vec<TreeChange> {
        let (removed, added) = (std::mem::take(&mut self.removed), std::mem::take(&mut self.added));
        let mut gone = Gone::new();
        each(&removed, &mut |path, node| {
            gone.insert(Identity::of(node), (path.to_owned(), node));
            true
        });
        let mut moved = HashSet::new();
        each(&added, &mut |path, node| self.appeared(path, node, &gone, &mut moved));
        each(&removed, &mut |path, node| {
            let stays_away = !moved.contains(path);
            if stays_away {
                self.note(path, ChangeKind::Removed, Some(node), None);
            }
            stays_away
        });
        self.changes.sort_unstable();
        self.changes
    }

    /// Answers whether what is in it is to be looked at too.
    fn appeared(&mut self, path: &str, node: &Node, gone: &Gone<'_>, moved: &mut HashSet<String>) -> bool {
        let Some((from, before)) = gone.get(&Identity::of(node)) else {
            self.note(path, ChangeKind::Added, None, Some(node));
            return true;
        };
        self.note(path, ChangeKind::Renamed, Some(before), Some(node));
        if let Some(renamed) = self.changes.last_mut() {
            renamed.from = Some(tree_path(from));
        }
        self.mode(path, before, node);
        moved.insert(from.clone());
        false
    }

    fn note(&mut self, path: &str, what: ChangeKind, before: Option<&Node>, after: Option<&Node>) {
        let size = |node: Option<&Node>| node.and_then(|node| node.file().ok()).map(|file| file.size);
        let (before, after) = (size(before), size(after));
        self.changes.push(TreeChange { path: tree_path(path), what, from: None, before, after });
    }
}

/// Visits entries, a directory before what is in it, and that only where the visitor says so.
fn each<'a>(nodes: &[(String, &'a Node)], visit: &mut dyn FnMut(&str, &'a Node) -> bool) {
    for (path, node) in nodes {
        if visit(path, node)
            && let Body::Directory(directory) = &node.body
        {
            let inside: Vec<_> = directory.entries.iter().map(|(name, node)| (below(path, name), node)).collect();
            each(&inside, visit);
        }
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

fn tree_path(path: &str) -> TreePath {
    TreePath::new(path).expect("a state holds paths that were checked when they came in")
}
