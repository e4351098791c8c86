//! What scripts rely on: one JSON document, a quiet run, a log, exit statuses.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use godwit_tests::{Shop, godwit, modules, run};
use serde_json::Value;

#[test]
fn every_command_gives_one_document() {
    let shop = Shop::new();
    let modules = modules().display().to_string();
    let commands: [&[&str]; 10] = [
        &["init", "sqlite://inventory.db", "--config", "other.toml"],
        &["backup", "-o", "old.tar"],
        &["inspect", "old.tar"],
        &["verify", "old.tar"],
        &["plan", "old.tar", "--to", "1.2.0", "--modules", &modules],
        &["plan", "--to", "1.2.0", "--modules", &modules],
        &["migrate", "old.tar", "--to", "1.2.0", "-o", "new.tar", "--modules", &modules],
        &["restore", "old.tar", "--empty"],
        &["export", "old.tar", "-o", "records"],
        &["export", "-o", "live", "--dry-run"],
    ];
    for arguments in commands {
        let outcome = shop.godwit(&[arguments, &["--output", "json"]].concat());
        assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert_eq!(outcome.json()["command"], arguments[0], "{arguments:?}");
    }
}

#[test]
fn an_error_is_a_document_too() {
    let shop = Shop::new();
    let cases: [(&[&str], i32); 6] = [
        (&["backup", "--config", "missing.toml"], 2),
        (&["verify", "missing.tar"], 2),
        (&["verify", "godwit.toml"], 4),
        (&["init", "sqlite://inventory.db"], 3),
        (&["plan", "--to", "1.1.0"], 3),
        (&["backup", "-o", "missing/new.tar"], 2),
    ];
    for (arguments, status) in cases {
        let outcome = shop.godwit(&[arguments, &["--output", "json"]].concat());
        let error = outcome.json()["error"].clone();
        assert_eq!(error["exit_status"], status, "{arguments:?}");
        assert!(error["message"].as_str().is_some_and(|message| outcome.stderr.contains(message)), "{arguments:?}");
        assert!(outcome.failed(status).starts_with("error: "), "{arguments:?}");
    }
}

#[test]
fn a_command_line_that_makes_no_sense() {
    let shop = Shop::new();
    for arguments in [&["bakcup"][..], &["migrate", "old.tar"], &["plan", "--to", "new"], &["-q", "-v", "backup"]] {
        let said = shop.godwit(arguments).failed(2);
        assert!(said.starts_with("error: "), "{arguments:?}: {said}");
    }
    assert!(shop.godwit(&["--version"]).succeeded().starts_with("godwit "));
    assert!(shop.godwit(&["--help"]).succeeded().contains("Exit status: 0 done"));
}

#[test]
fn a_quiet_run_says_nothing_unless_it_fails() {
    let shop = Shop::new();
    let outcome = shop.godwit(&["-q", "backup", "-o", "old.tar"]);
    assert_eq!((outcome.status, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), "", ""));
    assert!(shop.godwit(&["-q", "backup", "-o", "old.tar"]).failed(3).contains("exists already"));
}

#[test]
fn the_log_is_a_document_a_line_for_its_owner_only() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old.tar", "--log", "log"]).succeeded();
    shop.godwit(&["backup", "-o", "old.tar", "--log", "log"]).failed(3);
    let log = fs::read_to_string(shop.path("log")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], kinds[kinds.len() - 1]), ("start", "error"));
    assert!(kinds.contains(&"stage") && kinds.contains(&"result"), "{kinds:?}");
    assert_eq!(lines[lines.len() - 1]["data"]["exit_status"], 3);
    assert_eq!(fs::metadata(shop.path("log")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_environment_can_name_what_options_name() {
    let shop = Shop::new();
    let mut command = godwit();
    command.args(["plan", "--to", "1.1.0"]).env("GODWIT_CONFIG", shop.path("godwit.toml"));
    assert!(run(command.env("GODWIT_MODULES", modules())).succeeded().contains("acme/inventory-1.1"));
}

#[test]
fn completions_for_the_usual_shells() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = run(godwit().args(["completions", shell])).succeeded();
        assert!(script.contains("godwit") && script.contains("migrate"), "{shell}");
        let file = folder.path().join(shell);
        fs::write(&file, script).unwrap();
        let mut check = std::process::Command::new(shell);
        if let Ok(output) = check.arg("-n").arg(&file).output() {
            assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

#[test]
fn a_scope_is_a_part() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "all.tar"]).succeeded();
    shop.godwit(&["backup", "-o", "db.tar", "--scope", "db"]).succeeded();
    let found = |backup: &str, scope: &[&str]| {
        let copy = Shop::empty("1.0.0");
        copy.godwit(&[&["restore", &shop.arg(backup)], scope].concat()).succeeded();
        (copy.database().exists(), copy.path("config").exists())
    };
    assert_eq!(found("db.tar", &[]), (true, false));
    assert_eq!(found("all.tar", &["--scope", "files"]), (false, true));
    assert_eq!(found("all.tar", &["--scope", "main"]), (true, false));
    assert_eq!(found("all.tar", &["--scope", "main", "--scope", "config"]), (true, true));
}

#[test]
fn what_is_left_out_is_written_down() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old.tar", "--exclude", "sessions", "--exclude", "*.key"]).succeeded();
    let manifest = shop.godwit(&["inspect", "old.tar", "--output", "json"]).json()["manifest"].clone();
    assert_eq!(manifest["excluded"], serde_json::json!(["sessions", "*.key"]));
    let copy = Shop::empty("1.0.0");
    copy.godwit(&["restore", &shop.arg("old.tar")]).succeeded();
    assert_eq!(copy.query("SELECT count(*) FROM sessions"), "0");
    assert!(!copy.path("config/secret.key").exists() && copy.path("config/sites/dc1.conf").exists());
}
