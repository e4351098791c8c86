//! What `godwit.toml` allows a module at most, set by hand.

use std::collections::{BTreeMap, BTreeSet};

use godwit_model::{Access, CollectionName, TreeName, Wish, Wishes, plain};
use serde::Deserialize;

/// `[grants."vendor/name"]`: what is not in it, this module cannot have. It says nothing of the records that a
/// module gets and gives, which every approval shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceiling {
    /// What it may query: `links` covers `links.device_id`.
    #[serde(default)]
    pub read: BTreeSet<String>,
    /// The file trees that it may open.
    #[serde(default)]
    pub files: BTreeMap<TreeName, Access>,
    /// The collections of the live target that it may open.
    #[serde(default)]
    pub target: BTreeMap<CollectionName, Access>,
    /// Whether it may keep a private database.
    #[serde(default)]
    pub scratch: bool,
}

impl Ceiling {
    /// What is wanted beyond it, in words.
    pub fn exceeded_by(&self, wanted: &Wishes) -> Vec<String> {
        self.beyond(wanted).map(|wish| wish.to_string()).collect()
    }

    /// The keys that would have to change for all of it to be allowed, as lines of `godwit.toml`.
    pub fn raised_to(&self, wanted: &Wishes) -> Vec<String> {
        let mut raised = self.clone();
        for wish in self.beyond(wanted) {
            raised.allow(wish);
        }
        let changed = self.lines().into_iter().zip(raised.lines()).filter(|(old, new)| old != new);
        changed.map(|(_, new)| plain(&new)).collect()
    }

    fn beyond<'a>(&self, wanted: &'a Wishes) -> impl Iterator<Item = Wish<'a>> {
        let allowed = Wishes {
            reads: self.read.clone(),
            files: self.files.clone(),
            target: self.target.clone(),
            scratch: self.scratch,
            ..Wishes::default()
        };
        let limited =
            |wish: &Wish<'_>| matches!(wish, Wish::Query(_) | Wish::Tree(..) | Wish::Target(..) | Wish::Scratch);
        wanted.each().filter(limited).filter(move |wish| !allowed.covers(*wish))
    }

    fn allow(&mut self, wish: Wish<'_>) {
        match wish {
            Wish::Query(entry) => _ = self.read.insert(entry.to_owned()),
            Wish::Tree(tree, access) => _ = self.files.insert(tree.clone(), access),
            Wish::Target(collection, access) => _ = self.target.insert(collection.clone(), access),
            Wish::Scratch => self.scratch = true,
            _ => {}
        }
    }

    fn lines(&self) -> [String; 4] {
        let read: Vec<_> = self.read.iter().map(|entry| quoted(entry)).collect();
        let files = self.files.iter().map(|(tree, access)| assigned(tree.as_str(), *access));
        let target = self.target.iter().map(|(collection, access)| assigned(collection.as_str(), *access));
        [
            format!("read = [{}]", read.join(", ")),
            format!("files = {{ {} }}", files.collect::<Vec<_>>().join(", ")),
            format!("target = {{ {} }}", target.collect::<Vec<_>>().join(", ")),
            format!("scratch = {}", self.scratch),
        ]
    }
}

fn assigned(name: &str, access: Access) -> String {
    let is_bare = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let key = if is_bare { name.to_owned() } else { quoted(name) };
    let access = if access == Access::Read { "read" } else { "read-write" };
    format!("{key} = \"{access}\"")
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_is_allowed_and_records_are_not_its_matter() {
        let ceiling: Ceiling = toml::from_str(
            "read = [\"links\", \"devices.id\"]\nfiles = { config = \"read\" }\ntarget = { app_meta = \"read-write\" }\n",
        )
        .unwrap();
        let wanted: Wishes = serde_json::from_str(
            r#"{"rewrites":["users"],"reads":["links.device_id","devices.id","devices.rack"],"indexes":["devices.id"],
                "scratch":true,"files":{"config":"read-write","data":"read"},"target":{"app_meta":"read"}}"#,
        )
        .unwrap();
        let beyond =
            ["query devices.rack", "keep a private scratch database", "write the tree config", "read the tree data"];
        assert_eq!(ceiling.exceeded_by(&wanted), beyond);
        let lines = [
            "read = [\"devices.id\", \"devices.rack\", \"links\"]",
            "files = { config = \"read-write\", data = \"read\" }",
            "scratch = true",
        ];
        assert_eq!(ceiling.raised_to(&wanted), lines);
        let raised: Ceiling = toml::from_str(&lines.join("\n")).unwrap();
        assert_eq!(Ceiling { target: ceiling.target, ..raised }.exceeded_by(&wanted), [""; 0]);
        assert_eq!(Ceiling::default().exceeded_by(&Wishes { rewrites: wanted.rewrites, ..Wishes::default() }), [""; 0]);
    }

    #[test]
    fn a_misspelt_key_is_an_error() {
        for text in ["reads = []", "files = { config = \"write\" }", "scratch = \"yes\"", "target = [\"x\"]"] {
            assert!(toml::from_str::<Ceiling>(text).is_err(), "{text}");
        }
    }
}
