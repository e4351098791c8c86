use godwit_model::records::Shape;
use proptest::prelude::*;

use super::*;

fn text(bytes: &[u8]) -> Value<'static> {
    Value::Text(bytes.to_vec().into())
}

fn json(value: &Value<'_>, style: Style) -> String {
    let mut out = vec![];
    write(&mut out, value, style).unwrap();
    String::from_utf8(out).unwrap()
}

fn assert_comes_back(value: &Value<'_>, style: Style) {
    let json = json(value, style);
    assert!(!json.contains('\n'), "{json}");
    let nested = format!("{{\"a\":{json}}}");
    assert_eq!(skip_value(nested.as_bytes(), 0).unwrap().end, nested.len(), "{nested}");
    let back = read(json.as_bytes(), style).unwrap();
    match (value, &back) {
        (Value::Real(a), Value::Real(b)) => assert_eq!(a.to_bits(), b.to_bits(), "{json}"),
        _ => assert_eq!(*value, back, "{json}"),
    }
}

#[test]
fn every_storage_class_is_told_from_the_others() {
    let cases: [(Value, Style, &str); 20] = [
        (Value::Null, Style::Plain, "null"),
        (Value::Integer(i64::MIN), Style::Plain, "-9223372036854775808"),
        (Value::Integer(1), Style::Plain, "1"),
        (Value::Integer(1), Style::Boolean, "true"),
        (Value::Integer(2), Style::Boolean, "2"),
        (Value::Real(1.0), Style::Boolean, "1.0"),
        (Value::Real(-0.0), Style::Plain, "-0.0"),
        (Value::Real(f64::NEG_INFINITY), Style::Plain, "{\"$real\":\"-Infinity\"}"),
        (text(b"1"), Style::Plain, "\"1\""),
        (text(b"a\0\"\\\n\x01"), Style::Plain, "\"a\\u0000\\\"\\\\\\n\\u0001\""),
        (text(b"\xff"), Style::Plain, "{\"$text\":\"/w==\"}"),
        (Value::Blob(b"\xff".into()), Style::Plain, "{\"$bytes\":\"/w==\"}"),
        (Value::Integer(12), Style::Json, "12"),
        (text(b"12"), Style::Json, "{\"$json\":12}"),
        (text(b"null"), Style::Json, "{\"$json\":null}"),
        (text(b"{\"a\": [1]}"), Style::Json, "{\"a\": [1]}"),
        (text(b"{\"$bytes\":\"\"}"), Style::Json, "{\"$json\":{\"$bytes\":\"\"}}"),
        (text(b"\"a\""), Style::Json, "\"a\""),
        (text(b"a"), Style::Json, "{\"$raw\":\"a\"}"),
        (text(b"{}\n"), Style::Json, "{\"$raw\":\"{}\\n\"}"),
    ];
    for (value, style, expected) in cases {
        assert_eq!(json(&value, style), expected);
        assert_comes_back(&value, style);
    }
}

#[test]
fn documents_that_look_like_tags_come_back() {
    for document in [
        "{\"\\u0024bytes\":\"AA==\"}",
        "{ \"$bytes\" : \"AA==\" }",
        "{\"$json\":{\"$json\":null}}",
        "{\"$raw\":\"x\"}",
        "{\"$a\":1,\"$a\":2}",
        "{\"$a\":1,\"b\":2}",
        "{}",
        "[]",
        "true",
        "-0",
        "1e999",
        " 1",
        "1 ",
        "",
        "\"\\ud800\"",
        "[\t1]",
        "NaN",
    ] {
        assert_comes_back(&text(document.as_bytes()), Style::Json);
    }
}

#[test]
fn documents_at_the_limit_of_depth_come_back() {
    for depth in JSON_DEPTH_MAX - 8..JSON_DEPTH_MAX + 8 {
        let document = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_comes_back(&text(document.as_bytes()), Style::Json);
    }
}

#[test]
fn extreme_reals_come_back() {
    for real in [f64::MIN, f64::MAX, f64::MIN_POSITIVE, 5e-324, 1e16, 1e21, 0.1 + 0.2, 9_007_199_254_740_993.0] {
        assert_comes_back(&Value::Real(real), Style::Plain);
        assert!(json(&Value::Real(real), Style::Plain).contains(['.', 'e']));
    }
}

#[test]
fn what_sqlite_cannot_hold_is_an_error() {
    for (json, style) in [
        ("1e999", Style::Plain),
        ("{\"$real\":\"NaN\"}", Style::Plain),
        ("{\"$bytes\":\"?\"}", Style::Plain),
        ("{\"$bytes\":1}", Style::Plain),
        ("{\"$json\":1}", Style::Plain),
        ("{\"$unknown\":1}", Style::Json),
        ("{}", Style::Plain),
        ("[]", Style::Boolean),
    ] {
        assert!(read(json.as_bytes(), style).is_err(), "{json}");
    }
}

#[test]
fn broken_utf16_is_an_error_and_sound_utf16_is_not() {
    let bytes = |units: &[u16]| units.iter().flat_map(|unit| unit.to_ne_bytes()).collect::<Vec<_>>();
    let (sound, broken) = (bytes(&[0x61, 0xd83d, 0xde00, 0xffff]), bytes(&[0xd83d]));
    assert_eq!(json(&Value::Wide(&sound), Style::Plain), "\"a😀\u{ffff}\"");
    assert!(write(&mut vec![], &Value::Wide(&broken), Style::Plain).is_err());
    assert!(write(&mut vec![], &Value::Wide(&broken[..1]), Style::Plain).is_err());
}

fn any_value() -> impl Strategy<Value = Value<'static>> {
    let json_like = "[ \\[\\]{}\",:$a0-9.eE\\\\ntfu-]{0,24}";
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Integer),
        (-2_i64..3).prop_map(Value::Integer),
        any::<f64>().prop_filter("SQLite has no NaN", |real| !real.is_nan()).prop_map(Value::Real),
        any::<Vec<u8>>().prop_map(|bytes| Value::Blob(bytes.into())),
        any::<Vec<u8>>().prop_map(|bytes| Value::Text(bytes.into())),
        any::<String>().prop_map(|text| Value::Text(text.into_bytes().into())),
        json_like.prop_map(|text| Value::Text(text.into_bytes().into())),
        any_document().prop_map(|text| Value::Text(text.into_bytes().into())),
    ]
}

fn any_document() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i32>().prop_map(|number| number.to_string()),
        "[a-z$]{0,3}".prop_map(|text| format!("\"{text}\"")),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(("[$a]{0,2}", inner), 0..3).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(", "))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn every_value_comes_back(value in any_value()) {
        for style in [Style::Plain, Style::Boolean, Style::Json] {
            assert_comes_back(&value, style);
        }
    }

    #[test]
    fn two_values_never_share_their_json(one in any_value(), other in any_value()) {
        for style in [Style::Plain, Style::Boolean, Style::Json] {
            let same = match (&one, &other) {
                (Value::Real(one), Value::Real(other)) => one.to_bits() == other.to_bits(),
                _ => one == other,
            };
            prop_assert_eq!(json(&one, style) == json(&other, style), same);
        }
    }

    #[test]
    fn hostile_json_never_panics(text in "[ -~]{0,40}") {
        if skip_value(text.as_bytes(), 0).is_ok_and(|span| span.end == text.len()) {
            for style in [Style::Plain, Style::Boolean, Style::Json] {
                let _ = read(text.as_bytes(), style);
            }
            prop_assert!(Shape::of(text.as_bytes()) != Shape::Null || text == "null");
        }
    }
}
