//! Planning writes nothing, anywhere.

use godwit_tests::{Shop, godwit, modules, run, tree};

/// Runs with a working directory and a home of its own; both and the application must stay as they are.
#[track_caller]
fn writes_nothing(shop: &Shop, arguments: &[&str]) {
    let elsewhere = Shop::empty("1.0.0");
    let (before, before_elsewhere) = (shop.tree(), elsewhere.tree());
    let config = shop.arg("godwit.toml");
    let mut command = godwit();
    command.args(["--config", &config]).args(arguments).current_dir(elsewhere.dir()).env("HOME", elsewhere.dir());
    command.env("TMPDIR", elsewhere.dir());
    run(&mut command).succeeded();
    assert_eq!(shop.tree(), before, "{arguments:?}");
    assert_eq!(tree(elsewhere.dir()), before_elsewhere, "{arguments:?}");
}

#[test]
fn a_plan_and_every_dry_run_write_nothing() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    let (archive, url, modules) = (shop.arg("old.tar"), shop.url(), modules().display().to_string());
    writes_nothing(&shop, &["plan", &archive, "--to", "1.2.0", "--modules", &modules]);
    writes_nothing(&shop, &["plan", "--to", "1.2.0", "--modules", &modules]);
    writes_nothing(&shop, &["backup", "--dry-run"]);
    writes_nothing(&shop, &["backup", "-o", "new.tar", "--dry-run"]);
    writes_nothing(&shop, &["migrate", &archive, "--to", "1.1.0", "-o", "new.tar", "--modules", &modules, "--dry-run"]);
    writes_nothing(&shop, &["restore", &archive, "--empty", "--dry-run"]);
    let upgraded = ["--target-version", "1.2.0", "--modules", &modules];
    writes_nothing(&shop, &[&["restore", &archive, "--empty", "--dry-run"], &upgraded[..]].concat());
    writes_nothing(&shop, &["export", &archive, "-o", "records", "--dry-run"]);
    writes_nothing(&shop, &["export", "-o", "records", "--dry-run"]);
    writes_nothing(&shop, &["inspect", &archive]);
    writes_nothing(&shop, &["verify", &archive, "--deep"]);
    std::fs::remove_file(shop.path("godwit.toml")).unwrap();
    writes_nothing(&shop, &["init", &url, "--dry-run"]);
}

#[test]
fn a_plan_foretells_what_the_run_does() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    let modules = modules().display().to_string();
    let options = ["--to", "1.2.0", "--modules", &modules, "--output", "json"];
    let plan = |arguments: &[&str]| shop.godwit(&[arguments, &options].concat()).json()["plan"].clone();
    let archived = plan(&["plan", "old.tar"]);
    assert_eq!(archived["report"]["collections"], plan(&["plan"])["report"]["collections"], "as of the live data");
    let mut migrated = plan(&["migrate", "old.tar", "-o", "new.tar"]);
    migrated["report"]["trees"] = archived["report"]["trees"].clone();
    assert_eq!(archived, migrated);
}

#[test]
fn a_dry_run_refuses_what_the_run_would_refuse() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    let same = |arguments: &[&str]| {
        let wet = shop.godwit(arguments);
        let dry = shop.godwit(&[arguments, &["--dry-run"]].concat());
        assert_eq!((wet.status, wet.stderr), (dry.status, dry.stderr), "{arguments:?}");
        assert_ne!(dry.status, Some(0), "{arguments:?}");
    };
    same(&["restore", "old.tar"]);
    same(&["backup", "-o", "old.tar"]);
    same(&["migrate", "old.tar", "--to", "1.1.0", "-o", "old.tar", "--modules", &modules().display().to_string()]);
    same(&["export", "old.tar", "-o", "config"]);
    same(&["init", &shop.url()]);
}
