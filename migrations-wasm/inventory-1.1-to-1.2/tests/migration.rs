//! The module against a 1.1 catalog, run natively.

use godwit_sdk::prelude::*;
use godwit_sdk::testing::{Harness, Level, Value, json};
use inventory_1_1_to_1_2::{MANIFEST, migration};

/// What the host reads from a database of 1.1, as far as this module looks at it.
fn catalog_1_1() -> Catalog {
    let meta = Collection::new("app_meta").column(Column::text("key").nullable()).column(Column::text("value"));
    let devices = Collection::new("devices")
        .column(Column::int64("id").native_type("INTEGER"))
        .column(Column::text("name"))
        .column(Column::text("kind").default_value("other"))
        .column(Column::text("status"))
        .column(Column::float64("price").nullable().native_type("REAL"))
        .column(Column::json("location").nullable())
        .column(Column::int64("owner_id").nullable())
        .column(Column::text("notes").nullable())
        .column(Column::text("serial").nullable())
        .primary_key(&["id"]);
    let links = Collection::new("links")
        .column(Column::int64("id"))
        .column(Column::int64("device_a").native_type("INTEGER"))
        .column(Column::int64("device_b").native_type("INTEGER"))
        .column(Column::int64("speed_mbit").nullable())
        .column(Column::text("cable").nullable())
        .column(Column::float64("length_value").nullable())
        .column(Column::text("length_unit").nullable())
        .primary_key(&["id"])
        .reference(Reference::new(&["device_a"], "devices", &["id"]))
        .reference(Reference::new(&["device_b"], "devices", &["id"]));
    let device_tags = Collection::new("device_tags")
        .column(Column::int64("device_id").native_type("INTEGER"))
        .column(Column::int64("tag_id"))
        .primary_key(&["device_id", "tag_id"])
        .reference(Reference::new(&["device_id"], "devices", &["id"]).on_delete("CASCADE"))
        .option("WITHOUT ROWID");
    let audit_log = Collection::new("audit_log")
        .column(Column::int64("id"))
        .column(Column::text("at").nullable())
        .column(Column::text("actor").nullable())
        .column(Column::text("action"))
        .column(Column::text("detail").nullable())
        .primary_key(&["id"])
        .definition("CREATE TABLE audit_log (…)");
    Catalog::new("sqlite")
        .with(meta.primary_key(&["key"]))
        .with(devices)
        .with(links)
        .with(device_tags)
        .with(audit_log)
        .with_object(Object::view("device_overview", "CREATE VIEW …"))
}

/// Every record that it returns is held against the evolved catalog and the manifest.
fn harness() -> Harness {
    let mut harness = Harness::new(migration()).manifest(MANIFEST);
    harness.evolve(&catalog_1_1()).unwrap();
    harness
}

fn device(id: i64, price: &str) -> String {
    format!(
        "{{\"id\":{id},\"name\":\"sw-1\",\"kind\":\"other\",\"status\":\"active\",\"price\":{price},\
         \"location\":{{\"site\":\"DC1\"}},\"owner_id\":null,\"notes\":null,\"serial\":null}}\n"
    )
}

fn link(value: impl Into<Value>, unit: impl Into<Value>) -> Value {
    json!({"id": 5, "device_a": 1, "device_b": 1042, "speed_mbit": 1000, "cable": null, "length_value": value.into(), "length_unit": unit.into()})
}

#[test]
fn the_catalog_becomes_that_of_1_2() {
    let catalog = harness().evolve(&catalog_1_1()).unwrap();
    let kind = |collection: usize, column: &str| {
        let columns = &catalog.collections[collection].columns;
        let column = columns.iter().find(|other| other.name == column).unwrap();
        (column.kind, column.native_type.as_deref())
    };
    assert_eq!(kind(1, "id"), (Kind::Text, None));
    assert_eq!(kind(1, "price_eur"), (Kind::Decimal, Some("TEXT")));
    assert_eq!(kind(2, "device_a"), (Kind::Text, None));
    assert_eq!(kind(2, "length_m"), (Kind::Decimal, Some("TEXT")));
    assert_eq!(kind(3, "device_id"), (Kind::Text, None));
    assert_eq!(catalog.collections[3].options, ["WITHOUT ROWID"]);
    assert!(catalog.collections[4].definition.is_some(), "the audit log keeps its shape");
    assert!(catalog.object("device_overview").unwrap().definition.contains("price_eur"));
}

#[test]
fn a_device_gets_a_text_key_and_an_exact_price() {
    let output = harness().transform_lines("devices", &device(42, "1299.5")).unwrap();
    assert_eq!(
        output.lines("devices"),
        "{\"id\":\"dev-000042\",\"name\":\"sw-1\",\"kind\":\"other\",\"status\":\"active\",\"price_eur\":\"1299.50\",\
         \"location\":{\"site\":\"DC1\"},\"owner_id\":null,\"notes\":null,\"serial\":null}\n"
    );
    let output = harness().transform_lines("devices", &device(1_234_567, "null")).unwrap();
    assert_eq!(output.records("devices")[0]["id"], "dev-1234567");
    assert_eq!(output.records("devices")[0]["price_eur"], json!(null));
}

#[test]
fn what_is_beyond_cents_is_rounded_and_said() {
    let mut harness = harness();
    let output =
        harness.transform_lines("devices", &(device(1, "8450.0") + &device(2, "0.30000000000000004"))).unwrap();
    let prices: Vec<_> = output.records("devices").iter().map(|device| device["price_eur"].clone()).collect();
    assert_eq!(prices, ["8450.00", "0.30"]);
    let message = "device number 1: the price 0.30000000000000004 becomes 0.30";
    assert_eq!(harness.log(), [(Level::Warn, message.to_owned())]);
}

#[test]
fn a_price_that_is_no_number_is_named() {
    let error = harness().transform_lines("devices", &device(7, "\"cheap\"")).unwrap_err();
    assert_eq!(error.to_string(), "devices, record 0 (key 7), field price: \"cheap\" is not a decimal number");
}

#[test]
fn what_refers_to_a_device_follows() {
    let tags = "{\"device_id\":42,\"tag_id\":3}\n";
    let output = harness().transform_lines("device_tags", tags).unwrap();
    assert_eq!(output.lines("device_tags"), "{\"device_id\":\"dev-000042\",\"tag_id\":3}\n");
    let output = harness().transform("links", [link(Value::Null, Value::Null)]).unwrap();
    assert_eq!(
        output.lines("links"),
        "{\"id\":5,\"device_a\":\"dev-000001\",\"device_b\":\"dev-001042\",\"speed_mbit\":1000,\"cable\":null,\"length_m\":null}\n"
    );
}

#[test]
fn lengths_become_metres_exactly() {
    for (value, unit, metres) in [(3.0, "m", "3"), (150.0, "cm", "1.5"), (10.0, "ft", "3.048"), (19.0, "in", "0.4826")]
    {
        let output = harness().transform("links", [link(value, unit)]).unwrap();
        assert_eq!(output.records("links")[0]["length_m"], metres);
    }
}

#[test]
fn a_length_without_a_known_unit_is_named() {
    let error = harness().transform("links", [link(3.0, "furlong")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "links, record 0 (key 5), field length_unit: unknown value \"furlong\"; 1.1 knows m, cm, ft and in"
    );
    let error = harness().transform("links", [link(3.0, Value::Null)]).unwrap_err();
    assert_eq!(error.field_name(), Some("length_unit"));
}

#[test]
fn a_tag_of_a_strange_device_is_named_by_both_parts_of_its_key() {
    let error = harness().transform_lines("device_tags", "{\"device_id\":\"x\",\"tag_id\":3}\n").unwrap_err();
    assert_eq!((error.key(), error.field_name()), (Some("[\"x\",3]"), Some("device_id")));
}

#[test]
fn debugging_entries_are_left_out() {
    let entry = |id: i64, action: &str| {
        format!("{{\"id\":{id},\"at\":null,\"actor\":null,\"action\":\"{action}\",\"detail\":null}}\n")
    };
    let lines = entry(1, "login") + &entry(2, "debug") + &entry(3, "delete");
    let output = harness().transform_lines("audit_log", &lines).unwrap();
    assert_eq!(output.lines("audit_log"), entry(1, "login") + &entry(3, "delete"));
}

#[test]
fn the_version_is_told() {
    let output = harness().transform_lines("app_meta", "{\"key\":\"version\",\"value\":\"1.1.0\"}\n").unwrap();
    assert_eq!(output.lines("app_meta"), "{\"key\":\"version\",\"value\":\"1.2.0\"}\n");
}
