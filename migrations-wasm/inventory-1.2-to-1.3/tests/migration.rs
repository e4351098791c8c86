//! The module's logic, run natively. That its SQL is right is for the golden cases to tell.

use godwit_sdk::database;
use godwit_sdk::prelude::*;
use godwit_sdk::testing::{Answer, Harness, json};
use inventory_1_2_to_1_3::{MANIFEST, migration};

/// What the host reads from a database of 1.2, as far as this module looks at it.
fn catalog_1_2() -> Catalog {
    let meta = Collection::new("app_meta").column(Column::text("key").nullable()).column(Column::text("value"));
    let devices = Collection::new("devices").column(Column::text("id")).column(Column::text("name"));
    Catalog::new("sqlite").with(meta.primary_key(&["key"])).with(devices.primary_key(&["id"]))
}

/// Every record that it returns is held against the evolved catalog and the manifest.
fn harness() -> Harness {
    let mut harness = Harness::new(migration()).manifest(MANIFEST);
    harness.evolve(&catalog_1_2()).unwrap();
    harness
}

/// The configuration as `finish` leaves it.
fn configured(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let start = harness().file("config", "banner.txt", "");
    let mut harness = files.iter().fold(start, |harness, (path, text)| harness.file("config", path, *text));
    harness.finish().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let others = harness.files("config").into_iter().filter(|(path, _)| path != "banner.txt");
    others.map(|(path, bytes)| (path, text(bytes))).collect()
}

fn file(path: &str, text: &str) -> (String, String) {
    (path.to_owned(), text.to_owned())
}

/// A live target of which this many devices miscount their links.
fn verified(miscounted: i64) -> Result<()> {
    let answer = move |connection: &str, sql: &str, _: &[database::Value]| {
        assert_eq!(connection, "target");
        assert!(sql.contains("link_count <>"), "{sql}");
        Ok(Answer::columns(&["count"]).row((miscounted,)))
    };
    harness().answer(answer).verify()
}

#[test]
fn a_device_is_given_the_number_of_its_links() {
    let answer = |connection: &str, _: &str, values: &[database::Value]| {
        assert_eq!((connection, values), ("input", &[database::Value::Text("dev-000042".to_owned())][..]));
        Ok(Answer::columns(&["count"]).row((3,)))
    };
    let output = harness().answer(answer).transform_lines("devices", "{\"id\":\"dev-000042\",\"name\":\"sw-1\"}\n");
    assert_eq!(output.unwrap().lines("devices"), "{\"id\":\"dev-000042\",\"name\":\"sw-1\",\"link_count\":3}\n");
}

#[test]
fn host_and_port_are_told_apart_and_all_else_stays() {
    let old = "# main\nlisten = 127.0.0.1:8080\ntheme = plain";
    let new = "# main\nhost = 127.0.0.1\nport = 8080\ntheme = plain";
    assert_eq!(configured(&[("inventory.conf", old)]), [file("inventory.conf", new)]);
    let new = configured(&[("inventory.conf", "listen=[::1]:80\n")]);
    assert_eq!(new, [file("inventory.conf", "host = [::1]\nport = 80\n")]);
}

#[test]
fn an_address_without_a_port_is_named() {
    let error = harness().file("config", "inventory.conf", "listen = 127.0.0.1\n").finish().unwrap_err();
    let expected = "inventory.conf: listen = 127.0.0.1 has no port; write listen = HOST:PORT";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn the_folder_of_the_sites_gets_its_new_name() {
    let sites = configured(&[("sites/dc1.conf", "racks = 12\n"), ("sites/lab/x.conf", "")]);
    assert_eq!(sites, [file("sites.d/dc1.conf", "racks = 12\n"), file("sites.d/lab/x.conf", "")]);
}

#[test]
fn an_installation_without_a_configuration_has_none_to_change() {
    assert_eq!(configured(&[]), []);
}

#[test]
fn the_live_target_is_checked_where_there_is_one() {
    harness().verify().unwrap();
    verified(0).unwrap();
    let error = verified(2).unwrap_err().to_string();
    assert_eq!(error, "2 devices have another number of links than they say");
}

#[test]
fn the_version_is_told() {
    let mut harness = harness();
    let record = json!({"key": "version", "value": "1.2.0"});
    let output = harness.transform("app_meta", [record]).unwrap();
    assert_eq!(output.records("app_meta"), [json!({"key": "version", "value": "1.3.0"})]);
}
