//! The capability `files` in hostile hands.

use serde_json::{Value, json};

use crate::attack::{Attack, attack, restore_all, try_all};
use crate::range::{Range, hostile};

pub(crate) const TABLES: &[&[Attack]] = &[NAMES, PATHS, WRITING, LIMITS, FAILURES];

fn writing(manifest: &mut Value) {
    manifest["files"] = json!({ "config": "read-write" });
}

fn reading(manifest: &mut Value) {
    manifest["files"] = json!({ "config": "read" });
}

const NAMES: &[Attack] = &[
    attack("trees-by-other-names", 0),
    attack("trees-by-other-names", 0).named("tree-declared").declaring(reading),
    attack("trees-in-evolve", 0).declaring(writing),
];

const PATHS: &[Attack] = &[
    attack("tree-paths", 0).declaring(writing),
    attack("tree-odd-names", 0).declaring(writing),
    attack("tree-through-links", 0).declaring(writing),
    attack("tree-renamed", 0).declaring(writing),
    attack("tree-modes", 0).declaring(writing),
    attack("tree-sizes", 0).declaring(writing),
];

const WRITING: &[Attack] = &[
    attack("tree-written-in-transform", 0).declaring(writing),
    attack("tree-written-in-verify", 0).declaring(writing),
    attack("tree-written-in-finish", 0).declaring(writing),
    attack("tree-written-in-finish", 0).named("tree-for-reading-is-written").declaring(reading),
    attack("tree-written-in-finish", 5).named("tree-not-declared-is-written"),
    attack("tree-emptied", 0).declaring(writing),
];

const LIMITS: &[Attack] = &[
    attack("tree-many-files", 0).declaring(writing).with(&["--module-files", "100"]),
    attack("tree-many-bytes", 0).declaring(writing).with(&["--module-file-size", "8"]),
    attack("tree-many-handles", 5).declaring(reading),
    attack("tree-endless-reading", 5).declaring(reading),
    attack("tree-endless-writing", 5).declaring(writing),
];

const FAILURES: &[Attack] = &[
    attack("tree-emptied-then-failing", 5).declaring(writing),
    attack("tree-emptied-then-panicking", 5).declaring(writing),
];

#[test]
fn trees_answer_by_their_names_when_they_may() {
    insta::assert_snapshot!("trees", try_all(NAMES));
}

#[test]
fn no_path_leads_out() {
    insta::assert_snapshot!("tree-paths", try_all(PATHS));
}

#[test]
fn a_tree_is_written_in_finish_where_that_was_granted() {
    insta::assert_snapshot!("tree-writing", try_all(WRITING));
}

#[test]
fn trees_have_limits() {
    insta::assert_snapshot!("tree-limits", try_all(LIMITS));
}

#[test]
fn what_fails_leaves_no_trace_in_files() {
    insta::assert_snapshot!("tree-failures", try_all(FAILURES));
    insta::assert_snapshot!("tree-failures-on-restore", restore_all(&[LIMITS, FAILURES].concat()[2..]));
}

#[test]
fn what_would_be_removed_is_in_the_plan() {
    let range = Range::new(&hostile(writing)).named("tree-emptied, planned");
    let plan = range.run("plan", &["--parameter", "behaviour=tree-emptied"]);
    assert_eq!(plan.status, Some(0), "{}", plan.stderr);
    for path in ["inventory.conf", "secret.key", "sites/dc1.conf", "passwd"] {
        assert!(plan.stdout.contains(path), "{path} is not in it:\n{}", plan.stdout);
    }
}
