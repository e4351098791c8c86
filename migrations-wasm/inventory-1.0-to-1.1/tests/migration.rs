//! The module against a 1.0 catalog, run natively.

use godwit_sdk::prelude::*;
use godwit_sdk::testing::{Harness, json};
use inventory_1_0_to_1_1::{MANIFEST, migration};

/// What the host reads from a database made by schema-1.0.sql, as far as this module looks at it.
fn catalog_1_0() -> Catalog {
    let object = |kind: &str, name: &str, collection: &str| match kind {
        "index" => Object::index(name, collection, "CREATE INDEX …"),
        "trigger" => Object::trigger(name, collection, "CREATE TRIGGER …"),
        _ => Object::view(name, "CREATE VIEW …"),
    };
    Catalog::new("sqlite")
        .with(
            Collection::new("app_meta")
                .column(Column::text("key").nullable())
                .column(Column::text("value"))
                .primary_key(&["key"]),
        )
        .with(
            Collection::new("users")
                .column(Column::int64("id"))
                .column(Column::text("full_name"))
                .column(Column::text("email").nullable())
                .column(Column::text("role"))
                .column(Column::text("street").nullable())
                .column(Column::text("city").nullable())
                .column(Column::text("created_at"))
                .primary_key(&["id"])
                .unique(&["email"])
                .option("AUTOINCREMENT"),
        )
        .with(
            Collection::new("devices")
                .column(Column::int64("id"))
                .column(Column::text("hostname"))
                .column(Column::text("status"))
                .column(Column::float64("price").nullable().native_type("REAL"))
                .column(Column::text("location").nullable().native_type("TEXT"))
                .column(Column::int64("owner_id").nullable())
                .column(Column::text("notes").nullable())
                .column(Column::text("serial").nullable())
                .primary_key(&["id"])
                .unique(&["hostname"])
                .reference(Reference::new(&["owner_id"], "users", &["id"])),
        )
        .with(
            Collection::new("tags")
                .column(Column::int64("id"))
                .primary_key(&["id"])
                .definition("CREATE TABLE tags (id INTEGER PRIMARY KEY)"),
        )
        .with(Collection::new("sessions").column(Column::text("token")).primary_key(&["token"]))
        .with_object(object("index", "devices_in_use", "devices"))
        .with_object(object("index", "devices_by_hostname", "devices"))
        .with_object(object("index", "users_by_city", "users"))
        .with_object(object("index", "sessions_by_user", "sessions"))
        .with_object(object("view", "device_overview", ""))
        .with_object(object("trigger", "devices_status_log", "devices"))
        .with_object(object("trigger", "users_end_sessions", "users"))
}

/// Every record that it returns is held against the evolved catalog and the manifest.
fn harness() -> Harness {
    let mut harness = Harness::new(migration()).manifest(MANIFEST);
    harness.evolve(&catalog_1_0()).unwrap();
    harness
}

fn device(status: &str, location: &str) -> String {
    format!(
        "{{\"id\":42,\"hostname\":\"sw-1\",\"status\":{status},\"price\":1299.50,\"location\":{location},\"owner_id\":null,\"notes\":\"a\\tb\",\"serial\":null}}\n"
    )
}

#[test]
fn the_catalog_becomes_that_of_1_1() {
    let catalog = harness().evolve(&catalog_1_0()).unwrap();
    let names: Vec<_> = catalog.collections.iter().map(|collection| collection.name.as_str()).collect();
    assert_eq!(names, ["app_meta", "users", "devices", "tags", "addresses"]);
    let devices = &catalog.collections[2];
    let columns: Vec<_> = devices.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["id", "name", "kind", "status", "price", "location", "owner_id", "notes", "serial"]);
    assert_eq!(devices.unique, [["name"]]);
    assert_eq!(devices.columns[5].kind, Kind::Json);
    assert_eq!(catalog.collections[1].options, ["AUTOINCREMENT"]);
    assert!(catalog.collections[3].definition.is_some(), "tags stay as they are");
    let objects: Vec<_> = catalog.objects.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(
        objects,
        ["devices_in_use", "device_overview", "devices_status_log", "devices_by_name", "addresses_by_city"]
    );
    let stale = catalog.objects.iter().find(|object| object.definition.contains("hostname"));
    assert_eq!(stale, None);
}

#[test]
fn a_device_is_renamed_and_its_other_fields_pass_byte_for_byte() {
    let output = harness().transform_lines("devices", &device("\"up\"", "\"DC1/R12/U7\"")).unwrap();
    assert_eq!(
        output.lines("devices"),
        "{\"id\":42,\"name\":\"sw-1\",\"kind\":\"other\",\"status\":\"active\",\"price\":1299.50,\
         \"location\":{\"site\":\"DC1\",\"rack\":\"R12\",\"unit\":7},\"owner_id\":null,\"notes\":\"a\\tb\",\"serial\":null}\n"
    );
}

#[test]
fn every_status_of_1_0_has_one_of_1_1() {
    for (old, new) in
        [("up", "active"), ("down", "offline"), ("spare", "stock"), ("broken", "failed"), ("retired", "retired")]
    {
        let output = harness().transform_lines("devices", &device(&json!(old).to_string(), "null")).unwrap();
        assert_eq!(output.records("devices")[0]["status"], new);
    }
}

#[test]
fn an_unknown_status_stops_the_run_and_is_named() {
    let lines = device("\"up\"", "null") + &device("\"on fire\"", "null").replace("42", "43");
    let error = harness().transform_lines("devices", &lines).unwrap_err();
    assert!(
        error.to_string().starts_with("devices, record 1 (key 43), field status: unknown value \"on fire\""),
        "{error}"
    );
}

#[test]
fn an_unknown_status_becomes_what_the_operator_says() {
    let mut harness = harness().parameter("unknown_status", "offline");
    let output = harness.transform_lines("devices", &device("\"on fire\"", "null")).unwrap();
    assert_eq!(output.records("devices")[0]["status"], "offline");

    let mut harness = harness.parameter("unknown_status", "smouldering");
    let error = harness.transform_lines("devices", &device("\"on fire\"", "null")).unwrap_err();
    assert!(error.message().contains("neither \"fail\" nor a status of 1.1"), "{error}");
}

#[test]
fn a_location_becomes_a_document() {
    for (text, document) in [
        (json!("DC1/R12/U7"), json!({"site": "DC1", "rack": "R12", "unit": 7})),
        (json!("DC1/R12"), json!({"site": "DC1", "rack": "R12", "unit": null})),
        (json!("Office"), json!({"site": "Office", "rack": null, "unit": null})),
        (json!(null), json!(null)),
    ] {
        let output = harness().transform_lines("devices", &device("\"up\"", &text.to_string())).unwrap();
        assert_eq!(output.records("devices")[0]["location"], document);
    }
    for text in ["DC1/R12/7", "DC1/R12/U7/front", "DC1/R12/U99999"] {
        let error = harness().transform_lines("devices", &device("\"up\"", &json!(text).to_string())).unwrap_err();
        assert_eq!((error.key(), error.field_name()), (Some("42"), Some("location")), "{error}");
    }
}

fn user(id: i64, name: &str, city: Option<&str>) -> godwit_sdk::testing::Value {
    json!({"id": id, "full_name": name, "email": null, "role": "admin", "street": null, "city": city, "created_at": "2024-01-01"})
}

#[test]
fn a_user_is_split_from_the_address() {
    let users = [user(1, "Ada Lindqvist", Some("Tromsø")), user(2, "Chidi Okafor", None)];
    let output = harness().transform("users", users).unwrap();
    assert_eq!(
        output.lines("users").lines().next().unwrap(),
        "{\"id\":1,\"first_name\":\"Ada\",\"last_name\":\"Lindqvist\",\"email\":null,\"role\":\"admin\",\"created_at\":\"2024-01-01\"}"
    );
    assert_eq!(output.records("users").len(), 2);
    assert_eq!(output.records("addresses"), [json!({"id": 1, "user_id": 1, "street": null, "city": "Tromsø"})]);
}

#[test]
fn names_are_split_before_the_last_word() {
    for (full, first, last) in [
        ("Dolores Ibárruri Gómez", "Dolores Ibárruri", json!("Gómez")),
        ("Farid", "Farid", json!(null)),
        ("  Eun-ji   Park ", "Eun-ji", json!("Park")),
        ("", "", json!(null)),
    ] {
        let output = harness().transform("users", [user(1, full, None)]).unwrap();
        let user = &output.records("users")[0];
        assert_eq!((&user["first_name"], &user["last_name"]), (&json!(first), &last));
    }
}

#[test]
fn a_user_without_a_role_is_named() {
    let mut wrong = user(7, "Ada Lindqvist", None);
    wrong["role"] = json!(null);
    let error = harness().transform("users", [user(6, "Farid", None), wrong]).unwrap_err();
    assert_eq!(error.to_string(), "users, record 1 (key 7), field role: invalid type: null, expected a string");
}

#[test]
fn the_version_is_told_and_the_rest_of_app_meta_stays() {
    let lines = "{\"key\":\"version\",\"value\":\"1.0.0\"}\n{\"key\":\"site\",\"value\":\"1.0.0\"}\n";
    let output = harness().transform_lines("app_meta", lines).unwrap();
    assert_eq!(
        output.lines("app_meta"),
        "{\"key\":\"version\",\"value\":\"1.1.0\"}\n{\"key\":\"site\",\"value\":\"1.0.0\"}\n"
    );
}

#[test]
fn sessions_are_gone() {
    let output =
        harness().transform("sessions", [json!({"token": "3f9a1c", "user_id": 1, "expires_at": null})]).unwrap();
    assert!(output.collections().is_empty());
}
