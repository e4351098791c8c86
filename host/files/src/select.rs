//! Which entries of a tree are meant.

use std::cell::Cell;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};
use godwit_model::TreeName;

use crate::FilesError;

/// The globs of one tree.
///
/// A glob without `/` matches a name at any depth, one with `/` a path from the root of the tree;
/// `*` stops at `/`, `**` does not. One that ends in `/` matches directories only. What matches
/// stands for all that is in it; exclusion wins.
pub(crate) struct Selection {
    include: Vec<Rule>,
    exclude: Vec<Rule>,
}

/// What the globs say of one entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is meant, and what is in it unless excluded.
    In,
    /// It is excluded with all that is in it.
    Out,
    /// It is not meant, but something in it may be.
    Perhaps,
}

struct Rule {
    written: String,
    matcher: GlobMatcher,
    directories_only: bool,
    matched: Cell<bool>,
}

impl Selection {
    pub(crate) fn new(tree: &TreeName, include: &[String], exclude: &[String]) -> Result<Self, FilesError> {
        let rules = |globs: &[String]| globs.iter().map(|glob| Rule::new(tree, glob)).collect::<Result<_, _>>();
        Ok(Self { include: rules(include)?, exclude: rules(exclude)? })
    }

    /// Whether the entry is meant, given whether the directory it is in was.
    pub(crate) fn judge(&self, path: &Path, is_directory: bool, inside: bool) -> Verdict {
        // Every rule is asked, so that each knows whether it ever matched.
        let any = |rules: &[Rule]| rules.iter().filter(|rule| rule.matches(path, is_directory)).count() > 0;
        if any(&self.exclude) {
            Verdict::Out
        } else if any(&self.include) || inside || self.include.is_empty() {
            Verdict::In
        } else {
            Verdict::Perhaps
        }
    }

    /// Globs to include that matched nothing yet.
    pub(crate) fn idle(&self) -> impl Iterator<Item = &str> {
        self.include.iter().filter(|rule| !rule.matched.get()).map(|rule| rule.written.as_str())
    }
}

impl Rule {
    fn new(tree: &TreeName, written: &str) -> Result<Self, FilesError> {
        let wrong = |problem: String| FilesError::Pattern { tree: tree.clone(), pattern: written.to_owned(), problem };
        let path = written.strip_suffix('/').unwrap_or(written);
        let anchored = path.strip_prefix('/').unwrap_or(path);
        if anchored.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(wrong("it has an empty, `.` or `..` part, and no path in the tree has".to_owned()));
        }
        let glob = if path.contains('/') { anchored.to_owned() } else { format!("**/{path}") };
        let matcher = GlobBuilder::new(&glob)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|error| wrong(error.kind().to_string()))?
            .compile_matcher();
        let directories_only = written.ends_with('/');
        Ok(Self { written: written.to_owned(), matcher, directories_only, matched: Cell::new(false) })
    }

    fn matches(&self, path: &Path, is_directory: bool) -> bool {
        let matches = (is_directory || !self.directories_only) && self.matcher.is_match(path);
        self.matched.set(self.matched.get() || matches);
        matches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(include: &[&str], exclude: &[&str]) -> Result<Selection, FilesError> {
        let owned = |globs: &[&str]| globs.iter().map(|&glob| glob.to_owned()).collect::<Vec<_>>();
        Selection::new(&TreeName::new("t").unwrap(), &owned(include), &owned(exclude))
    }

    #[test]
    fn a_bare_name_matches_at_any_depth_and_a_path_from_the_root() {
        let selection = selection(&[], &["*.log", "/top", "cache/**", "tmp/"]).unwrap();
        let out = |path: &str, directory| selection.judge(Path::new(path), directory, true) == Verdict::Out;
        assert!(out("a.log", false) && out("x/y/a.log", false));
        assert!(out("top", false) && !out("x/top", false));
        assert!(out("cache/x", false) && !out("cache", true) && !out("x/cache/y", false));
        assert!(out("x/tmp", true) && !out("x/tmp", false));
    }

    #[test]
    fn inclusion_reaches_down_and_exclusion_wins() {
        let selection = selection(&["uploads", "etc/*.conf"], &["*.bak"]).unwrap();
        let judge = |path: &str, inside| selection.judge(Path::new(path), false, inside);
        assert_eq!(judge("uploads", false), Verdict::In);
        assert_eq!(judge("uploads/a", true), Verdict::In);
        assert_eq!(judge("uploads/a.bak", true), Verdict::Out);
        assert_eq!(judge("etc", false), Verdict::Perhaps);
        assert_eq!(selection.idle().collect::<Vec<_>>(), ["etc/*.conf"]);
        assert_eq!(judge("etc/a.conf", false), Verdict::In);
        assert_eq!(judge("etc/sub/a.conf", false), Verdict::Perhaps);
        assert_eq!(selection.idle().count(), 0);
    }

    #[test]
    fn globs_that_can_match_nothing_are_refused() {
        for glob in ["", "/", "../x", "a//b", "./a", "[", "a/.."] {
            assert!(selection(&[], &[glob]).is_err(), "{glob:?}");
        }
    }
}
