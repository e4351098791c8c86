//! What goes into a case and what comes out of it, held to what the module declares and to the catalogs.

use godwit_model::{Access, Collection, Database, ModuleManifest, Reads, TreeName, records};

use super::folder::{EXPECTED_FILES, FILES};
use super::lines;
use crate::Finding;
use crate::run::{Records, text_of};
use crate::trees::Trees;

/// What the module queries. That it does can be tried only where the shape of the data is known.
pub(super) fn reads(manifest: &ModuleManifest, catalog: Option<&Database>) -> Result<Reads, String> {
    match catalog {
        Some(catalog) => Reads::of(manifest, catalog).map_err(|error| text_of(&error)),
        None if manifest.reads.is_empty() => Ok(Reads::default()),
        None => Err("the module reads collections, which takes a catalog to lay them out by; put a catalog.json \
            into the case, or name one in case.json"
            .to_owned()),
    }
}

/// Input as a host would hand it over: of collections that the module takes or reads, and fit for the catalog.
pub(super) fn input(
    manifest: &ModuleManifest,
    reads: &Reads,
    catalog: Option<&Database>,
    mut input: Records,
) -> Result<Records, String> {
    for (name, lines) in &mut input {
        if !manifest.takes(name.as_str()) && !reads.collections.contains_key(name) {
            return Err(format!(
                "input/ has records of {name}, which the module neither rewrites nor drops nor reads; they would pass untouched, so remove them"
            ));
        }
        let Some(catalog) = catalog else { continue };
        let collection =
            catalog.collection(name.as_str()).ok_or_else(|| format!("the catalog has no collection {name}"))?;
        checked(collection, lines).map_err(|problem| format!("input of {name}, {problem}"))?;
    }
    Ok(input)
}

/// Output held to the catalog that the module made of the old one, as the host does.
pub(super) fn output(catalog: Option<&Database>, mut output: Records) -> Result<Records, Vec<Finding>> {
    let mut findings = vec![];
    for (name, lines) in &mut output {
        let place = format!("what it returns of {name}");
        let collection = catalog.and_then(|catalog| catalog.collection(name.as_str()));
        let result = match (catalog, collection) {
            (Some(_), None) => Err("the catalog that the module makes has no such collection".to_owned()),
            (_, Some(collection)) => checked(collection, lines),
            (None, None) => Ok(()),
        };
        match result.and_then(|()| lines::tidy(lines)) {
            Ok(tidied) => *lines = tidied,
            Err(problem) => findings.push(Finding::problem(&place, &problem)),
        }
    }
    if findings.is_empty() { Ok(output) } else { Err(findings) }
}

/// Checks lines against their collection and puts their keys in order.
fn checked(collection: &Collection, lines: &mut Vec<u8>) -> Result<(), String> {
    let checked = records::check(collection, lines, |_, _| {}).map_err(|error| error.to_string())?;
    if let Some(reordered) = checked.reordered {
        *lines = reordered;
    }
    Ok(())
}

/// Trees that the module opens, and of the expected ones those that it may write.
pub(super) fn trees(manifest: &ModuleManifest, before: &Trees, expected: &Trees) -> Result<(), String> {
    if let Some(name) = before.keys().find(|name| !manifest.files.contains_key(*name)) {
        return Err(format!("{FILES}/ has the tree {name}, which the manifest does not declare; remove it"));
    }
    let why_not = |name: &TreeName| match manifest.files.get(name) {
        Some(Access::ReadWrite) if before.contains_key(name) => None,
        Some(Access::ReadWrite) => Some("of which there is nothing in files/"),
        _ => Some("which the module may not write"),
    };
    match expected.keys().find_map(|name| Some((name, why_not(name)?))) {
        None => Ok(()),
        Some((name, why)) => Err(format!("{EXPECTED_FILES}/ has the tree {name}, {why}; remove it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_has_trees_that_the_module_opens_and_expects_those_that_it_may_write() {
        let text = r#"{"name":"a/b","version":"1.0.0","application":"x","from":"1","to":"1.1.0",
            "files":{"logs":"read","data":"read-write"}}"#;
        let manifest = ModuleManifest::parse(text.as_bytes()).unwrap();
        let of = |names: &[&str]| names.iter().map(|name| (TreeName::new(*name).unwrap(), vec![])).collect::<Trees>();
        let wrong = |before: &[&str], expected: &[&str]| trees(&manifest, &of(before), &of(expected)).unwrap_err();
        assert_eq!(trees(&manifest, &of(&["data", "logs"]), &of(&["data"])), Ok(()));
        assert_eq!(trees(&manifest, &of(&["data"]), &of(&[])), Ok(()));
        assert!(wrong(&["other"], &[]).contains("files/ has the tree other, which the manifest does not declare"));
        assert!(wrong(&["logs"], &["logs"]).contains("the tree logs, which the module may not write"));
        assert!(wrong(&["logs"], &["data"]).contains("the tree data, of which there is nothing in files/"));
    }
}
