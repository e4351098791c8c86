//! SQL as a module's author sees it: what goes into a statement, what comes out, and what is said of mistakes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use godwit_sdk::database::{IntoValue, Value};
use godwit_sdk::prelude::*;
use godwit_sdk::testing::{Answer, Harness, json};
use serde::Deserialize;

/// What a call on the connection `input` gives where every statement is answered like this.
fn asked<T: 'static>(answer: Result<Answer>, ask: impl Fn(Connection) -> Result<T> + 'static) -> Result<T> {
    let given = Rc::new(RefCell::new(None));
    let keep = given.clone();
    let migration = Migration::new().finish(move |cx| {
        *keep.borrow_mut() = Some(ask(cx.input()?));
        Ok(())
    });
    Harness::new(migration).answer(move |_, _, _| answer.clone()).finish().unwrap();
    given.take().unwrap()
}

/// The message of a query that cannot be read.
fn refused<T: 'static>(answer: Answer, ask: impl Fn(Connection) -> Result<T> + 'static) -> String {
    asked(Ok(answer), ask).map(drop).unwrap_err().to_string()
}

fn one(value: impl IntoValue) -> Answer {
    Answer::columns(&["x"]).row((value,))
}

#[derive(Debug, PartialEq, Deserialize)]
struct Rack {
    id: i64,
    name: String,
    location: Option<Location>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Location {
    site: String,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Up,
    Down,
}

#[test]
fn a_row_is_a_struct_a_tuple_or_a_value() {
    let racks = || Answer::columns(&["name", "location", "id"]).row(("R1", json!({"site": "DC1"}), 7));
    let expected = Rack { id: 7, name: "R1".into(), location: Some(Location { site: "DC1".into() }) };
    assert_eq!(asked(Ok(racks()), |input| input.row::<Rack>("q", ())).unwrap(), Some(expected));
    let row = asked(Ok(racks()), |input| input.row::<(String, Location, u8)>("q", ())).unwrap();
    assert_eq!(row, Some(("R1".into(), Location { site: "DC1".into() }, 7)));
    let map = asked(Ok(racks()), |input| input.row::<BTreeMap<String, serde_json::Value>>("q", ())).unwrap().unwrap();
    assert_eq!((&map["id"], &map["name"]), (&json!(7), &json!("R1")));
    assert_eq!(asked(Ok(one(5)), |input| input.row::<i64>("q", ())).unwrap(), Some(5));
    assert_eq!(asked(Ok(one("a")), |input| input.row::<(String,)>("q", ())).unwrap(), Some(("a".into(),)));
    assert_eq!(asked(Ok(one(None::<i64>)), |input| input.row::<Option<String>>("q", ())).unwrap(), Some(None));
    assert_eq!(asked(Ok(Answer::columns(&["x"])), |input| input.row::<i64>("q", ())).unwrap(), None);
}

#[test]
#[allow(clippy::float_cmp, reason = "a value comes back as it went in")]
fn every_type_reads_its_values() {
    macro_rules! reads {
        ($($value:expr => $type:ty: $expected:expr;)*) => {
            $(assert_eq!(asked(Ok(one($value)), |input| input.value::<$type>("q", ())).unwrap(), $expected);
            assert_eq!(asked(Ok(one($value)), |input| input.row::<($type,)>("q", ())).unwrap(), Some(($expected,)));
            assert_eq!(asked(Ok(one($value)), |input| input.value::<Option<$type>>("q", ())).unwrap(), Some($expected));)*
        };
    }
    reads! {
        i64::MIN => i64: i64::MIN;
        7 => i32: 7;
        7 => u64: 7;
        1.5 => f64: 1.5;
        3 => f64: 3.0;
        1 => bool: true;
        0 => bool: false;
        true => bool: true;
        "Tromsø" => String: "Tromsø".to_owned();
        "12.50" => Decimal: "12.50".parse().unwrap();
        0.1 => Decimal: "0.1".parse().unwrap();
        "NaN" => String: "NaN".to_owned();
        "-Infinity" => Float: Float(f64::NEG_INFINITY);
        vec![0u8, 255] => Vec<u8>: vec![0, 255];
        Bytes(vec![0, 255]) => Bytes: Bytes(vec![0, 255]);
        "{\"$json\":[1]}" => Json: Json(json!({"$json": [1]}));
        "null" => Json: Json(json!(null));
        "[1,2]" => Vec<i64>: vec![1, 2];
        "[1,\"a\"]" => (i64, String): (1, "a".to_owned());
        "up" => Status: Status::Up;
    }
    assert_eq!(asked(Ok(one(None::<i64>)), |input| input.value::<Option<Json>>("q", ())).unwrap(), None);
    assert_eq!(asked(Ok(one("x")), |input| input.row::<Bytes>("q", ())).unwrap_err().code(), None);
    assert_eq!(asked(Ok(one("{}")), |input| input.row::<Json>("q", ())).unwrap(), Some(Json(json!({}))));
    assert_eq!(asked(Ok(one("1.0")), |input| input.row::<Decimal>("q", ())).unwrap(), Some("1.0".parse().unwrap()));
}

#[test]
fn a_value_that_does_not_fit_is_named_by_its_column() {
    let two = || Answer::columns(&["id", "name"]).row((300, None::<i64>));
    let cases = [
        (
            refused(two(), |input| input.row::<(u8, String)>("q", ())),
            "column id: invalid value: integer `300`, expected u8",
        ),
        (
            refused(two(), |input| input.row::<(u16, String)>("q", ())),
            "column name: invalid type: NULL, expected a string",
        ),
        (refused(two(), |input| input.row::<Rack>("q", ())), "column name: invalid type: NULL, expected a string"),
        (refused(one(1), |input| input.row::<Rack>("q", ())), "missing field `id`"),
        (refused(two(), |input| input.row::<i64>("q", ())), "has 2 columns where 1 is wanted"),
        (refused(two(), |input| input.row::<(i64,)>("q", ())), "has 2 columns where 1 is wanted"),
        (refused(two(), |input| input.value::<i64>("q", ())), "has 2 columns where 1 is wanted"),
        (refused(one(1), |input| input.row::<(i64, i64)>("q", ())), "has 1 column where 2 are wanted"),
        (refused(one(-1), |input| input.value::<u64>("q", ())), "column x: invalid value: integer `-1`, expected u64"),
        (
            refused(one(1.5), |input| input.value::<i64>("q", ())),
            "column x: invalid type: floating point `1.5`, expected i64",
        ),
        (
            refused(one(2), |input| input.value::<bool>("q", ())),
            "column x: invalid type: integer `2`, expected a boolean",
        ),
        (
            refused(one("x"), |input| input.value::<Location>("q", ())),
            "column x: is not a JSON document: expected value",
        ),
        (refused(one("{}"), |input| input.value::<Location>("q", ())), "column x: missing field `site`"),
        (
            refused(one("odd"), |input| input.value::<Status>("q", ())),
            "column x: unknown variant `odd`, expected `up` or `down`",
        ),
        (refused(one("1,5"), |input| input.value::<Decimal>("q", ())), "column x: \"1,5\" is not a decimal number"),
    ];
    for (message, expected) in cases {
        assert_eq!(message, format!("input, `q`: {expected}"));
    }
}

#[test]
fn one_row_is_one_row() {
    let two = || Answer::columns(&["x"]).row([1]).row([2]);
    let several =
        "input, `select x\nfrom y`: has more than one row; ask for one, or read them with `rows`".replace('\n', " ");
    assert_eq!(refused(two(), |input| input.row::<i64>("select x\n  from y", ())), several);
    assert_eq!(refused(two(), |input| input.value::<i64>("select x\n  from y", ())), several);
    let none = refused(Answer::columns(&["x"]), |input| input.value::<i64>("q", ()));
    assert_eq!(none, "input, `q`: has no row; where there may be none, ask with `row`");
}

#[test]
fn rows_come_in_batches_and_end_at_the_first_error() {
    let many = (0..1000).fold(Answer::columns(&["n"]), |rows, n| rows.row([n]));
    let read = asked(Ok(many), |input| input.rows::<i64>("q", ())?.collect::<Result<Vec<_>>>()).unwrap();
    assert_eq!(read, (0..1000).collect::<Vec<_>>());
    let odd = Answer::columns(&["n"]).row([1]).row(["x"]).row([3]);
    let read =
        asked(Ok(odd), |input| Ok(input.rows::<i64>("q", ())?.map(|row| row.is_ok()).collect::<Vec<_>>())).unwrap();
    assert_eq!(read, [true, false]);
}

#[test]
fn every_type_goes_into_a_statement() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let keep = seen.clone();
    let migration = Migration::new().finish(|cx| {
        let scratch = cx.scratch()?;
        let name = "b".to_owned();
        scratch.execute("q", ())?;
        scratch.execute("q", (1, 2i64, 3u32, 4u64, 1.5, true, None::<i64>, "a", &name, Some(name.as_str())))?;
        scratch.execute("q", (vec![1u8], &[2u8][..], Bytes(vec![3])))?;
        scratch.execute("q", (Decimal::from_cents(1250), Json(json!({"$json": 1})), json!(null)))?;
        scratch.execute("q", [1, 2])?;
        scratch.execute("q", &[Value::Null, Value::Integer(1)][..]).map(drop)
    });
    let mut harness = Harness::new(migration).answer(move |connection, _, values| {
        assert_eq!(connection, "scratch");
        keep.borrow_mut().push(values.to_vec());
        Ok(Answer::changed(1))
    });
    harness.finish().unwrap();
    let (integer, text) = (Value::Integer, |text: &str| Value::Text(text.to_owned()));
    let expected = [
        vec![],
        vec![
            integer(1),
            integer(2),
            integer(3),
            integer(4),
            Value::Real(1.5),
            Value::Boolean(true),
            Value::Null,
            text("a"),
            text("b"),
            text("b"),
        ],
        vec![Value::Bytes(vec![1]), Value::Bytes(vec![2]), Value::Bytes(vec![3])],
        vec![text("12.50"), text("{\"$json\":1}"), text("null")],
        vec![integer(1), integer(2)],
        vec![Value::Null, integer(1)],
    ];
    assert_eq!(*seen.borrow(), expected);
}

#[test]
fn a_value_that_sql_has_not_never_reaches_the_host() {
    let error = refused(Answer::changed(1), |input| input.execute("insert into t values (?, ?)", (1, u64::MAX)));
    assert_eq!(
        error,
        "input, `insert into t values (?, ?)`: value 2: 18446744073709551615 is too large: SQL has integers up to 9223372036854775807"
    );
}

#[test]
fn what_the_host_says_comes_with_its_code_and_the_statement() {
    let long = "select a_rather_long_name_of_a_column, another_rather_long_name_of_a_column from a_table_of_a_name where it > 0";
    let error = asked(Err(Error::new("no such table: racks")), move |input| input.value::<i64>(long, ())).unwrap_err();
    assert_eq!(error.code(), Some("HY000"));
    assert_eq!(
        error.to_string(),
        "input, `select a_rather_long_name_of_a_column, another_rather_long_name_of_a_column from a_table_of_a_name w…`: \
         no such table: racks (HY000)"
    );
}

#[test]
fn a_lookup_in_a_transformation_opens_one_connection_a_chunk() {
    let asked = Rc::new(Cell::new(0));
    let count = asked.clone();
    let migration = Migration::new().edit("devices", |record, cx| {
        let rack: i64 = record.take("rack_id")?;
        for name in cx.input()?.rows::<String>("select name from racks where id = ?", (rack,))? {
            cx.emit("racks", &json!({"name": name?}))?;
        }
        Ok(())
    });
    let mut harness = Harness::new(migration).answer(move |connection, sql, values| {
        count.set(count.get() + 1);
        assert_eq!((connection, sql), ("input", "select name from racks where id = ?"));
        let [Value::Integer(id)] = values else { panic!("{values:?}") };
        Ok(Answer::columns(&["name"]).row((format!("R{id}"),)))
    });
    let output = harness.transform_lines("devices", "{\"id\":1,\"rack_id\":5}\n{\"id\":2,\"rack_id\":6}\n").unwrap();
    assert_eq!(output.lines("racks"), "{\"name\":\"R5\"}\n{\"name\":\"R6\"}\n");
    assert_eq!(output.lines("devices"), "{\"id\":1}\n{\"id\":2}\n");
    assert_eq!(asked.get(), 2);
}

#[test]
fn the_target_is_there_in_verify_only_and_where_there_is_one() {
    let harness = || {
        let tell = |cx: &mut Context| {
            let there = cx.target()?.is_some();
            cx.info(there);
            Ok(())
        };
        Harness::new(Migration::new().finish(tell).verify(tell))
    };
    let seen = |mut harness: Harness| {
        harness.finish().unwrap();
        let in_finish = harness.log()[0].1.clone();
        harness.verify().unwrap();
        [in_finish, harness.log()[0].1.clone()]
    };
    let answered = |harness: Harness| harness.answer(|_, _, _| Ok(Answer::default()));
    assert_eq!(seen(harness()), ["false", "false"]);
    assert_eq!(seen(answered(harness())), ["false", "true"]);
    assert_eq!(seen(answered(harness().manifest("{}"))), ["false", "false"]);
    assert_eq!(seen(answered(harness().manifest(r#"{"target": {"devices": "read"}}"#))), ["false", "true"]);
}

#[test]
fn a_connection_that_the_manifest_does_not_ask_for_does_not_open() {
    let open = |open: fn(&mut Context) -> Result<Connection>, manifest: &str| {
        let migration = Migration::new().verify(move |cx| open(cx).map(drop));
        Harness::new(migration).manifest(manifest).answer(|_, _, _| Ok(Answer::default())).verify()
    };
    let error = open(Context::input, "{}").unwrap_err();
    assert_eq!(error.code(), Some("08001"));
    assert_eq!(
        error.to_string(),
        "the connection input cannot be opened: it does not answer here (08001); module.json declares what it shows in \"reads\""
    );
    assert!(open(Context::scratch, "{}").unwrap_err().message().contains("\"scratch\": true"));
    assert_eq!(open(Context::input, r#"{"reads": ["racks"]}"#), Ok(()));
    assert_eq!(open(Context::scratch, r#"{"scratch": true, "ordered": true}"#), Ok(()));
}

#[test]
#[should_panic(expected = "make the test a golden case (cases/<name>/)")]
fn without_answers_a_test_is_told_where_a_database_is() {
    let _ = Harness::new(Migration::new().verify(|cx| cx.input().map(drop))).verify();
}
