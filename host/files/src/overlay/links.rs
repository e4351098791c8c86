//! Links that lead nowhere any more.

use godwit_model::TreePath;

use super::state::TreeState;
use super::tree::{Body, Directory};

/// A link whose end a module moved or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenLink {
    /// The link.
    pub path: TreePath,
    /// Where in the tree it led.
    pub end: TreePath,
}

impl TreeState {
    /// Links of this state whose end was there in an earlier one and is not any more, in the order of their paths. Those
    /// that lead out of the tree are not followed, and so not judged.
    pub fn links_broken_since(&self, before: &Self) -> Vec<BrokenLink> {
        let mut broken = vec![];
        if self.changed {
            look_for_links(&self.root, &mut vec![], &mut |parents, name, target| {
                let Some(end) = end_of(parents, target) else { return };
                if before.has(&end) && !self.has(&end) {
                    let path = TreePath::new([parents, &[name]].concat().join("/"));
                    let end = TreePath::new(end.join("/"));
                    broken.extend(path.ok().zip(end.ok()).map(|(path, end)| BrokenLink { path, end }));
                }
            });
        }
        broken
    }

    fn has(&self, parts: &[&str]) -> bool {
        matches!(self.root.find(parts), Ok(Some(_)))
    }
}

fn look_for_links<'a>(
    directory: &'a Directory,
    parents: &mut Vec<&'a str>,
    found: &mut impl FnMut(&[&'a str], &'a str, &'a str),
) {
    for (name, node) in &directory.entries {
        match &node.body {
            Body::Link(target) => found(parents, name, target),
            Body::Directory(below) => {
                parents.push(name);
                look_for_links(below, parents, found);
                parents.pop();
            }
            Body::File(_) => {}
        }
    }
}

/// The parts of the path that a link in a directory leads to, by its text alone.
fn end_of<'a>(parents: &[&'a str], target: &'a str) -> Option<Vec<&'a str>> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts = parents.to_vec();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(parts).filter(|parts| !parts.is_empty())
}
