//! The module `tests/guests/hostile`, one way to misbehave after the other.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::range::{Range, filtered, hostile};

/// One attack. A `plan` must end as `migrate` does.
struct Attack {
    name: &'static str,
    behaviour: &'static str,
    status: i32,
    memory: &'static str,
    manifest: fn(&mut Value),
}

const fn attack(behaviour: &'static str, status: i32) -> Attack {
    Attack { name: behaviour, behaviour, status, memory: "32", manifest: |_| {} }
}

impl Attack {
    /// The guest needs room for what it is up to.
    const fn with_room(self) -> Self {
        Self { memory: "200", ..self }
    }

    const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    const fn declaring(self, manifest: fn(&mut Value)) -> Self {
        Self { manifest, ..self }
    }

    /// Tries it with both commands; answers what was said.
    fn tried(&self) -> String {
        let range = Range::new(&hostile(self.manifest));
        let behaviour = format!("behaviour={}", self.behaviour);
        let options = ["--module-time", "1", "--module-memory", self.memory, "--parameter", &behaviour];
        let plan = range.run("plan", &options);
        assert_eq!(plan.status, Some(self.status), "plan, {}: {}", self.name, filtered(&range, &plan));
        assert!(is_harmless(&plan.stdout), "{}: {:?}", self.name, plan.stdout);
        let migrate = range.run("migrate", &options);
        let said = filtered(&range, &migrate);
        assert_eq!(migrate.status, Some(self.status), "migrate, {}: {said}", self.name);
        assert!(is_harmless(&said), "{}: {said:?}", self.name);
        said
    }
}

/// Nothing in it acts on a terminal.
fn is_harmless(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t')
}

fn try_all(attacks: &[Attack]) -> String {
    let mut text = String::new();
    for attack in attacks {
        let _ = writeln!(text, "## {}\n{}\n", attack.name, attack.tried());
    }
    text
}

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

    let tables = [CARELESS, ENDLESS, RECORDS, CATALOGS, CLOSING];
    let mut claimed: Vec<_> = tables.into_iter().flatten().map(|attack| attack.behaviour).collect();
    let mut there: Vec<_> = hostile_guest::behaviours().map(|(name, _)| name).collect();
    claimed.sort_unstable();
    there.sort_unstable();
    assert_eq!(claimed, there);
}
