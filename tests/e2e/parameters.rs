//! Values that the operator gives to modules.

use godwit_tests::{Shop, modules};
use serde_json::json;

use super::readable::Refusals;
use super::version_rule::make_modules;

fn command<'a>(modules: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["migrate", "old.tar", "--to", "1.1.0", "-o", "new.tar", "--modules", modules][..], more].concat()
}

fn shop_with_a_bad_status() -> Shop {
    let shop = Shop::new();
    shop.sql("UPDATE devices SET status = 'lost' WHERE id = 12");
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    shop
}

#[test]
fn a_record_that_a_module_cannot_take_stops_the_run_unless_told_otherwise() {
    let (shop, modules) = (shop_with_a_bad_status(), modules().display().to_string());
    let mut refusals = Refusals::new();
    refusals.case(&shop, "a status that 1.0 does not know", &command(&modules, &[]), 5);
    let value = ["--parameter", "unknown_status=stolen"];
    refusals.case(&shop, "replaced by what 1.1 does not know", &command(&modules, &value), 5);
    let misspelt = ["--parameter", "unknown_statsu=retired"];
    refusals.case(&shop, "a parameter that no module has", &command(&modules, &misspelt), 2);
    refusals.case(&shop, "a parameter of another type", &command(&modules, &["--parameter", "unknown_status=7"]), 5);
    refusals.compare("parameters");
    shop.godwit(&command(&modules, &["--parameter", "unknown_status=retired"])).succeeded();
    let target = Shop::empty("1.1.0");
    target.godwit(&["restore", &shop.arg("new.tar")]).succeeded();
    assert_eq!(target.query("SELECT status FROM devices WHERE id = 12"), "retired");
}

#[test]
fn parameters_of_the_configuration_yield_to_the_command_line() {
    let (shop, modules) = (shop_with_a_bad_status(), modules().display().to_string());
    let config = std::fs::read_to_string(shop.path("godwit.toml")).unwrap();
    shop.write("godwit.toml", &(config + "\n[parameters]\nunknown_status = \"failed\"\n"));
    shop.godwit(&command(&modules, &[])).succeeded();
    let lineage = shop.godwit(&["inspect", "new.tar", "--output", "json"]).json()["manifest"]["lineage"][0].clone();
    assert_eq!(lineage["parameters"]["unknown_status"], "failed");
    std::fs::remove_file(shop.path("new.tar")).unwrap();
    shop.godwit(&command(&modules, &["--parameter", "unknown_status=stock"])).succeeded();
    let target = Shop::empty("1.1.0");
    target.godwit(&["restore", &shop.arg("new.tar")]).succeeded();
    assert_eq!(target.query("SELECT status FROM devices WHERE id = 12"), "stock");
}

#[test]
fn a_parameter_that_is_needed_must_be_given() {
    let shop = shop_with_a_bad_status();
    let needed = json!({ "parameters": { "unknown_status": { "description": "what becomes of other statuses" } } });
    let modules = make_modules(&shop, "modules", &[("needs", needed)]);
    shop.approve(&modules);
    let mut refusals = Refusals::new();
    refusals.case(&shop, "a parameter without default", &command(&modules, &[]), 2);
    let own = ["--parameter", "unknown_status=stock", "--parameter", "run.seed=1"];
    refusals.case(&shop, "the host's own parameter", &command(&modules, &own), 2);
    refusals.compare("needed-parameter");
    shop.godwit(&command(&modules, &["--parameter", "unknown_status=stock"])).succeeded();
}

#[test]
fn a_parameter_without_a_value_is_a_usage_error() {
    let (shop, modules) = (shop_with_a_bad_status(), modules().display().to_string());
    let said = shop.godwit(&command(&modules, &["--parameter", "unknown_status"])).failed(2);
    assert!(said.contains("--parameter <NAME=VALUE>") && said.contains("NAME=VALUE"), "{said}");
}
