//! The module `tests/guests/hostile`, one way to misbehave after the other.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use crate::attack::{Attack, attack, try_all};
use crate::{database, repeated, target, trees};

const CARELESS: &[Attack] = &[
    attack("panic", 5),
    attack("panic-after-many-log-lines", 5),
    attack("divide-by-zero", 5),
    attack("abort", 5),
    attack("wild-pointer", 5),
    attack("recursion", 5),
    attack("hoard", 5),
    attack("gulp", 5),
    attack("panic-after-refused-memory", 5),
    attack("huge-log-line", 0),
    attack("million-log-lines", 0),
    attack("forged-log-line", 0),
    attack("dropped-output", 5).declaring(|manifest| manifest["drops"] = json!(["sessions"])),
    attack("undeclared-parameter", 0),
    attack("run-values", 0),
    attack("state", 0).declaring(|manifest| manifest["ordered"] = json!(true)),
    attack("evolve-panics", 5),
    attack("evolve-warns", 0),
];

const ENDLESS: &[Attack] = &[
    attack("endless-transform", 5),
    attack("endless-evolve", 5),
    attack("endless-finish", 5),
    attack("endless-verify", 5),
];

const RECORDS: &[Attack] = &[
    attack("malformed-json", 5),
    attack("not-json", 5),
    attack("no-line-feed", 5),
    attack("invalid-utf8", 5),
    attack("empty-chunk", 0),
    attack("blank-line", 5),
    attack("undeclared-output", 5),
    attack("unknown-output", 5),
    attack("nameless-output", 5),
    attack("wrong-type", 5),
    attack("huge-integer", 5),
    attack("null-in-not-null", 5),
    attack("missing-field", 5),
    attack("unknown-field", 5),
    attack("control-characters-in-field", 5),
    attack("duplicate-field", 5),
    attack("duplicate-key", 5),
    attack("dangling-reference", 5),
    attack("control-characters-in-key", 5),
    attack("huge-record", 0).with_room(),
    attack("nested-too-deeply", 5),
    attack("too-much-output", 5).with_room(),
    attack("many-chunks", 0),
    attack("shouting-failure", 5),
    attack("wordless-failure", 5),
];

const CATALOGS: &[Attack] = &[
    attack("changes-undeclared", 5),
    attack("creates-undeclared", 5),
    attack("drops-undeclared", 5),
    attack("same-collection-twice", 5),
    attack("duplicate-column", 5),
    attack("no-columns", 5),
    attack("key-on-missing-column", 5),
    attack("control-characters-in-missing-key", 5),
    attack("nul-in-name", 5),
    attack("control-characters-in-column", 5),
    attack("long-name", 5),
    attack("other-engine", 5),
    attack("object-of-unknown-kind", 5),
    attack("object-that-is-no-create", 5),
    attack("object-of-another-name", 5),
    attack("object-for-another-kind", 5),
    attack("two-statements", 5),
    attack("attach", 5),
    attack("vacuum-into", 5),
    attack("pragma", 5),
    attack("table-from-select", 5),
    attack("definition-of-another-table", 5),
    attack("definition-with-other-columns", 5),
    attack("view-that-loads-code", 5),
    attack("forbidden-virtual-table", 5),
    attack("endless-view", 0),
    attack("laughing-views", 5),
    attack("column-that-a-view-uses", 5),
    attack("column-that-a-trigger-uses", 5),
    attack("many-collections", 5).with_room(),
    attack("many-columns", 5).with_room(),
    attack("huge-definition", 0),
    attack("failing-evolve", 5),
];

const CLOSING: &[Attack] = &[
    attack("failing-finish", 5),
    attack("finish-emits", 0),
    attack("finish-emits-undeclared", 5),
    attack("failing-verify", 5),
];

const PROMISES: &[Attack] = &[
    attack("none", 0),
    attack("none", 5).named("creates-nothing").declaring(|manifest| manifest["creates"] = json!(["racks"])),
    attack("none", 5).named("creates-what-is-there").declaring(|manifest| manifest["creates"] = json!(["users"])),
    attack("none", 5).named("drops-nothing").declaring(|manifest| manifest["drops"] = json!(["sessions"])),
    attack("none", 5).named("drops-what-is-not-there").declaring(|manifest| manifest["drops"] = json!(["racks"])),
    attack("none", 5)
        .named("rewrites-what-is-not-there")
        .declaring(|manifest| manifest["rewrites"] = json!(["devices", "racks"])),
    attack("none", 3).named("for-another-database").declaring(|manifest| manifest["database"] = json!("other")),
    attack("none", 3).named("for-another-application").declaring(|manifest| manifest["application"] = json!("netbox")),
    attack("none", 2).named("needs-a-parameter").declaring(|manifest| {
        manifest["parameters"]["needed\u{1b}[2J"] = json!({ "description": "Whether\nerror: or\u{1b}[31m not." });
    }),
    attack("no-such-behaviour", 5),
];

#[test]
fn careless_modules_are_stopped() {
    insta::assert_snapshot!("careless", try_all(CARELESS));
}

#[test]
fn endless_loops_end() {
    insta::assert_snapshot!("endless", try_all(ENDLESS));
}

#[test]
fn records_that_break_the_rules_are_refused() {
    insta::assert_snapshot!("records", try_all(RECORDS));
}

#[test]
fn catalogs_that_break_the_rules_are_refused() {
    insta::assert_snapshot!("catalogs", try_all(CATALOGS));
}

#[test]
fn what_fails_after_the_last_record_fails_the_run() {
    insta::assert_snapshot!("closing", try_all(CLOSING));
}

#[test]
fn promises_of_a_manifest_are_kept() {
    insta::assert_snapshot!("promises", try_all(PROMISES));
}

#[test]
fn every_guest_and_every_behaviour_is_claimed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests");
    let guests: BTreeSet<_> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(guests, BTreeSet::from(["hostile".to_owned()]), "a new guest needs a table of its own");

    let tables = [&[CARELESS, ENDLESS, RECORDS, CATALOGS, CLOSING], database::TABLES, target::TABLES, trees::TABLES];
    let tried = tables.concat().concat().into_iter().map(|attack| attack.behaviour);
    let claimed: BTreeSet<_> = tried.chain(repeated::BEHAVIOURS.iter().copied()).collect();
    let there: Vec<_> = hostile_guest::behaviours().map(|(name, _)| name).collect();
    assert_eq!(claimed, there.iter().copied().collect());
    assert_eq!(claimed.len(), there.len(), "two behaviours have one name");
}
