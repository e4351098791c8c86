use proptest::prelude::*;

use super::*;

fn devices() -> Collection {
    Collection::new(
        "devices",
        [Column::new("id", Kind::Int64), Column::new("name", Kind::Text).nullable(), Column::new("data", Kind::Json)],
    )
    .with_primary_key(["id"])
}

fn problem(lines: &str) -> String {
    check(&devices(), lines.as_bytes(), |_, _| {}).unwrap_err().to_string()
}

#[test]
fn records_out_of_order_are_put_in_order() {
    let lines = b"{\"id\":1,\"name\":null,\"data\":{}}\n{ \"data\" : [1, 2], \"id\" : 2, \"name\":\"x\" }\n";
    let checked = check(&devices(), lines, |_, _| {}).unwrap();
    assert_eq!(checked.records, 2);
    let reordered = String::from_utf8(checked.reordered.unwrap()).unwrap();
    assert_eq!(reordered, "{\"id\":1,\"name\":null,\"data\":{}}\n{\"id\":2,\"name\":\"x\",\"data\":[1, 2]}\n");
}

#[test]
fn what_is_wrong_is_said_with_record_key_and_column() {
    let good = "{\"id\":1,\"name\":null,\"data\":{}}\n";
    assert_eq!(
        problem(&format!("{good}{{\"id\":7,\"name\":5,\"data\":{{}}}}\n")),
        "record 1 (key 7), column name: is not of type text: 5"
    );
    assert_eq!(problem("{\"id\":7,\"data\":{}}\n"), "record 0 (key 7), column name: is missing");
    assert_eq!(
        problem("{\"id\":7,\"name\":null,\"data\":{},\"x\":1}\n"),
        "record 0 (key 7), column x: is no column of the collection"
    );
    assert_eq!(problem("{\"id\":7,\"id\":7,\"name\":null,\"data\":1}\n"), "record 0 (key 7), column id: occurs twice");
    assert_eq!(
        problem("{\"id\":null,\"name\":null,\"data\":1}\n"),
        "record 0 (key null), column id: is null, which the column does not allow"
    );
    assert_eq!(
        problem("{\"id\":9223372036854775808,\"name\":null,\"data\":1}\n"),
        "record 0 (key 9223372036854775808), column id: is not of type int64: 9223372036854775808"
    );
    assert_eq!(problem("{\"id\":1,\"name\":null,\"data\":1}"), "record 0: is not ended by a line feed");
    assert_eq!(problem("[]\n"), "record 0: is not a JSON object");
    assert_eq!(
        problem("{\"id\":1,\"name\":null,\"data\":1} x\n"),
        "record 0 (key 1): is not valid JSON: more follows the object at byte 29"
    );
}

#[test]
fn malformed_json_is_refused() {
    for value in [
        "01",
        "1.",
        ".5",
        "1e",
        "-",
        "+1",
        "tru",
        "nul",
        "\"",
        "\"\\x\"",
        "\"\\ud800\"",
        "\"\\u12\"",
        "[1,]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "\"\t\"",
        "NaN",
        "Infinity",
        "",
    ] {
        let line = format!("{{\"id\":1,\"name\":null,\"data\":{value}}}\n");
        assert!(check(&devices(), line.as_bytes(), |_, _| {}).is_err(), "{value}");
    }
    let deep = format!("{{\"id\":1,\"name\":null,\"data\":{}{}}}\n", "[".repeat(200), "]".repeat(200));
    assert!(problem(&deep).contains("nested too deeply"));
    assert!(
        check(&devices(), b"{\"id\":1,\"name\":\"\xff\",\"data\":1}\n", |_, _| {})
            .unwrap_err()
            .problem
            .contains("UTF-8")
    );
}

#[test]
fn tags_are_seen_only_on_objects_of_one_key() {
    assert_eq!(tagged(b"{\"$bytes\":\"AA==\"}"), Some(("$bytes", &b"\"AA==\""[..])));
    assert_eq!(tagged(b"{\"$bytes\":\"AA==\",\"x\":1}"), None);
    assert_eq!(tagged(b"{\"bytes\":\"AA==\"}"), None);
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(|f| serde_json::Number::from_f64(f).map_or(serde_json::Value::Null, Into::into)),
        ".*".prop_map(serde_json::Value::String),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(".*", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_document_that_serde_writes_is_found_whole(value in any_json()) {
        let text = value.to_string();
        prop_assert_eq!(skip_value(text.as_bytes(), 0).unwrap(), 0..text.len());
    }

    #[test]
    fn whatever_is_accepted_serde_reads(text in "[\\[\\]{}\",:\\\\u0-9a-fA-F eE+.tn-]{0,24}") {
        if let Ok(span) = skip_value(text.as_bytes(), 0) {
            prop_assert!(serde_json::from_str::<&serde_json::value::RawValue>(&text[span]).is_ok());
        }
    }
}
