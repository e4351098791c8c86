//! All entries below a directory.

use super::{Kind, Stat, Tree};
use crate::Result;

/// One entry of a [`Walk`].
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its path in the tree.
    pub path: String,
    /// Kind, size, mode and time.
    pub stat: Stat,
}

/// Entries, each directory before what is in it. Ends after the first error.
pub struct Walk {
    tree: Tree,
    /// Paths to come, the next one last.
    rest: Vec<String>,
}

impl Walk {
    pub(super) fn new(tree: Tree, path: &str) -> Result<Self> {
        let mut walk = Self { tree, rest: Vec::new() };
        walk.descend(path)?;
        Ok(walk)
    }

    fn descend(&mut self, directory: &str) -> Result<()> {
        let names = self.tree.list(directory)?.into_iter().rev();
        let path = |name: String| if directory.is_empty() { name } else { format!("{directory}/{name}") };
        self.rest.extend(names.map(path));
        Ok(())
    }

    fn enter(&mut self, path: String) -> Result<Entry> {
        let stat = self.tree.stat(&path)?;
        if stat.kind == Kind::Directory {
            self.descend(&path)?;
        }
        Ok(Entry { path, stat })
    }
}

impl Iterator for Walk {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Result<Entry>> {
        let path = self.rest.pop()?;
        let entry = self.enter(path);
        if entry.is_err() {
            self.rest.clear();
        }
        Some(entry)
    }
}
