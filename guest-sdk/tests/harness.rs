//! A migration as the host runs it: what it may do, and what it is told when it may not.

use std::cell::Cell;
use std::rc::Rc;

use godwit_sdk::prelude::*;
use godwit_sdk::testing::{Harness, Level, json};

#[allow(clippy::unnecessary_wraps, reason = "it stands for a transformation")]
fn pass(_: &mut Record, _: &mut Context) -> Result<()> {
    Ok(())
}

#[test]
fn one_chunk_gives_records_of_several_collections() {
    let mut harness = Harness::new(Migration::new().edit("a", |record, cx| {
        cx.emit("b", &json!({"of": record.get::<i64>("id")?}))?;
        cx.emit("b", &vec![json!({"of": 0}), json!({"of": -1})])?;
        cx.emit("nothing", &None::<i64>)
    }));
    let output = harness.transform_lines("a", "{\"id\":1}\n{\"id\":2}\n").unwrap();
    assert_eq!(output.collections(), ["a", "b"]);
    assert_eq!(output.lines("b"), "{\"of\":1}\n{\"of\":0}\n{\"of\":-1}\n{\"of\":2}\n{\"of\":0}\n{\"of\":-1}\n");
    let output = harness.transform_lines("a", "").unwrap();
    assert!(output.collections().is_empty());
}

#[test]
fn a_collection_goes_to_one_of_another_name() {
    let migration = Migration::new()
        .rename("old", "new")
        .rename("edited", "other")
        .edit("edited", |record, _| record.rename("id", "number"));
    let mut harness = Harness::new(migration);
    assert_eq!(harness.transform_lines("old", "{ \"id\": 1}\n").unwrap().lines("new"), "{ \"id\": 1}\n");
    assert_eq!(harness.transform_lines("edited", "{\"id\":1}\n").unwrap().lines("other"), "{\"number\":1}\n");
}

#[test]
fn parameters_come_from_the_operator_the_manifest_or_the_archive() {
    let manifest = r#"{"rewrites": ["a"], "parameters": {"given": {}, "default": {"default": [1]}, "none": {}}}"#;
    let migration = Migration::new().edit("a", |record, cx| {
        record.set("given", cx.parameter::<String>("given")?)?;
        record.set("default", cx.parameter::<Vec<u8>>("default")?)?;
        record.set("none", cx.optional_parameter::<u8>("none")?)?;
        record.set("time", cx.timestamp()?)?;
        record.set("seed", cx.seed()?)
    });
    let harness = Harness::new(migration).manifest(manifest).parameter("given", "x");
    let mut harness = harness.timestamp("2026-05-06T07:08:09Z").seed(0xabc);
    let output = harness.transform_lines("a", "{}\n").unwrap();
    let expected = json!({"given": "x", "default": [1], "none": null, "time": "2026-05-06T07:08:09Z", "seed": 0xabc});
    assert_eq!(output.records("a"), [expected]);
}

#[test]
fn a_parameter_that_is_missing_or_wrong_is_named() {
    let migration = || Migration::new().edit("a", |_, cx| cx.parameter::<u8>("limit").map(drop));
    let error = Harness::new(migration()).transform_lines("a", "{}\n").unwrap_err();
    assert!(error.message().starts_with("the parameter limit has no value"), "{error}");
    let error = Harness::new(migration()).parameter("limit", "x").transform_lines("a", "{}\n").unwrap_err();
    assert_eq!(error.message(), "the parameter limit cannot be \"x\": invalid type: string \"x\", expected u8");
}

#[test]
fn finish_sees_what_an_ordered_migration_kept() {
    let seen = Rc::new(Cell::new(0));
    let counter = seen.clone();
    let migration = Migration::new()
        .edit("a", move |_, _| {
            counter.set(counter.get() + 1);
            Ok(())
        })
        .finish(move |cx| cx.emit("totals", &json!({"a": seen.get()})));
    let mut harness = Harness::new(migration);
    harness.transform_lines("a", "{}\n{}\n").unwrap();
    harness.transform_lines("a", "{}\n").unwrap();
    assert_eq!(harness.finish().unwrap().lines("totals"), "{\"a\":3}\n");
}

#[test]
fn verify_says_no_and_emits_nothing() {
    let mut harness = Harness::new(Migration::new().verify(|_| Err(Error::new("two users share a key"))));
    assert_eq!(harness.verify().unwrap_err().to_string(), "two users share a key");
    let mut harness = Harness::new(Migration::new().verify(|cx| cx.emit("a", &json!({}))));
    assert!(harness.verify().unwrap_err().message().contains("nobody takes any more"));
    assert_eq!(Harness::new(Migration::new()).verify(), Ok(()));
}

#[test]
fn records_are_numbered_and_damaged_ones_named() {
    let mut harness = Harness::new(Migration::new().edit("a", |_, cx| {
        cx.info(format!("record {}", cx.record_number()));
        Ok(())
    }));
    let error = harness.transform_lines("a", "{\"id\":5}\n{\"id\":6,\"x\":\n{}\n").unwrap_err();
    assert_eq!(error.to_string(), "a, record 1 (key 6): is not a JSON object: a value is missing at byte 12");
    assert_eq!(harness.log(), [(Level::Info, "record 0".to_owned())]);
}

#[test]
fn a_collection_without_transformation_is_an_error() {
    let error = Harness::new(Migration::new()).transform_lines("a", "{}\n").unwrap_err();
    assert!(error.to_string().starts_with("a: the manifest declares this collection"), "{error}");
}

#[test]
#[should_panic(expected = "a has two transformations")]
fn two_transformations_of_one_collection_are_a_mistake() {
    let _ = Migration::new().edit("a", pass).drop_all("a");
}

#[test]
#[should_panic(expected = "what the manifest declares")]
fn a_manifest_that_declares_something_else_is_a_mistake() {
    let _ = Harness::new(Migration::new().edit("a", pass)).manifest(r#"{"rewrites": ["b"]}"#);
}

#[test]
fn records_of_undeclared_collections_are_refused() {
    let migration = Migration::new().edit("a", |_, cx| cx.emit("b", &json!({})));
    let mut harness = Harness::new(migration).manifest(r#"{"rewrites": ["a"]}"#);
    let error = harness.transform_lines("a", "{}\n").unwrap_err();
    assert_eq!(error.to_string(), "b: the manifest declares this collection neither as rewritten nor as created");
}

#[test]
fn records_that_do_not_fit_the_evolved_catalog_are_refused() {
    let evolve = |catalog: &mut Catalog| {
        catalog.collection("a")?.rename_column("old", "new")?.add_column(Column::text("more").nullable())?;
        Ok(())
    };
    let before = Catalog::new("sqlite")
        .with(Collection::new("a").column(Column::int64("id")).column(Column::text("old").nullable()));
    let refused = |edit: fn(&mut Record, &mut Context) -> Result<()>| {
        let mut harness = Harness::new(Migration::new().evolve(evolve).edit("a", edit));
        harness.evolve(&before).unwrap();
        harness.transform_lines("a", "{\"id\":1,\"old\":null}\n").unwrap_err().to_string()
    };
    assert_eq!(refused(pass), "a, record 0, field new: is missing");
    assert_eq!(refused(|record, _| record.rename("old", "new")), "a, record 0, field more: is missing");
    let null_id = |record: &mut Record, _: &mut Context| {
        record.rename("old", "new")?;
        record.set("more", "x")?;
        record.set("id", None::<i64>)
    };
    assert_eq!(refused(null_id), "a, record 0, field id: is null, which the column does not allow");
    let stray = |record: &mut Record, _: &mut Context| {
        record.set("new", "x")?;
        record.set("more", "x")
    };
    assert_eq!(refused(stray), "a, record 0, field old: is no column of the evolved collection");
}
