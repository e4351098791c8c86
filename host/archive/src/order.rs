//! The order of a tree's entries: a directory before what is in it, then all of that, and nothing twice.

use std::collections::HashSet;

use godwit_model::TreePath;

/// Watches entries go by. What it accepts can be written without ever passing through a link.
#[derive(Default)]
pub(crate) struct TreeOrder {
    root: HashSet<String>,
    open: Vec<(String, HashSet<String>)>,
}

impl TreeOrder {
    /// Takes note of the next entry.
    ///
    /// # Errors
    /// What is wrong with its place.
    pub(crate) fn accept(&mut self, path: &TreePath, is_directory: bool) -> Result<(), &'static str> {
        let (parent, name) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
        while self.open.last().is_some_and(|(folder, _)| folder != parent) {
            self.open.pop();
        }
        let siblings = match self.open.last_mut() {
            Some((_, siblings)) => siblings,
            None if parent.is_empty() => &mut self.root,
            None => return Err("it does not come right after the directory that it is in"),
        };
        if !siblings.insert(name.to_owned()) {
            return Err("it occurs twice");
        }
        if is_directory {
            self.open.push((path.as_str().to_owned(), HashSet::new()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(entries: &[&str]) -> bool {
        let mut order = TreeOrder::default();
        entries.iter().all(|entry| {
            let path = TreePath::new(entry.trim_end_matches('/')).unwrap();
            order.accept(&path, entry.ends_with('/')).is_ok()
        })
    }

    #[test]
    fn a_directory_comes_before_what_is_in_it() {
        assert!(accepts(&["a/", "a/b/", "a/b/c", "a/d", "e", "f/"]));
        for wrong in [&["a/b"][..], &["a", "a/b"], &["a/", "b", "a/c"], &["a", "a"], &["a/", "a/"], &["a/", "b/c"]] {
            assert!(!accepts(wrong), "{wrong:?}");
        }
    }
}
