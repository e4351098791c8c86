//! The live target in hostile hands. Whatever fails leaves the live application exactly as it was; `Range::run`
//! sees to that.

use serde_json::{Value, json};

use crate::attack::{Attack, attack, restore_all, try_all};
use crate::range::{Range, filtered, hostile};

pub(crate) const TABLES: &[&[Attack]] = &[GRANTS, FAILURES, ELSEWHERE];

fn granted(manifest: &mut Value) {
    manifest["target"] = json!({ "devices": "read-write", "users": "read" });
}

const GRANTS: &[Attack] = &[
    attack("target-not-granted", 0).declaring(granted),
    attack("target-is-no-playground", 0).declaring(granted),
    attack("target-is-changed", 0).declaring(granted),
    attack("target-is-changed", 0).named("target-not-asked-for"),
    attack("target-is-changed", 0)
        .named("target-for-reading")
        .declaring(|manifest| manifest["target"] = json!({ "devices": "read" })),
    attack("target-forged-statement", 0).declaring(granted),
    attack("target-slow-functions", 0).declaring(granted),
];

const FAILURES: &[Attack] = &[
    attack("target-is-emptied", 5).declaring(granted),
    attack("target-broken-reference", 5).declaring(granted),
    attack("target-rolled-back", 5).declaring(granted),
    attack("target-changed-then-failing", 5).declaring(granted),
    attack("target-changed-then-panicking", 5).declaring(granted),
    attack("target-endless-statement", 5).declaring(granted),
    attack("target-endless-statements", 5).declaring(granted),
];

/// Without a live target.
const ELSEWHERE: &[Attack] = &[attack("target-opens", 0).declaring(granted)];

#[test]
fn the_target_is_what_was_granted() {
    insta::assert_snapshot!("target", restore_all(GRANTS));
}

#[test]
fn what_fails_in_the_target_leaves_it_as_it_was() {
    insta::assert_snapshot!("target-failures", restore_all(FAILURES));
}

#[test]
fn there_is_no_target_where_an_archive_is_made() {
    insta::assert_snapshot!("target-elsewhere", try_all(ELSEWHERE));
}

#[test]
fn only_the_last_module_gets_the_target() {
    let range = Range::live(&hostile(granted)).named("target-in-the-middle");
    let second = hostile(|manifest| {
        granted(manifest);
        manifest["name"] = json!("evil/second");
        manifest["from"] = json!(">=1.1.0, <1.2.0");
        manifest["to"] = json!("1.2.0");
    });
    range.add("second", &second);
    let options = ["--target-version", "1.2.0", "--parameter", "behaviour=target-opens"];
    let restore = range.run("restore", &options);
    let said = filtered(&range, &restore);
    assert_eq!(restore.status, Some(0), "{said}");
    insta::assert_snapshot!("target-in-the-middle", said);
}

#[test]
fn statements_on_the_target_are_reported() {
    let range = Range::live(&hostile(granted)).named("target-is-reported");
    let ended = range.run("restore", &["--output", "json", "--parameter", "behaviour=target-forged-statement"]);
    let document: Value = serde_json::from_str(&ended.stdout).unwrap();
    let statements = &document["plan"]["report"]["statements"];
    assert_eq!(statements[0]["module"], "evil/hostile", "{document}");
    assert_eq!(statements[0]["sql"], "SELECT 1 /* \u{fffd}[2J error: all is lost\u{fffd} */", "{document}");
}
