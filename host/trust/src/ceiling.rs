//! What `godwit.toml` allows a module at most, set by hand.

use std::collections::{BTreeMap, BTreeSet};

use godwit_model::{Access, CollectionName, TreeName, Wish, Wishes};
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
        let allowed = Wishes {
            reads: self.read.clone(),
            files: self.files.clone(),
            target: self.target.clone(),
            scratch: self.scratch,
            ..Wishes::default()
        };
        let limited =
            |wish: &Wish<'_>| matches!(wish, Wish::Query(_) | Wish::Tree(..) | Wish::Target(..) | Wish::Scratch);
        wanted.each().filter(limited).filter(|wish| !allowed.covers(*wish)).map(|wish| wish.to_string()).collect()
    }
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
        assert_eq!(Ceiling::default().exceeded_by(&Wishes { rewrites: wanted.rewrites, ..Wishes::default() }), [""; 0]);
    }

    #[test]
    fn a_misspelt_key_is_an_error() {
        for text in ["reads = []", "files = { config = \"write\" }", "scratch = \"yes\"", "target = [\"x\"]"] {
            assert!(toml::from_str::<Ceiling>(text).is_err(), "{text}");
        }
    }
}
