//! Modules that see more than their records: what they query, the file trees that they change, and the live
//! target that they check.

use std::fs;

use godwit_tests::{Shop, modules};
use serde_json::{Value, json};

/// An archive of the sample application at 1.0.0.
fn backed_up() -> Shop {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old"]).succeeded();
    shop
}

fn migrated(shop: &Shop, output: &str, more: &[&str]) -> Value {
    let modules = modules().display().to_string();
    let common = ["migrate", "old", "--to", "1.3.0", "-o", output, "--modules", &modules, "--output", "json"];
    let outcome = shop.godwit(&[&common, more].concat());
    let document = outcome.json();
    outcome.succeeded();
    document
}

fn exported(shop: &Shop, archive: &str, collection: &str) -> Vec<Value> {
    let folder = format!("{archive}-exported");
    if !shop.path(&folder).exists() {
        shop.godwit(&["export", archive, "-o", &folder]).succeeded();
    }
    let path = shop.path(&format!("{folder}/main/{collection}.jsonl"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_module_queries_what_those_before_it_made() {
    let shop = backed_up();
    migrated(&shop, "new", &[]);
    let (devices, links) = (exported(&shop, "new", "devices"), exported(&shop, "new", "links"));
    assert!(!devices.is_empty() && !links.is_empty());
    for device in devices {
        // Text keys: those of 1.2, which only the module before makes.
        let id = device["id"].as_str().unwrap();
        let count = links.iter().filter(|link| link["device_a"] == id || link["device_b"] == id).count();
        assert_eq!(device["link_count"], json!(count), "{id}");
    }
}

#[test]
fn a_module_changes_a_file_tree_and_the_plan_shows_it() {
    let shop = backed_up();
    let before = shop.tree();
    let plan =
        shop.godwit(&["plan", "old", "--to", "1.3.0", "--modules", &modules().display().to_string()]).succeeded();
    for shown in [
        "changed  inventory.conf (43 B, was 38 B)",
        "renamed  sites.d (from sites)",
        "works on devices, links of the live target",
    ] {
        assert!(plan.contains(shown), "{plan}");
    }
    let broken = "warning: files config: the link default.conf leads to sites/dc1.conf, which is gone now";
    assert!(plan.contains(broken), "{plan}");
    assert_eq!(shop.tree(), before);

    let document = migrated(&shop, "new", &[]);
    let changes = &document["plan"]["report"]["files"]["config"];
    assert_eq!(changes.as_array().map(Vec::len), Some(2), "{changes}");
    shop.godwit(&["verify", "--deep", "new"]).succeeded();
    shop.godwit(&["export", "new", "-o", "files"]).succeeded();
    let main = fs::read_to_string(shop.path("files/files/config/inventory.conf"));
    assert!(main.is_ok(), "{:?}", shop.tree().keys());
    assert_eq!(main.unwrap(), "host = 127.0.0.1\nport = 8080\ntheme = plain\n");
}

#[test]
fn one_worker_or_several_make_the_same_bytes_of_all_of_it() {
    let shop = backed_up();
    let id = |output: &str, workers: &str| migrated(&shop, output, &["--workers", workers])["id"].clone();
    assert_eq!(id("one", "1"), id("four", "4"));
}

#[test]
fn the_live_target_is_checked_before_anyone_sees_it() {
    let shop = backed_up();
    let fresh = Shop::empty("1.3.0");
    let archive = shop.arg("old");
    let outcome =
        fresh.godwit(&["restore", &archive, "--modules", &modules().display().to_string(), "--output", "json"]);
    let document = outcome.json();
    outcome.succeeded();
    let statements = document["plan"]["report"]["statements"].as_array().unwrap().clone();
    assert_eq!(statements.len(), 1, "{statements:?}");
    assert_eq!(statements[0]["module"], "acme/inventory-1.3");
    assert_eq!(statements[0]["rows_changed"], 0);
    assert_eq!(fresh.query("SELECT sum(link_count) > 0 FROM devices"), "1");
    assert!(fresh.path("config/sites.d/dc1.conf").is_file());
}

#[test]
fn a_cache_that_cannot_be_used_hinders_nobody_who_did_not_ask_for_it() {
    let shop = backed_up();
    shop.write("file", "");
    let mut plan = godwit_tests::godwit();
    plan.current_dir(shop.dir()).env_remove("GODWIT_CACHE").env("XDG_CACHE_HOME", shop.path("file"));
    plan.args(["plan", "old", "--to", "1.1.0", "--modules"]).arg(modules());
    let outcome = godwit_tests::run(&mut plan);
    assert!(outcome.stderr.contains("compiled modules are not kept"), "{}", outcome.stderr);
    outcome.succeeded();
    let asked = shop.godwit(&["plan", "old", "--to", "1.1.0", "--cache", "file"]);
    assert!(asked.failed(6).contains("cache directory"));
}
