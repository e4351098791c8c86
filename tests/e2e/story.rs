//! The main job: back up, look, migrate, restore.

use std::fs;
use std::path::Path;
use std::process::Command;

use godwit_tests::{Shop, dump, modules, run, tree};
use serde_json::{Value, json};

fn migrate(shop: &Shop, from: &str, to: &str, version: &str) {
    shop.godwit(&["migrate", from, "--to", version, "-o", to, "--modules", &folder()]).succeeded();
}

fn folder() -> String {
    modules().display().to_string()
}

/// The records of a collection, as an export gives them.
fn records(export: &Path, collection: &str) -> Vec<Value> {
    let text = fs::read_to_string(export.join(format!("main/{collection}.jsonl"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_backup_restored_is_the_same_in_every_part() {
    let shop = Shop::new();
    for archive in ["shop", "shop.tar"] {
        shop.godwit(&["backup", "-o", archive]).succeeded();
        shop.godwit(&["verify", archive]).succeeded();
        shop.godwit(&["verify", archive, "--deep"]).succeeded();
        let copy = Shop::empty("1.0.0");
        copy.godwit(&["restore", &shop.arg(archive)]).succeeded();
        assert_eq!(dump(&shop.database()), dump(&copy.database()), "{archive}");
        assert_eq!(tree(&shop.path("config")), tree(&copy.path("config")), "{archive}");
        let names: Vec<_> = copy.tree().into_keys().filter(|path| !path.contains('/')).collect();
        assert_eq!(names, ["config", "godwit.lock", "godwit.toml", "inventory.db"], "nothing else");
    }
}

#[test]
fn the_story_from_1_0_to_1_2() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    let plan = shop.godwit(&["plan", "old.tar", "--to", "1.2.0", "--modules", &folder()]).succeeded();
    migrate(&shop, "old.tar", "new.tar", "1.2.0");
    let inspected = shop.godwit(&["inspect", "new.tar"]).succeeded();
    super::readable::settings().bind(|| {
        insta::assert_snapshot!("plan", plan);
        insta::assert_snapshot!("inspect", inspected);
    });
    let new = Shop::empty("1.2.0");
    new.godwit(&["restore", &shop.arg("new.tar")]).succeeded();
    assert_eq!(new.query("SELECT value FROM app_meta WHERE key = 'version'"), "1.2.0");
    assert_eq!(new.query("SELECT count(*) FROM device_overview WHERE owner = 'Ada Lindqvist'"), "5");
    assert_eq!(new.query("SELECT city FROM addresses JOIN users u ON u.id = user_id WHERE last_name = 'Aas'"), "Bodø");
}

#[test]
fn the_records_become_what_the_modules_say() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old"]).succeeded();
    migrate(&shop, "old", "new", "1.2.0");
    shop.godwit(&["export", "new", "-o", "records"]).succeeded();
    let found = |collection: &str| records(&shop.path("records"), collection);
    let expected = json!({
        "id": "dev-000001", "name": "sw-dc1-01", "kind": "other", "status": "active", "price_eur": "1299.50",
        "location": { "site": "DC1", "rack": "R08", "unit": 6 }, "owner_id": 2, "notes": null, "serial": "FX07919"
    });
    assert_eq!(found("devices")[0], expected);
    let expected = json!({
        "id": 4, "first_name": "Dolores Ibárruri", "last_name": "Gómez", "email": "dolores@example.com",
        "role": "operator", "created_at": "2024-04-13T08:13:00Z"
    });
    assert_eq!(found("users")[3], expected);
    let expected = json!({
        "id": 2, "device_a": "dev-000003", "device_b": "dev-000015", "speed_mbit": 40000, "cable": "dac",
        "length_m": "3.048"
    });
    assert_eq!(found("links")[1], expected);
    assert!(found("audit_log").iter().all(|entry| entry["action"] != "debug"));
    assert!(!shop.path("records/main/sessions.jsonl").exists());
}

#[test]
fn an_unpacked_archive_needs_no_godwit() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "shop.tar"]).succeeded();
    let script =
        "mkdir plain && tar -xf shop.tar -C plain && cd plain && sha256sum --check --strict --quiet SHA256SUMS";
    run(Command::new("sh").args(["-c", script]).current_dir(shop.dir())).succeeded();
    let listed = fs::read_to_string(shop.path("plain/SHA256SUMS")).unwrap().lines().count();
    let files = tree(&shop.path("plain")).into_values().filter(|what| what.contains(" file ")).count();
    assert_eq!(listed + 2, files, "all but SHA256SUMS and the manifest are listed");
    assert_eq!(fs::read_to_string(shop.path("plain/version")).unwrap(), "1.0.0\n");
}

#[test]
fn migrating_while_restoring_equals_restoring_what_was_migrated() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    migrate(&shop, "old.tar", "new.tar", "1.2.0");
    let (at_once, after) = (Shop::empty("1.2.0"), Shop::empty("1.2.0"));
    at_once.godwit(&["restore", &shop.arg("old.tar"), "--modules", &folder()]).succeeded();
    after.godwit(&["restore", &shop.arg("new.tar")]).succeeded();
    assert_eq!(dump(&at_once.database()), dump(&after.database()));
    assert_eq!(at_once.query("SELECT count(*) FROM devices WHERE id = 'dev-000032'"), "1");
}

#[test]
fn two_steps_equal_one_go() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old"]).succeeded();
    migrate(&shop, "old", "between", "1.1.0");
    migrate(&shop, "between", "stepped", "1.2.0");
    migrate(&shop, "old", "direct", "1.2.0");
    assert_eq!(shop.godwit(&["inspect", "between", "--output", "json"]).json()["manifest"]["data_version"], "1.1.0");
    assert_eq!(tree(&shop.path("stepped")), tree(&shop.path("direct")), "records, catalog, modules and lineage");
}

#[test]
fn the_same_bytes_on_one_worker_and_on_four() {
    let shop = Shop::new();
    shop.sql(&super::while_writing::many_devices(40_000));
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    for (name, workers) in [("one.tar", "1"), ("four.tar", "4"), ("again.tar", "4")] {
        let arguments =
            ["migrate", "old.tar", "--to", "1.2.0", "-o", name, "--modules", &folder(), "--workers", workers];
        shop.godwit(&arguments).succeeded();
    }
    let totals = shop.godwit(&["inspect", "one.tar", "--output", "json"]).json()["manifest"]["collections"].clone();
    let devices = totals.as_array().unwrap().iter().find(|total| total["name"] == "devices").unwrap();
    assert!(devices["chunks"].as_u64() > Some(4), "chunks enough to come out of order: {totals}");
    let one = fs::read(shop.path("one.tar")).unwrap();
    assert!(one == fs::read(shop.path("four.tar")).unwrap() && one == fs::read(shop.path("again.tar")).unwrap());
}
