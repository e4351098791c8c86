//! Making what a module returned the expectation.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::SystemTime;

use godwit_files::{Replace, StagedTrees};
use godwit_model::{Database, Fault, Staged, TreeEntry, TreeTarget};
use godwit_sandbox::SandboxError;
use serde_json::Value;

use super::folder::{EXPECTED, EXPECTED_CATALOG, EXPECTED_ERROR, EXPECTED_FILES, Expectation, file_name};
use super::play::Made;
use super::{Case, Outcome};
use crate::run::{Records, text_of};
use crate::trees::Trees;
use crate::{AuthorError, Finding};

/// Writes the expectation anew. Success never silently replaces an error that is expected, nor the
/// other way round: that is a decision, and is made by removing the old expectation.
pub(super) fn write(
    case: &Case,
    before: &Expectation,
    made: &Result<Made, SandboxError>,
    mut findings: Vec<Finding>,
) -> Result<Outcome, Fault> {
    match (before, made) {
        (Expectation::Error(_) | Expectation::None, Err(error)) => {
            let text = text_of(error);
            let first = text.lines().next().unwrap_or_default();
            replace(&case.path.join(EXPECTED_ERROR), format!("{first}\n").as_bytes())?;
        }
        (Expectation::Output { .. } | Expectation::None, Ok(made)) => {
            write_records(&case.path.join(EXPECTED), &made.records)?;
            write_trees(&case.path.join(EXPECTED_FILES), &made.trees)?;
            write_catalog(case, made)?;
        }
        (_, Ok(_)) => {
            findings.push(refusal(EXPECTED_ERROR));
            return Ok(Outcome::Failed(findings));
        }
        (_, Err(_)) => {
            let old = [EXPECTED, EXPECTED_FILES].into_iter().filter(|part| case.path.join(part).is_dir());
            findings.push(refusal(&old.collect::<Vec<_>>().join(" and ")));
            return Ok(Outcome::Failed(findings));
        }
    }
    Ok(Outcome::Blessed)
}

fn refusal(old: &str) -> Finding {
    Finding::problem(
        "--bless",
        &format!("does not turn success into failure or back; if this is right, remove {old} first"),
    )
}

fn write_records(folder: &Path, records: &Records) -> Result<(), AuthorError> {
    fs::create_dir_all(folder).map_err(AuthorError::file("make", folder))?;
    for (name, lines) in records {
        replace(&folder.join(file_name(name)), lines)?;
    }
    let wanted: Vec<_> = records.keys().map(file_name).collect();
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let entries: Vec<_> = entries.map_err(AuthorError::file("list", folder))?;
    let is_other = |path: &&std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        path.extension() == Some("jsonl".as_ref()) && !wanted.contains(&name)
    };
    entries
        .iter()
        .filter(is_other)
        .try_for_each(|path| fs::remove_file(path).map_err(AuthorError::file("remove", path)))
}

/// Each tree whole or not at all.
fn write_trees(folder: &Path, trees: &Trees) -> Result<(), Fault> {
    if trees.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(AuthorError::file("make", folder))?;
    let places = trees.keys().map(|name| (name.clone(), folder.join(name.as_str()))).collect();
    let mut target = StagedTrees::open(places, Replace::Always)?;
    let modified = now();
    for (name, tree) in trees {
        target.begin_tree(name)?;
        for (entry, content) in tree {
            target.write_entry(name, &TreeEntry { modified, ..entry.clone() }, &mut content.as_slice())?;
        }
    }
    target.prepare()?;
    target.commit()?;
    target.settle()
}

/// When the files were written, for whoever looks: no case knows of it.
fn now() -> i128 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i128::try_from(since.as_nanos()).unwrap_or_default()
}

/// A case with a catalog of its own tells what becomes of it; cases that share one need not repeat it.
fn write_catalog(case: &Case, made: &Made) -> Result<(), AuthorError> {
    let path = case.path.join(EXPECTED_CATALOG);
    match &made.catalog {
        Some(catalog) if case.has_catalog() || path.is_file() => {
            replace(&path, format!("{:#}\n", json_of(catalog)).as_bytes())
        }
        _ => Ok(()),
    }
}

pub(super) fn json_of(catalog: &Database) -> Value {
    serde_json::to_value(catalog).expect("a catalog has string keys and no odd values")
}

/// Whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), AuthorError> {
    let partial = path.with_added_extension("partial");
    let written = File::create(&partial)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&partial, path));
    written.map_err(AuthorError::file("write", path))
}
