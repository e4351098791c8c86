//! A case as its folder has it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use godwit_files::{LiveTrees, TreeSpec};
use godwit_model::{CollectionName, Database, ModuleManifest, TreeName, limits};
use serde::Deserialize;
use serde_json::Value;

use super::lines::tidy;
use crate::build::bounded;
use crate::run::{Records, text_of};
use crate::trees::{self, Trees};
use crate::{AuthorError, shape};

/// A golden case; what is in its folder is read when it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its folder's name.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
}

/// The cases in a folder by name, or those of them that are wanted.
pub fn find(folder: &Path, wanted: &[String]) -> Result<Vec<Case>, AuthorError> {
    let no_case = |problem: String| AuthorError::NoCase { path: folder.to_owned(), problem };
    let mut cases: Vec<_> =
        if folder.is_dir() { list(folder)?.into_iter().filter_map(case_in).collect() } else { vec![] };
    if let Some(missing) = wanted.iter().find(|name| !cases.iter().any(|case| case.name == **name)) {
        return Err(no_case(format!("there is no case {missing}")));
    }
    cases.retain(|case| wanted.is_empty() || wanted.contains(&case.name));
    if cases.is_empty() { Err(no_case("there is no golden case".to_owned())) } else { Ok(cases) }
}

fn case_in(path: PathBuf) -> Option<Case> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    path.join(ABOUT).is_file().then_some(Case { name, path })
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, AuthorError> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<_> = entries.map_err(AuthorError::file("list", folder))?;
    paths.sort();
    Ok(paths)
}

/// `case.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct About {
    pub(super) description: String,
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) timestamp: String,
    pub(super) seed: String,
    pub(super) catalog: Option<Value>,
}

impl Default for About {
    fn default() -> Self {
        Self {
            description: String::new(),
            parameters: BTreeMap::new(),
            timestamp: "2026-01-02T03:04:05Z".to_owned(),
            seed: "0".repeat(16),
            catalog: None,
        }
    }
}

const ABOUT: &str = "case.json";
const CATALOG: &str = "catalog.json";
pub(super) const INPUT: &str = "input";
pub(super) const EXPECTED: &str = "expected";
pub(super) const EXPECTED_ERROR: &str = "expected-error.txt";
pub(super) const FILES: &str = "files";
pub(super) const EXPECTED_FILES: &str = "expected-files";
pub(super) const EXPECTED_CATALOG: &str = "expected-catalog.json";

/// What a case expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expectation {
    None,
    Output { records: Records, trees: Trees },
    Error(String),
}

impl Expectation {
    /// The file trees.
    pub(super) fn trees(&self) -> &Trees {
        static NONE: Trees = Trees::new();
        match self {
            Self::Output { trees, .. } => trees,
            Self::None | Self::Error(_) => &NONE,
        }
    }
}

impl Case {
    pub(super) fn about(&self) -> Result<About, String> {
        let path = self.path.join(ABOUT);
        let json = bounded(&path, limits::METADATA_BYTES_MAX).map_err(|error| text_of(&error))?;
        serde_json::from_slice(&json).map_err(|error| format!("{ABOUT}: {error}"))
    }

    pub(super) fn catalog(&self, about: &About, manifest: &ModuleManifest) -> Result<Option<Database>, String> {
        let file = |path: PathBuf| shape::of_file(&path, manifest).map(Some).map_err(|error| text_of(&error));
        match &about.catalog {
            Some(Value::String(path)) => file(self.path.join(path)),
            Some(value) => shape::of_value(value.clone(), manifest)
                .map(Some)
                .map_err(|problem| format!("{ABOUT}, catalog: {problem}")),
            None if self.has_catalog() => file(self.path.join(CATALOG)),
            None => Ok(None),
        }
    }

    pub(super) fn has_catalog(&self) -> bool {
        self.path.join(CATALOG).is_file()
    }

    pub(super) fn input(&self) -> Result<Records, String> {
        self.records(INPUT)
    }

    pub(super) fn expectation(&self) -> Result<Expectation, String> {
        let error = self.path.join(EXPECTED_ERROR);
        let output = [EXPECTED, EXPECTED_FILES].into_iter().find(|part| self.path.join(part).is_dir());
        match (output, error.is_file()) {
            (Some(part), true) => Err(format!("has both {part}/ and {EXPECTED_ERROR}; remove the one that is wrong")),
            (Some(_), false) => {
                let (records, trees) = (self.records(EXPECTED)?, self.trees(EXPECTED_FILES, 0)?);
                Ok(Expectation::Output { records, trees })
            }
            (None, true) => {
                let text = bounded(&error, limits::METADATA_BYTES_MAX).map_err(|error| text_of(&error))?;
                let text = String::from_utf8(text).map_err(|error| format!("{EXPECTED_ERROR}: {error}"))?;
                if text.trim().is_empty() {
                    Err(format!("{EXPECTED_ERROR} is empty"))
                } else {
                    Ok(Expectation::Error(text))
                }
            }
            (None, false) => Ok(Expectation::None),
        }
    }

    pub(super) fn expected_catalog(&self) -> Result<Option<Value>, String> {
        let path = self.path.join(EXPECTED_CATALOG);
        if !path.is_file() {
            return Ok(None);
        }
        let json = bounded(&path, limits::METADATA_BYTES_MAX).map_err(|error| text_of(&error))?;
        serde_json::from_slice(&json).map(Some).map_err(|error| format!("{EXPECTED_CATALOG}: {error}"))
    }

    /// The file trees in a part of the case, with this as the time of all that is in them.
    pub(super) fn trees(&self, part: &str, modified: i64) -> Result<Trees, String> {
        let folder = self.path.join(part);
        let paths = if folder.is_dir() { list(&folder).map_err(|error| text_of(&error))? } else { vec![] };
        let trees: Result<BTreeMap<_, _>, String> = paths.iter().filter_map(|path| tree_at(part, path)).collect();
        let read = LiveTrees::open(trees?).and_then(|mut live| trees::read(&mut live));
        let read = read.map_err(|fault| format!("{part}/: {}", text_of(&fault)))?;
        Ok(read.into_iter().map(|(name, tree)| (name, trees::as_kept(tree, modified.into()))).collect())
    }

    fn records(&self, part: &str) -> Result<Records, String> {
        let folder = self.path.join(part);
        let paths = if folder.is_dir() { list(&folder).map_err(|error| text_of(&error))? } else { vec![] };
        let mut records = Records::new();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let wrong = |problem: String| format!("{part}/{name}: {problem}");
            let collection = collection_of(&name).map_err(wrong)?;
            let text = bounded(&path, limits::CHUNK_BYTES_MAX as u64).map_err(|error| wrong(text_of(&error)))?;
            records.insert(collection, tidy(&text).map_err(wrong)?);
        }
        Ok(records)
    }
}

/// A tree's folder; what is hidden is none.
fn tree_at(part: &str, path: &Path) -> Option<Result<(TreeName, TreeSpec), String>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if name.starts_with('.') {
        return None;
    }
    let tree = || match path.is_dir() {
        true => TreeName::new(name.clone()).map_err(|error| error.to_string()),
        false => Err("is no folder; a tree is a folder named like it".to_owned()),
    };
    Some(tree().map(|tree| (tree, TreeSpec::whole(path))).map_err(|problem| format!("{part}/{name}: {problem}")))
}

/// The name of a collection's file: what no file system takes amiss stays, other bytes are `%XX`, as in an export.
pub(super) fn file_name(collection: &CollectionName) -> String {
    let escape = |(place, byte): (usize, u8)| match byte {
        b'.' if place > 0 => ".".to_owned(),
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    collection.as_str().bytes().enumerate().map(escape).collect::<String>() + ".jsonl"
}

fn collection_of(file: &str) -> Result<CollectionName, String> {
    let stem = file.strip_suffix(".jsonl").ok_or("a file of records is <collection>.jsonl")?;
    let mut bytes = vec![];
    let mut rest = stem.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| byte == b'%');
        bytes.push(match escaped {
            None => byte,
            Some(digits) => hexadecimal(digits).ok_or("its name has a `%` that no two hexadecimal digits follow")?,
        });
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    let name = String::from_utf8(bytes).map_err(|_| "its name is not UTF-8")?;
    CollectionName::new(name).map_err(|error| error.to_string())
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_leads_back_to_its_collection() {
        for name in ["users", "auth.user_2-x", ".hidden", "../etc/pass wd", "ä%41", "%", " "] {
            let collection = CollectionName::new(name).unwrap();
            let file = file_name(&collection);
            assert!(!file.starts_with('.') && !file.contains('/'), "{file}");
            assert_eq!(collection_of(&file).unwrap(), collection, "{file}");
        }
        for wrong in ["users.json", ".jsonl", "a%G0.jsonl", "a%+1.jsonl"] {
            assert!(collection_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_misspelt_field_is_an_error() {
        let error = serde_json::from_str::<About>(r#"{"parametres": {}}"#).unwrap_err().to_string();
        assert!(error.contains("parametres"), "{error}");
    }
}
