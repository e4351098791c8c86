use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn opened(line: &str) -> Record {
    let mut record = Record::default();
    record.load(format!("{line}\n").into_bytes());
    assert!(record.advance());
    record.open().unwrap();
    record
}

fn written(record: &Record) -> String {
    let mut out = Vec::new();
    record.write(&mut out);
    String::from_utf8(out).unwrap()
}

const DEVICE: &str = r#"{"id":7,"hostname":"sw\u0031","price":1.50e2,"notes":null,"caf\u00e9":{"a":[1, 2]}}"#;

#[test]
fn an_untouched_record_passes_byte_for_byte() {
    assert_eq!(written(&opened(DEVICE)), format!("{DEVICE}\n"));
    assert_eq!(written(&opened("{ \"a\" : 1 }")), "{ \"a\" : 1 }\n");
}

#[test]
fn a_renamed_field_keeps_its_place_and_value() {
    let mut record = opened(DEVICE);
    record.rename("hostname", "name").unwrap();
    record.rename("café", "menu").unwrap();
    assert_eq!(
        written(&record),
        "{\"id\":7,\"name\":\"sw\\u0031\",\"price\":1.50e2,\"notes\":null,\"menu\":{\"a\":[1, 2]}}\n"
    );
}

#[test]
fn fields_are_set_inserted_taken_and_removed() {
    let mut record = opened(r#"{"a":1,"b":2,"c":3,"d":4}"#);
    assert_eq!(record.take::<i64>("b").unwrap(), 2);
    record.insert_after("a", "a2", "x\"y").unwrap();
    record.insert_before("a", "first", Option::<i64>::None).unwrap();
    record.set("c", [1, 2]).unwrap();
    record.set("e", true).unwrap();
    record.set_raw("f", "1.10").unwrap();
    record.remove("d").unwrap();
    assert_eq!(written(&record), "{\"first\":null,\"a\":1,\"a2\":\"x\\\"y\",\"c\":[1,2],\"e\":true,\"f\":1.10}\n");
    assert_eq!(record.get::<String>("a2").unwrap(), "x\"y");
    assert!(record.is_null("first").unwrap());
    assert_eq!(record.get_raw("c").unwrap(), "[1,2]");
}

#[test]
fn names_with_escapes_are_found_however_they_are_written() {
    let mut record = opened(r#"{"a\"b":1,"\u0061":2}"#);
    assert_eq!((record.get::<i64>("a\"b").unwrap(), record.get::<i64>("a").unwrap()), (1, 2));
    record.rename("a", "new\nname").unwrap();
    assert_eq!(record.get::<i64>("new\nname").unwrap(), 2);
    assert_eq!(written(&record), "{\"a\\\"b\":1,\"new\\nname\":2}\n");
}

#[test]
fn mistakes_name_the_field() {
    let mut record = opened(DEVICE);
    assert_eq!(
        record.get::<i64>("hostnam").unwrap_err().to_string(),
        "field hostnam: the record has no such field; it has id, hostname, price, notes, café"
    );
    assert_eq!(
        record.take::<i64>("hostname").unwrap_err().to_string(),
        "field hostname: invalid type: string \"sw1\", expected i64"
    );
    assert!(record.has("hostname"), "a failed take leaves the field");
    assert!(record.rename("id", "notes").is_err());
    assert!(record.insert_after("id", "notes", 1).is_err());
    assert!(record.set_raw("id", "1 2").is_err());
    assert!(record.set_raw("id", "[1,\n2]").is_err());
    assert_eq!(written(&record), format!("{DEVICE}\n"), "what failed changed nothing");
}

#[test]
fn records_are_emptied_and_dropped() {
    let mut record = opened(r#"{"a":1}"#);
    record.remove("a").unwrap();
    assert_eq!(written(&record), "{}\n");
    record.drop_record();
    assert_eq!(written(&record), "");
}

#[test]
fn changes_do_not_leak_into_the_next_record() {
    let mut record = Record::default();
    record.load(b"{\"a\":1}\n{\"a\":2}".to_vec());
    assert!(record.advance());
    record.open().unwrap();
    record.set("b", 1).unwrap();
    record.drop_record();
    assert!(record.advance());
    record.open().unwrap();
    assert_eq!(written(&record), "{\"a\":2}\n");
    assert!(!record.advance());
}

#[test]
fn a_key_is_what_was_named_or_id_or_the_first_field() {
    let line = br#"{"b":"x","id":7,"c":null}"#;
    let named = |names: &[&str]| key_of(line, &names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
    assert_eq!(named(&[]).as_deref(), Some("7"));
    assert_eq!(named(&["b"]).as_deref(), Some("\"x\""));
    assert_eq!(named(&["b", "id"]).as_deref(), Some("[\"x\",7]"));
    assert_eq!(named(&["absent"]), None);
    assert_eq!(key_of(br#"{"token":"t","user":1}"#, &[]).as_deref(), Some("\"t\""));
    assert_eq!(key_of(br#"{"id":5,"user":"#, &[]).as_deref(), Some("5"));
    assert_eq!(key_of(b"\xff", &[]), None);
}

fn document() -> impl Strategy<Value = serde_json::Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from)
    ];
    let value = leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect()))
        ]
    });
    prop::collection::btree_map("[a-f\"\\\\\u{e9}]{0,2}", value, 0..8).prop_map(|map| map.into_iter().collect())
}

proptest! {
    /// Every change does to the line what the same change does to the document.
    #[test]
    fn editing_a_line_is_editing_its_document(
        mut expected in document(),
        changes in prop::collection::vec((0..4usize, "[a-f\"\\\\\u{e9}]{0,2}", "[a-f\"\\\\]{0,2}"), 0..12),
    ) {
        let mut record = opened(&serde_json::to_string(&expected).unwrap());
        for (change, name, other) in changes {
            match change {
                0 => {
                    record.set(&name, &other).unwrap();
                    expected.insert(name, json!(other));
                }
                1 => prop_assert_eq!(record.remove(&name).is_ok(), expected.remove(&name).is_some()),
                2 => {
                    let fits = expected.contains_key(&name) && !expected.contains_key(&other);
                    prop_assert_eq!(record.rename(&name, &other).is_ok(), fits);
                    if fits {
                        let value = expected.remove(&name).unwrap();
                        expected.insert(other, value);
                    }
                }
                _ => {
                    let fits = expected.contains_key(&name) && !expected.contains_key(&other);
                    prop_assert_eq!(record.insert_after(&name, &other, 5).is_ok(), fits);
                    if fits {
                        expected.insert(other, json!(5));
                    }
                }
            }
        }
        prop_assert_eq!(serde_json::from_str::<Value>(&written(&record)).unwrap(), Value::Object(expected));
    }
}
