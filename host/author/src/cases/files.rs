//! The difference between file trees, line by line where a file is text.

use std::collections::{BTreeMap, BTreeSet};

use godwit_model::{Digest, EntryKind, TreeEntry, TreeName, TreePath};

use crate::Finding;
use crate::trees::{Tree, Trees, is_executable};

/// Compares the trees that are in both. Directories are there for what is in them, and of modes only
/// whether a file can be run matters: Git keeps no more.
pub(super) fn compare(expected: &Trees, got: &Trees) -> Vec<Finding> {
    let none = Tree::new();
    let tree = |(name, expected): (&TreeName, &Tree)| trees(name, expected, got.get(name).unwrap_or(&none));
    expected.iter().flat_map(tree).collect()
}

type Entries<'a> = BTreeMap<&'a TreePath, Entry<'a>>;

#[derive(Clone, Copy)]
struct Entry<'a> {
    entry: &'a TreeEntry,
    content: &'a [u8],
}

fn trees(name: &TreeName, expected: &Tree, got: &Tree) -> Vec<Finding> {
    let (old, new) = (entries(expected), entries(got));
    let paths: BTreeSet<_> = old.keys().chain(new.keys()).copied().collect();
    let differences = |path: &TreePath| {
        let place = format!("the tree {name}, {path}");
        match (old.get(path).copied(), new.get(path).copied()) {
            (Some(old), Some(new)) if old.is_file() && new.is_file() => files(&place, old, new),
            (old, new) => others(&place, old, new),
        }
    };
    paths.into_iter().flat_map(differences).collect()
}

fn entries(tree: &Tree) -> Entries<'_> {
    let kept = tree.iter().filter(|(entry, _)| entry.kind != EntryKind::Directory);
    kept.map(|(entry, content)| (&entry.path, Entry { entry, content })).collect()
}

impl Entry<'_> {
    fn is_file(self) -> bool {
        matches!(self.entry.kind, EntryKind::File { .. })
    }

    fn describe(self) -> String {
        match &self.entry.kind {
            EntryKind::File { .. } => match text(self.content) {
                Some(text) => format!("a file of {} lines", text.lines().count()),
                None => sum(self.content),
            },
            EntryKind::Directory => "a directory".to_owned(),
            EntryKind::Link { target } => format!("a link to {target}"),
        }
    }
}

fn others(place: &str, old: Option<Entry<'_>>, new: Option<Entry<'_>>) -> Vec<Finding> {
    let (old, new) = (old.map(Entry::describe), new.map(Entry::describe));
    if old == new { vec![] } else { vec![Finding::different(place, old.as_deref(), new.as_deref())] }
}

fn files(place: &str, old: Entry<'_>, new: Entry<'_>) -> Vec<Finding> {
    let mut findings = match (text(old.content), text(new.content)) {
        _ if old.content == new.content => vec![],
        (Some(old), Some(new)) => lines(place, old, new),
        _ => vec![Finding::different(place, Some(&sum(old.content)), Some(&sum(new.content)))],
    };
    let mode = |entry: Entry<'_>| if is_executable(entry.entry) { "can be run" } else { "cannot be run" };
    if mode(old) != mode(new) {
        findings.push(Finding::different(&format!("{place}, its mode"), Some(mode(old)), Some(mode(new))));
    }
    findings
}

fn text(content: &[u8]) -> Option<&str> {
    std::str::from_utf8(content).ok().filter(|text| !text.contains('\0'))
}

fn sum(content: &[u8]) -> String {
    format!("{} bytes, sha256 {}", content.len(), Digest::of(content).short())
}

/// The lines between those that are the same at the beginning and at the end, one above the other. Quoted, for
/// they may differ in their ends only.
fn lines(place: &str, old: &str, new: &str) -> Vec<Finding> {
    let (old, new): (Vec<_>, Vec<_>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let start = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[start..], &new[start..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[..old.len() - end], &new[..new.len() - end]);
    let shown = |line: Option<&&str>| line.map(|line| format!("{line:?}"));
    let line = |number: usize| {
        let (old, new) = (shown(old.get(number)), shown(new.get(number)));
        let place = format!("{place}, line {}", start + number + 1);
        (old != new).then(|| Finding::different(&place, old.as_deref(), new.as_deref()))
    };
    (0..old.len().max(new.len())).filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trees::tests::{entry, file};

    fn told(expected: Tree, got: Tree) -> Vec<String> {
        let trees = |tree| Trees::from([(TreeName::new("config").unwrap(), tree)]);
        let tell = |finding: Finding| {
            let shown = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
            let place = finding.place.strip_prefix("the tree config, ").unwrap();
            format!("{place}: {} | {}", shown(finding.expected), shown(finding.got))
        };
        compare(&trees(expected), &trees(got)).into_iter().map(tell).collect()
    }

    #[test]
    fn text_is_told_by_its_lines() {
        let one = |content: &str| vec![file("a.conf", 0o644, content.as_bytes())];
        assert!(told(one("a\nb\n"), one("a\nb\n")).is_empty());
        assert_eq!(
            told(one("a\nhost = x\nport = 1\nz\n"), one("a\nlisten = x:1\nz\n")),
            [r#"a.conf, line 2: "host = x\n" | "listen = x:1\n""#, r#"a.conf, line 3: "port = 1\n" | nothing"#]
        );
        assert_eq!(told(one("a\nb"), one("a\nb\n")), [r#"a.conf, line 2: "b" | "b\n""#]);
        assert_eq!(told(one("a\na\n"), one("a\n")), [r#"a.conf, line 2: "a\n" | nothing"#]);
    }

    #[test]
    fn what_is_no_text_is_told_by_size_and_digest() {
        let one = |content: &[u8]| vec![file("a", 0o644, content)];
        let found = told(one(b"\0"), one(b"\0\0"));
        assert!(found.len() == 1 && found[0].starts_with("a: 1 bytes, sha256 6e340b9c"), "{found:?}");
        assert!(found[0].contains(" | 2 bytes, sha256 96a296d2"), "{found:?}");
    }

    #[test]
    fn of_modes_only_whether_a_file_can_be_run_matters() {
        let one = |mode| vec![file("run", mode, b"x")];
        assert!(told(one(0o644), one(0o600)).is_empty());
        assert_eq!(told(one(0o755), one(0o644)), ["run, its mode: can be run | cannot be run"]);
    }

    #[test]
    fn entries_of_another_kind_and_entries_of_one_side_are_told() {
        let link = |target: &str| (entry("b", EntryKind::Link { target: target.to_owned() }, 0o777), vec![]);
        let directory = || (entry("d", EntryKind::Directory, 0o755), vec![]);
        assert_eq!(
            told(
                vec![file("a", 0o644, b"1\n2\n"), link("x"), directory()],
                vec![file("b", 0o644, b""), file("c", 0o644, b"\xff")]
            ),
            [
                "a: a file of 2 lines | nothing",
                "b: a link to x | a file of 0 lines",
                "c: nothing | 1 bytes, sha256 a8100ae6aa19"
            ]
        );
        assert_eq!(told(vec![link("x")], vec![link("y")]), ["b: a link to x | a link to y"]);
    }
}
