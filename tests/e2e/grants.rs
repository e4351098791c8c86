//! No module runs that the operator did not approve, as it is and with what it asks for.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use godwit_tests::{Outcome, Shop, godwit, modules, run, without};
use serde_json::{Value, json};

use super::full_disk::{SmallDisk, limited};
use super::readable::{Refusals, settings};
use super::version_rule::make_modules;

fn folder() -> String {
    modules().display().to_string()
}

/// A shop with an archive of it, where nothing is approved.
fn wary() -> Shop {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    fs::remove_file(shop.path("godwit.lock")).unwrap();
    shop
}

/// One module that differs from that of 1.1 in what its manifest says.
fn module(shop: &Shop, change: Value) -> String {
    make_modules(shop, "modules", &[("one", change)])
}

fn plan(modules: &str) -> Vec<&str> {
    vec!["plan", "old.tar", "--to", "1.1.0", "--modules", modules]
}

fn approve(modules: &str) -> Vec<&str> {
    vec!["grants", "--modules", modules, "--approve", "--allow-unsigned"]
}

#[test]
fn a_module_that_nobody_approved_never_runs() {
    let (shop, modules) = (wary(), folder());
    let mut refusals = Refusals::new();
    let mut case = |name: &str, arguments: &[&str]| {
        refusals.case(&shop, name, &[arguments, &["--modules", &modules]].concat(), 3);
    };
    case("plan an archive", &["plan", "old.tar", "--to", "1.1.0"]);
    case("plan the live application", &["plan", "--to", "1.2.0"]);
    case("migrate", &["migrate", "old.tar", "--to", "1.1.0", "-o", "new.tar"]);
    case("a dry run", &["migrate", "old.tar", "--to", "1.1.0", "-o", "new.tar", "--dry-run"]);
    case("restore", &["restore", "old.tar", "--empty", "--target-version", "1.1.0"]);
    let config = fs::read_to_string(shop.path("godwit.toml")).unwrap();
    shop.write("godwit.toml", &config.replacen("version = \"1.0.0\"", "version = \"1.1.0\"", 1));
    case("restore into the configured version", &["restore", "old.tar", "--empty"]);
    refusals.compare("not-approved");
    let suggested = ["grants", "old.tar", "--to", "1.1.0", "--modules", &modules, "--output", "json"];
    let shown = shop.godwit(&suggested).json();
    assert_eq!(shown["modules"].as_array().unwrap().len(), 1, "exactly the chain: {shown}");
    shop.write("godwit.toml", &config);
    shop.godwit(&["restore", "old.tar", "--empty"]).succeeded();
}

#[test]
fn what_is_shown_is_what_is_approved() {
    let (shop, modules) = (wary(), folder());
    let asks = ["grants", "old.tar", "--to", "1.2.0", "--modules", &modules, "--allow-unsigned"];
    let before = shop.tree();
    let shown = shop.godwit(&asks);
    assert_eq!((shown.status, shop.tree()), (Some(3), before), "showing writes nothing");
    settings().bind(|| insta::assert_snapshot!("grants", shown.stdout));
    shop.godwit(&[&asks[..], &["--approve"]].concat()).succeeded();
    let lock = fs::read_to_string(shop.path("godwit.lock")).unwrap();
    settings().bind(|| insta::assert_snapshot!("lock-file", lock));
    assert!(shop.godwit(&asks).succeeded().contains("all of them are approved"));
    assert!(shop.godwit(&plan(&modules)).succeeded().contains("may rewrite app_meta, devices, users; create"));
    assert!(shop.godwit(&[&asks[..], &["--approve"]].concat()).succeeded().contains("approved already"));
    assert_eq!(fs::read_to_string(shop.path("godwit.lock")).unwrap(), lock, "approving again changes nothing");
}

#[test]
fn without_a_version_all_modules_of_the_application_are_shown() {
    let shop = wary();
    let names = |shop: &Shop| -> Vec<String> {
        let document = shop.godwit(&["grants", "--modules", &folder(), "--output", "json"]).json();
        let modules = document["modules"].as_array().unwrap();
        modules.iter().map(|module| module["manifest"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&shop), ["acme/inventory-1.1", "acme/inventory-1.2", "acme/inventory-1.3"]);
    fs::remove_file(shop.path("godwit.toml")).unwrap();
    assert_eq!(names(&shop).len(), 4, "those of others, where nobody says whose data it is");
}

#[test]
fn a_change_of_the_module_is_refused_with_the_difference() {
    let shop = wary();
    let modules = module(&shop, json!({}));
    shop.godwit(&approve(&modules)).succeeded();
    shop.godwit(&plan(&modules)).succeeded();
    let mut refusals = Refusals::new();
    let mut case = |name: &str, change: Value| {
        let modules = module(&shop, change);
        refusals.case(&shop, name, &plan(&modules), 3);
        assert_eq!(shop.godwit(&["grants", "--modules", &modules]).status, Some(3), "{name}");
    };
    case("the code", json!({ "description": "as good as new" }));
    case("another version", json!({ "version": "0.2.0" }));
    case("fewer wishes", json!({ "drops": [] }));
    case(
        "more wishes",
        json!({
            "reads": ["users.password", "devices.rack"], "files": { "config": "read-write" }, "ordered": true,
            "scratch": true, "target": { "app_meta": "read-write" }
        }),
    );
    refusals.compare("changed");
    let modules = module(&shop, json!({}));
    shop.godwit(&plan(&modules)).succeeded();
}

#[test]
fn a_new_version_takes_the_place_of_the_old_one() {
    let shop = wary();
    shop.godwit(&approve(&module(&shop, json!({})))).succeeded();
    let modules = module(&shop, json!({ "version": "0.2.0" }));
    shop.godwit(&approve(&modules)).succeeded();
    let lock = fs::read_to_string(shop.path("godwit.lock")).unwrap();
    assert!(lock.contains("0.2.0") && !lock.contains("0.1.0"), "{lock}");
}

#[test]
fn what_the_configuration_limits_cannot_be_approved_nor_run() {
    let shop = wary();
    let config = fs::read_to_string(shop.path("godwit.toml")).unwrap();
    let modules =
        module(&shop, json!({ "reads": ["devices.rack", "users.email"], "files": { "config": "read-write" } }));
    shop.godwit(&approve(&modules)).succeeded();
    let limited = |limits: &str| shop.write("godwit.toml", &format!("{config}\n[grants.\"acme/one\"]\n{limits}\n"));
    let mut refusals = Refusals::new();
    limited("read = [\"devices\"]\nfiles = { config = \"read\" }");
    refusals.case(&shop, "a run", &plan(&modules), 3);
    refusals.case(&shop, "an approval", &approve(&modules), 3);
    limited("raed = [\"devices\"]");
    refusals.case(&shop, "a misspelt limit", &plan(&modules), 2);
    refusals.compare("ceiling");
    limited("read = [\"devices\", \"users.email\"]\nfiles = { config = \"read-write\" }");
    let shown = shop.godwit(&["grants", "--modules", &modules]).succeeded();
    assert!(shown.contains("queries       devices.rack, users.email (and nothing else)"), "{shown}");
}

#[test]
fn a_limit_for_a_module_that_is_not_there_is_pointed_out() {
    let shop = wary();
    let config = fs::read_to_string(shop.path("godwit.toml")).unwrap();
    let limits = "[grants.\"acme/inventory-1.l\"]\n[grants.\"acme/inventory-1.2\"]\n[grants.\"other/shop\"]\n";
    shop.write("godwit.toml", &format!("{config}\n{limits}"));
    let warned = shop.godwit(&["grants", "old.tar", "--to", "1.1.0", "--modules", &folder()]).stderr;
    let expected = [
        "warning: [grants.\"acme/inventory-1.l\"] in godwit.toml matches no module here, and limits none; did you mean acme/inventory-1.1?",
        "warning: [grants.\"other/shop\"] in godwit.toml matches no module here, and limits none",
    ];
    assert_eq!(warned.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_revoked_module_does_not_run_any_more() {
    let (shop, modules) = (Shop::new(), folder());
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    shop.godwit(&plan(&modules)).succeeded();
    let said = shop.godwit(&["grants", "--revoke", "acme/inventory-1.1"]).succeeded();
    assert!(said.contains("revoked: acme/inventory-1.1 0.1.0"), "{said}");
    assert!(shop.godwit(&plan(&modules)).failed(3).contains("not approved"));
    let before = shop.tree();
    let both = ["grants", "--revoke", "acme/inventory-1.2", "--revoke", "acme/inventory-1.1"];
    let again = shop.godwit(&both).failed(2);
    assert_eq!(shop.tree(), before, "all of it or nothing");
    assert!(again.contains("no approval of acme/inventory-1.1") && again.contains("acme/inventory-1.2"), "{again}");
}

#[test]
fn a_lock_file_that_cannot_be_used_is_refused_and_left_alone() {
    let (shop, modules) = (Shop::new(), folder());
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    let good = fs::read_to_string(shop.path("godwit.lock")).unwrap();
    let mut refusals = Refusals::new();
    let mut case = |name: &str, lock: &str| {
        shop.write("godwit.lock", lock);
        refusals.case(&shop, name, &plan(&modules), 3);
        for arguments in [&approve(&modules)[..], &["grants", "--modules", &modules], &["grants", "--revoke", "a/b"]] {
            let before = shop.tree();
            shop.godwit(arguments).failed(3);
            assert_eq!(shop.tree(), before, "{name}");
        }
    };
    case("a conflict", &good.replacen("format = 1", "<<<<<<< HEAD\nformat = 1", 1));
    case("a later format", &good.replacen("format = 1", "format = 2", 1));
    case("cut off", &good[..good.len() / 2]);
    case("empty", "");
    case("an unknown wish", &good.replacen("rewrites", "everything", 1));
    case("a digest that is none", &good.replacen("sha256 = \"", "sha256 = \"x", 1));
    case("signed and unsigned", &good.replacen("unsigned = true", "unsigned = false", 1));
    refusals.compare("lock");
    let tampered = good.lines().map(|line| match line.strip_prefix("sha256 = ") {
        Some(_) => format!("sha256 = \"{}\"\n", "0".repeat(64)),
        None => format!("{line}\n"),
    });
    shop.write("godwit.lock", &tampered.collect::<String>());
    assert!(shop.godwit(&plan(&modules)).failed(3).contains("the code changed though the version is still 0.1.0"));
}

#[test]
fn nobody_is_asked_where_nobody_is() {
    let (shop, modules) = (wary(), folder());
    let before = shop.tree();
    let mut grants = godwit();
    grants.current_dir(shop.dir()).args(["grants", "--modules", &modules, "--allow-unsigned"]);
    let closed = run(grants.stdin(Stdio::null()));
    let mut child = grants.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may well be over before it could have read this.
    let _ = child.stdin.take().unwrap().write_all(b"y\ny\n");
    let piped = Outcome::from(child.wait_with_output().unwrap());
    for outcome in [closed, piped] {
        assert_eq!(outcome.status, Some(3), "{}", outcome.stderr);
        assert!(!outcome.stdout.contains("[y/N]") && outcome.stdout.contains("to approve them: godwit grants"));
    }
    assert_eq!(shop.tree(), before);
}

/// Runs `godwit grants` at a terminal of its own, with an answer typed once it asks.
fn at_a_terminal(shop: &Shop, options: &str, answer: &str) -> Option<Outcome> {
    let is_there = Command::new("script").arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        return without("the program script");
    }
    let program = godwit();
    let line = format!("{} grants --modules {} {options}", program.get_program().display(), folder());
    let mut script = Command::new("script");
    script.args(["-q", "-e", "-c", &line, "/dev/null"]).current_dir(shop.dir());
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let asked = said_until(&mut child, "[y/N] ");
    // One that asks nothing is over already.
    let _ = child.stdin.take().unwrap().write_all(answer.as_bytes());
    let mut outcome = Outcome::from(child.wait_with_output().unwrap());
    outcome.stdout.insert_str(0, &asked);
    Some(outcome)
}

fn said_until(child: &mut Child, end: &str) -> String {
    let (mut said, mut byte) = (vec![], [0]);
    while !said.ends_with(end.as_bytes()) && child.stdout.as_mut().unwrap().read(&mut byte).unwrap() == 1 {
        said.push(byte[0]);
    }
    String::from_utf8(said).unwrap()
}

#[test]
fn a_person_is_asked_once() {
    let shop = wary();
    let question = "Approve these 3 modules, none of them signed by a trusted key? [y/N]";
    let (no, yes) = ("nothing was approved", "approved 3 modules; godwit.lock says so now");
    for (answer, status, said) in [("n\n", 3, no), ("\n", 3, no), ("\u{4}", 3, no), ("yes\n", 0, yes)] {
        let Some(outcome) = at_a_terminal(&shop, "--allow-unsigned", answer) else { return };
        assert_eq!(outcome.status, Some(status), "{answer:?}: {}", outcome.stdout);
        assert_eq!(outcome.stdout.matches(question).count(), 1, "{}", outcome.stdout);
        assert!(outcome.stdout.lines().any(|line| line.starts_with(said)), "{answer:?}: {}", outcome.stdout);
        assert_eq!(shop.path("godwit.lock").exists(), status == 0);
    }
    shop.godwit(&plan(&folder())).succeeded();
    let again = at_a_terminal(&shop, "", "y\n").unwrap();
    assert!(again.status == Some(0) && !again.stdout.contains("[y/N]"), "{}", again.stdout);
}

#[test]
fn one_interrupt_ends_the_question() {
    let shop = wary();
    let before = shop.tree();
    let Some(outcome) = at_a_terminal(&shop, "--allow-unsigned", "\u{3}") else { return };
    assert_eq!(outcome.status, Some(130), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("error: interrupted; nothing was approved"), "{}", outcome.stdout);
    assert_eq!(shop.tree(), before);
}

#[test]
fn what_cannot_be_approved_is_not_asked_about() {
    let shop = wary();
    let Some(outcome) = at_a_terminal(&shop, "", "y\n") else { return };
    assert_eq!(outcome.status, Some(3), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("[y/N]") && outcome.stdout.contains("--allow-unsigned"), "{}", outcome.stdout);
}

#[test]
fn a_lock_file_that_cannot_be_written_leaves_the_old_one() {
    let (shop, modules) = (Shop::new(), folder());
    shop.godwit(&["grants", "--revoke", "acme/inventory-1.1"]).succeeded();
    let before = shop.tree();
    let said = limited(&shop, 0, &approve(&modules)).failed(6);
    assert!(said.contains("cannot write") && said.contains("godwit.lock"), "{said}");
    assert_eq!(shop.tree(), before, "nothing changed, nothing left behind");
    let elsewhere = [&["--config", "missing/godwit.toml"], &approve(&modules)[..]].concat();
    assert!(shop.godwit(&elsewhere).failed(6).contains("missing/godwit.lock"));
}

#[test]
fn a_folder_that_is_read_only_is_said() {
    let Some(disk) = SmallDisk::mounted(1).or_else(|| without("the right to mount a small file system")) else {
        return;
    };
    run(Command::new("mount").args(["-o", "remount,ro"]).arg(&disk.at)).succeeded();
    let mut grants = godwit();
    let outcome = run(grants.current_dir(&disk.at).args(approve(&folder())));
    let said = outcome.failed(6);
    assert!(said.contains("Read-only file system"), "{said}");
}

#[test]
fn the_lock_lies_beside_the_configuration() {
    let shop = wary();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut grants = godwit();
    grants.current_dir(elsewhere.path()).arg("--config").arg(shop.path("godwit.toml")).args(approve(&folder()));
    let said = run(&mut grants).succeeded();
    assert!(said.contains(&shop.arg("godwit.lock")), "{said}");
    assert!(!Path::new(&elsewhere.path().join("godwit.lock")).exists());
    shop.godwit(&plan(&folder())).succeeded();
}
