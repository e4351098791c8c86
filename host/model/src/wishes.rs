//! What a module asks for: the part of its manifest that an operator approves.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::plain;
use crate::{Access, CollectionName, DatabaseName, ModuleManifest, TreeName};

/// What a module may do, or wants to. The fields are those of [`ModuleManifest`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wishes {
    /// The database that it names as the one it works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseName>,
    /// Collections whose records it gets and gives back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rewrites: BTreeSet<CollectionName>,
    /// Collections that it adds.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub creates: BTreeSet<CollectionName>,
    /// Collections that it removes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub drops: BTreeSet<CollectionName>,
    /// Collections, or `collection.column`, that it queries.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reads: BTreeSet<String>,
    /// `collection.column` of what it reads, each to be given an index.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub indexes: BTreeSet<String>,
    /// Whether it has a private database of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scratch: bool,
    /// Collections of the live target that it looks at or changes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub target: BTreeMap<CollectionName, Access>,
    /// File trees that it opens.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<TreeName, Access>,
}

/// One thing that a module wants to do. Shown, it ends a sentence: it wants to `rewrite users`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish<'a> {
    /// Work on this database and no other.
    Database(&'a DatabaseName),
    /// Change records.
    Rewrite(&'a CollectionName),
    /// Add a collection.
    Create(&'a CollectionName),
    /// Remove a collection.
    Drop(&'a CollectionName),
    /// Query a collection, or `collection.column`.
    Query(&'a str),
    /// Look up by `collection.column`.
    Index(&'a str),
    /// Keep a private database.
    Scratch,
    /// Look at or change a collection of the live target.
    Target(&'a CollectionName, Access),
    /// Read or write a file tree.
    Tree(&'a TreeName, Access),
}

impl Wishes {
    /// What `wanted` has beyond `approved`, in words; nothing where it is the same or less.
    pub fn difference(approved: &Self, wanted: &Self) -> Vec<String> {
        wanted.each().filter(|wish| !approved.covers(*wish)).map(|wish| wish.to_string()).collect()
    }

    /// Every single wish.
    pub fn each(&self) -> impl Iterator<Item = Wish<'_>> {
        let records = self.database.iter().map(Wish::Database);
        let records = records.chain(self.rewrites.iter().map(Wish::Rewrite));
        let records = records.chain(self.creates.iter().map(Wish::Create)).chain(self.drops.iter().map(Wish::Drop));
        let queries = self.reads.iter().map(|entry| Wish::Query(entry));
        let queries = queries.chain(self.indexes.iter().map(|entry| Wish::Index(entry)));
        let queries = queries.chain(self.scratch.then_some(Wish::Scratch));
        let target = self.target.iter().map(|(name, access)| Wish::Target(name, *access));
        records.chain(queries).chain(target).chain(self.files.iter().map(|(name, access)| Wish::Tree(name, *access)))
    }

    /// Whether a wish is among these. What covers `links` covers `links.device_id`, and writing covers reading.
    pub fn covers(&self, wish: Wish<'_>) -> bool {
        match wish {
            Wish::Database(name) => self.database.as_ref() == Some(name),
            Wish::Rewrite(name) => self.rewrites.contains(name),
            Wish::Create(name) => self.creates.contains(name),
            Wish::Drop(name) => self.drops.contains(name),
            Wish::Query(entry) => self.reads.iter().any(|read| is_within(entry, read)),
            Wish::Index(entry) => self.indexes.contains(entry),
            Wish::Scratch => self.scratch,
            Wish::Target(name, access) => self.target.get(name).is_some_and(|allowed| *allowed >= access),
            Wish::Tree(name, access) => self.files.get(name).is_some_and(|allowed| *allowed >= access),
        }
    }
}

fn is_within(entry: &str, whole: &str) -> bool {
    entry.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl ModuleManifest {
    /// What an operator approves.
    pub fn wishes(&self) -> Wishes {
        Wishes {
            database: self.database.clone(),
            rewrites: self.rewrites.clone(),
            creates: self.creates.clone(),
            drops: self.drops.clone(),
            reads: self.reads.clone(),
            indexes: self.indexes.clone(),
            scratch: self.scratch,
            target: self.target.clone(),
            files: self.files.clone(),
        }
    }
}

impl Wish<'_> {
    /// What is done, and to what.
    fn words(self) -> (&'static str, String) {
        match self {
            Self::Database(name) => ("work on", format!("the database {name}")),
            Self::Rewrite(name) => ("rewrite", plain(name.as_str())),
            Self::Create(name) => ("create", plain(name.as_str())),
            Self::Drop(name) => ("drop", plain(name.as_str())),
            Self::Query(entry) => ("query", plain(entry)),
            Self::Index(entry) => ("look up by", plain(entry)),
            Self::Scratch => ("keep", "a private scratch database".to_owned()),
            Self::Target(name, Access::Read) => ("look at", format!("{} in the live target", plain(name.as_str()))),
            Self::Target(name, Access::ReadWrite) => ("change", format!("{} in the live target", plain(name.as_str()))),
            Self::Tree(name, Access::Read) => ("read", format!("the tree {name}")),
            Self::Tree(name, Access::ReadWrite) => ("write", format!("the tree {name}")),
        }
    }
}

impl fmt::Display for Wish<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, object) = self.words();
        write!(f, "{verb} {object}")
    }
}

/// All of it as the end of a sentence: `rewrite devices, users; drop sessions`.
impl fmt::Display for Wishes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<(&str, Vec<String>)> = vec![];
        for (verb, object) in self.each().map(Wish::words) {
            match parts.last_mut() {
                Some((last, objects)) if *last == verb => objects.push(object),
                _ => parts.push((verb, vec![object])),
            }
        }
        let parts: Vec<_> = parts.into_iter().map(|(verb, objects)| format!("{verb} {}", objects.join(", "))).collect();
        f.write_str(&if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(json: &str) -> Wishes {
        serde_json::from_str(json).unwrap()
    }

    fn difference(approved: &str, wanted: &str) -> Vec<String> {
        Wishes::difference(&wishes(approved), &wishes(wanted))
    }

    #[test]
    fn the_same_and_less_are_no_difference() {
        let all = r#"{"database":"main","rewrites":["a"],"creates":["b"],"drops":["c"],"reads":["d"],"indexes":["d.id"],
            "scratch":true,"target":{"e":"read-write"},"files":{"f":"read-write"}}"#;
        assert_eq!(wishes(all).each().count(), 9);
        assert_eq!(difference(all, all), [""; 0]);
        assert_eq!(difference(all, "{}"), [""; 0]);
        assert_eq!(difference(all, r#"{"reads":["d.id"],"target":{"e":"read"},"files":{"f":"read"}}"#), [""; 0]);
    }

    #[test]
    fn everything_more_is_named() {
        let all = r#"{"database":"main","rewrites":["a"],"creates":["b"],"drops":["c"],"reads":["d.x"],"indexes":["d.x"],
            "scratch":true,"target":{"e":"read-write"},"files":{"f":"read-write"}}"#;
        let everything = [
            "work on the database main",
            "rewrite a",
            "create b",
            "drop c",
            "query d.x",
            "look up by d.x",
            "keep a private scratch database",
            "change e in the live target",
            "write the tree f",
        ];
        assert_eq!(difference("{}", all), everything);
        let less = r#"{"database":"other","rewrites":["c"],"creates":["a"],"drops":["b"],"reads":["d.y"],
            "indexes":["d.y"],"target":{"e":"read"},"files":{"f":"read"}}"#;
        assert_eq!(difference(less, all), everything);
        assert_eq!(difference(r#"{"reads":["d.x"]}"#, r#"{"reads":["d"]}"#), ["query d"], "a column is not the whole");
        assert_eq!(difference(r#"{"reads":["link"]}"#, r#"{"reads":["links"]}"#), ["query links"]);
    }

    #[test]
    fn all_of_it_is_one_line() {
        let text = r#"{"rewrites":["a","b"],"drops":["c"],"scratch":true,"files":{"x":"read","y":"read-write"}}"#;
        let said = "rewrite a, b; drop c; keep a private scratch database; read the tree x; write the tree y";
        assert_eq!(wishes(text).to_string(), said);
        assert_eq!(Wishes::default().to_string(), "nothing");
    }

    #[test]
    fn a_name_cannot_act_on_a_terminal() {
        assert_eq!(difference("{}", r#"{"drops":["a\u001b[2J\nb"]}"#), ["drop a\u{fffd}[2J\u{fffd}b"]);
    }
}
