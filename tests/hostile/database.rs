//! The capability `database` in hostile hands: `input` and `scratch`.

use serde_json::{Value, json};

use crate::attack::{Attack, attack, restore_all, try_all};

pub(crate) const TABLES: &[&[Attack]] = &[INPUT, INPUT_LIMITS, SCRATCH, NAMES];

fn reading(manifest: &mut Value) {
    manifest["reads"] = json!(["devices.id", "devices.hostname", "users.id"]);
}

fn with_scratch(manifest: &mut Value) {
    manifest["scratch"] = json!(true);
    manifest["ordered"] = json!(true);
}

fn all_of_it(manifest: &mut Value) {
    reading(manifest);
    with_scratch(manifest);
    manifest["target"] = json!({ "devices": "read-write" });
}

const INPUT: &[Attack] = &[
    attack("input-not-declared", 0).declaring(reading),
    attack("input-is-read-only", 0).declaring(reading),
    attack("input-settings", 0).declaring(reading),
    attack("input-clock-and-chance", 0).declaring(reading),
    attack("input-growth", 0).declaring(reading),
    attack("input-statements", 0).declaring(reading).with_room(),
    attack("input-values", 0).declaring(reading).with_room(),
    attack("input-cursors", 0).declaring(reading),
];

const INPUT_LIMITS: &[Attack] = &[
    attack("input-endless-query", 5).declaring(reading),
    attack("input-endless-sort", 5).declaring(reading),
    attack("input-endless-rows", 5).declaring(reading),
    attack("input-endless-rows", 5).declaring(reading).named("input-many-rows").with(&["--module-rows", "25000"]),
    attack("input-slow-functions", 5).declaring(reading),
    attack("input-many-large-values", 0).declaring(reading).with_room(),
    attack("input-many-connections", 5).declaring(reading),
];

const SCRATCH: &[Attack] = &[
    attack("scratch-is-a-database", 0).declaring(with_scratch),
    attack("scratch-has-no-more", 0).declaring(with_scratch).with(&["--module-scratch", "4"]),
    attack("scratch-is-full", 0).declaring(with_scratch).with(&["--module-scratch", "8"]),
    attack("scratch-of-views", 0).declaring(with_scratch),
];

const NAMES: &[Attack] = &[
    attack("connections-by-other-names", 0),
    attack("connections-by-other-names", 0).named("connections-all-declared").declaring(all_of_it),
    attack("connections-in-evolve", 0).declaring(all_of_it),
];

#[test]
fn input_is_what_was_declared_and_read_only() {
    insta::assert_snapshot!("input", try_all(INPUT));
}

#[test]
fn queries_end() {
    insta::assert_snapshot!("input-limits", try_all(INPUT_LIMITS));
}

#[test]
fn scratch_is_private_and_small() {
    insta::assert_snapshot!("scratch", try_all(SCRATCH));
}

#[test]
fn connections_answer_by_their_names_when_they_may() {
    insta::assert_snapshot!("connections", try_all(NAMES));
}

#[test]
fn a_restore_leaves_the_live_application_as_it_was_when_a_query_does_not_end() {
    insta::assert_snapshot!("input-limits-on-restore", restore_all(&INPUT_LIMITS[..1]));
}
