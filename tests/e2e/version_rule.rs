//! Which archive may be restored into which application, and by which way.

use std::fs;

use godwit_tests::{Shop, modules, with_manifest};
use serde_json::{Value, json};

use super::readable::Refusals;

/// An archive of data at a version.
fn archive_at(shop: &Shop, version: &str) -> String {
    let name = format!("at-{version}.tar");
    if !shop.path(&name).exists() {
        shop.godwit(&["backup", "-o", &name, "--target-version", version]).succeeded();
    }
    shop.arg(&name)
}

/// A folder of modules that differ in what their manifests say. One that asks for capabilities is made of a component that
/// uses them.
pub(crate) fn make_modules(shop: &Shop, folder: &str, changes: &[(&str, Value)]) -> String {
    let text = include_str!("../../migrations-wasm/inventory-1.0-to-1.1/module.json");
    for (name, change) in changes {
        let mut manifest: Value = serde_json::from_str(text).unwrap();
        manifest["name"] = json!(format!("acme/{name}"));
        manifest.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let asks = ["reads", "scratch", "target", "files"].iter().any(|wish| manifest.get(wish).is_some());
        let component = if asks { "inventory-1.2-to-1.3.wasm" } else { "inventory-1.0-to-1.1.wasm" };
        let component = fs::read(modules().join(component)).unwrap();
        shop.write(&format!("{folder}/README"), "modules for one test");
        fs::write(shop.path(&format!("{folder}/{name}.wasm")), with_manifest(&component, &manifest)).unwrap();
    }
    shop.arg(folder)
}

#[test]
fn data_of_the_same_version_is_restored() {
    let shop = Shop::new();
    for (data, application) in
        [("1.0.0", "1.0.0"), ("1.0.0+build.1", "1.0.0+build.2"), ("0.3.1", "0.3.1"), ("2.0.0-rc.1", "2.0.0-rc.1")]
    {
        let archive = archive_at(&shop, data);
        let target = Shop::empty(application);
        target.godwit(&["restore", &archive]).succeeded();
        assert_eq!(target.query("SELECT count(*) FROM tags"), shop.query("SELECT count(*) FROM tags"));
    }
}

#[test]
fn other_data_is_refused_with_the_reason() {
    let shop = Shop::new();
    let mut refusals = Refusals::new();
    for (data, application) in [
        ("1.2.0", "1.1.0"),
        ("1.2.0", "1.2.0-rc.1"),
        ("1.2.0-alpha.10", "1.2.0-alpha.9"),
        ("1.0.0", "2.0.0"),
        ("2.0.0", "1.9.9"),
        ("1.9.9", "2.0.0-alpha"),
        ("0.1.0", "0.2.0"),
        ("0.9.0", "1.0.0"),
        ("0.1.2", "0.1.1"),
        ("1.0.0", "1.1.0"),
        ("1.2.0-rc.1", "1.2.0"),
        ("0.1.0", "0.1.1"),
    ] {
        let archive = archive_at(&shop, data);
        refusals.case(&Shop::empty(application), &format!("{data} into {application}"), &["restore", &archive], 3);
    }
    refusals.compare("version-rule");
}

#[test]
fn older_data_goes_through_modules_or_as_it_is() {
    let shop = Shop::new();
    let archive = archive_at(&shop, "1.0.0");
    let migrated = Shop::empty("1.1.0");
    migrated.godwit(&["restore", &archive, "--modules", &modules().display().to_string()]).succeeded();
    assert_eq!(migrated.query("SELECT name FROM devices WHERE id = 1"), "sw-dc1-01");
    let as_it_is = Shop::empty("1.1.0");
    as_it_is.godwit(&["restore", &archive, "--without-migration"]).succeeded();
    assert_eq!(as_it_is.query("SELECT hostname FROM devices WHERE id = 1"), "sw-dc1-01");
}

#[test]
fn without_migration_bends_no_other_rule() {
    let shop = Shop::new();
    for (data, application) in [("1.2.0", "1.1.0"), ("1.0.0", "2.0.0"), ("0.1.0", "0.2.0")] {
        let target = Shop::empty(application);
        let before = target.tree();
        target.godwit(&["restore", &archive_at(&shop, data), "--without-migration"]).failed(3);
        assert_eq!(target.tree(), before);
    }
}

#[test]
fn a_chain_is_one_or_none() {
    let shop = Shop::new();
    let (real, archive) = (modules().display().to_string(), archive_at(&shop, "1.0.0"));
    let two = make_modules(&shop, "two", &[("one", json!({})), ("other", json!({}))]);
    let twice = make_modules(&shop, "twice", &[("inventory-1.1", json!({ "description": "the same, and not quite" }))]);
    let far = make_modules(&shop, "far", &[("far", json!({ "from": ">=1.5.0, <1.6.0", "to": "1.6.0" }))]);
    let foreign = make_modules(&shop, "foreign", &[("foreign", json!({ "application": "warehouse" }))]);
    let empty = make_modules(&shop, "nothing", &[]);
    shop.write("nothing/README", "no module");
    let mut refusals = Refusals::new();
    let mut case = |case: &str, to: &str, folders: &[&str], status: i32| {
        let mut arguments = vec!["migrate", &archive, "--to", to, "-o", "new.tar"];
        for folder in folders {
            arguments.extend(["--modules", folder]);
        }
        refusals.case(&shop, case, &arguments, status);
    };
    case("no directory of modules", "1.1.0", &[], 3);
    case("a directory without modules", "1.1.0", &[&empty], 3);
    case("modules of another application", "1.1.0", &[&foreign], 3);
    case("a gap at the end", "1.4.0", &[&real], 3);
    case("a gap in the middle", "1.6.0", &[&real, &far], 3);
    case("two candidates", "1.1.0", &[&two], 3);
    case("the same module with other bytes", "1.1.0", &[&real, &twice], 3);
    case("no such directory", "1.1.0", &["nowhere"], 2);
    case("already there", "1.0.0", &[&real], 3);
    case("back", "0.9.0", &[&real], 3);
    refusals.compare("chains");
}

#[test]
fn a_major_version_is_crossed_only_when_module_and_operator_say_so() {
    let shop = Shop::new();
    let archive = archive_at(&shop, "1.0.0");
    let range = json!({ "from": ">=1.0.0, <2.0.0", "to": "2.0.0" });
    let mut declared = range.clone();
    declared["crosses"] = json!({ "from": "1", "to": "2" });
    let silent = make_modules(&shop, "silent", &[("silent", range)]);
    let declared = make_modules(&shop, "declared", &[("leap", declared)]);
    shop.approve(&declared);
    let command = |modules| vec!["migrate", &*archive, "--to", "2.0.0", "-o", "new.tar", "--modules", modules];
    let mut refusals = Refusals::new();
    refusals.case(&shop, "the module does not say so", &[command(&silent), vec!["--across-major"]].concat(), 3);
    refusals.case(&shop, "the operator does not say so", &command(&declared), 3);
    refusals.compare("across-major");
    shop.godwit(&[command(&declared), vec!["--across-major"]].concat()).succeeded();
    Shop::empty("2.0.0").godwit(&["restore", &shop.arg("new.tar")]).succeeded();
}

#[test]
fn a_pre_release_leads_to_its_release() {
    let shop = Shop::new();
    let change = json!({ "from": ">=1.1.0-rc.1, <1.1.0", "to": "1.1.0" });
    let modules = make_modules(&shop, "modules", &[("final", change)]);
    let target = Shop::empty("1.1.0");
    target.approve(&modules);
    target.godwit(&["restore", &archive_at(&shop, "1.1.0-rc.1"), "--modules", &modules]).succeeded();
    assert_eq!(target.query("SELECT name FROM devices WHERE id = 1"), "sw-dc1-01");
}
