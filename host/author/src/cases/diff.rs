//! The difference between what a case expects and what the module returned, field by field.

use std::collections::{BTreeMap, BTreeSet};

use godwit_model::{CollectionName, Database, records};
use serde_json::Value;

use crate::Finding;
use crate::run::Records;

/// Compares records collection by collection. The catalog, where there is one, knows the keys.
pub(super) fn records(expected: &Records, got: &Records, catalog: Option<&Database>) -> Vec<Finding> {
    let names: BTreeSet<_> = expected.keys().chain(got.keys()).collect();
    names.into_iter().flat_map(|name| Pair::new(name, expected, got, catalog).findings()).collect()
}

struct Row<'a> {
    key: String,
    line: &'a str,
}

struct Pair<'a> {
    collection: &'a CollectionName,
    expected: Vec<Row<'a>>,
    got: Vec<Row<'a>>,
}

impl<'a> Pair<'a> {
    fn new(name: &'a CollectionName, expected: &'a Records, got: &'a Records, catalog: Option<&Database>) -> Self {
        let key = catalog.and_then(|database| database.collection(name.as_str())).map(|found| &*found.primary_key);
        let rows = |records: &'a Records| rows(records.get(name), key.unwrap_or_default());
        Self { collection: name, expected: rows(expected), got: rows(got) }
    }

    fn findings(&self) -> Vec<Finding> {
        let (old, new) = (by_key(&self.expected), by_key(&self.got));
        let (Some(old), Some(new)) = (old, new) else { return self.by_place() };
        let mut findings = vec![];
        for row in &self.expected {
            match new.get(&*row.key) {
                Some(&place) => findings.extend(self.fields(place, row, &self.got[place])),
                None => findings.push(self.missing(old[&*row.key], row)),
            }
        }
        let stray = self.got.iter().enumerate().filter(|(_, row)| !old.contains_key(&*row.key));
        findings.extend(stray.map(|(place, row)| self.stray(place, row)));
        if findings.is_empty() { self.order().into_iter().collect() } else { findings }
    }

    /// Where keys cannot tell records apart.
    fn by_place(&self) -> Vec<Finding> {
        let pairs = self.expected.iter().zip(&self.got).enumerate();
        let mut findings: Vec<_> = pairs.flat_map(|(place, (old, new))| self.fields(place, old, new)).collect();
        let both = self.expected.len().min(self.got.len());
        findings.extend(self.expected.iter().enumerate().skip(both).map(|(place, row)| self.missing(place, row)));
        findings.extend(self.got.iter().enumerate().skip(both).map(|(place, row)| self.stray(place, row)));
        findings
    }

    fn order(&self) -> Option<Finding> {
        let keys = |rows: &[Row<'_>]| rows.iter().map(|row| row.key.clone()).collect::<Vec<_>>().join(" ");
        let (old, new) = (keys(&self.expected), keys(&self.got));
        let place = format!("{}, the order of the records' keys", self.collection);
        (old != new).then(|| Finding::different(&place, Some(&old), Some(&new)))
    }

    fn missing(&self, place: usize, row: &Row<'_>) -> Finding {
        Finding::different(&self.place(place, &row.key), Some(row.line), None)
    }

    fn stray(&self, place: usize, row: &Row<'_>) -> Finding {
        Finding::different(&self.place(place, &row.key), None, Some(row.line))
    }

    fn fields(&self, place: usize, expected: &Row<'_>, got: &Row<'_>) -> Vec<Finding> {
        if expected.line == got.line {
            return vec![];
        }
        let (old, new) = (fields(expected.line), fields(got.line));
        let names = old.keys().chain(new.keys()).collect::<BTreeSet<_>>();
        let differ = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
        let here = self.place(place, &got.key);
        differ
            .map(|name| {
                Finding::different(
                    &format!("{here}, field {name}"),
                    old.get(name).map(String::as_str),
                    new.get(name).map(String::as_str),
                )
            })
            .collect()
    }

    fn place(&self, number: usize, key: &str) -> String {
        format!("{}, record {number} (key {key})", self.collection)
    }
}

fn rows<'a>(lines: Option<&'a Vec<u8>>, key: &[String]) -> Vec<Row<'a>> {
    let text = lines.map_or("", |lines| std::str::from_utf8(lines).expect("records are tidied, and so UTF-8"));
    text.lines().map(|line| Row { key: key_of(line, key), line }).collect()
}

/// The places of rows by their keys; none where two have the same.
fn by_key<'a>(rows: &'a [Row<'_>]) -> Option<BTreeMap<&'a str, usize>> {
    let places: BTreeMap<_, _> = rows.iter().enumerate().map(|(place, row)| (&*row.key, place)).collect();
    (places.len() == rows.len()).then_some(places)
}

/// The key's values; where no key is known the field `id`, or else the first.
fn key_of(line: &str, key: &[String]) -> String {
    let all: Vec<_> = members(line).collect();
    let value = |name: &str| all.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    let named: Option<Vec<_>> = key.iter().map(|name| value(name)).collect();
    match named.filter(|values| !values.is_empty()) {
        Some(values) => values.join(","),
        None => value("id").or(all.first().map(|(_, value)| value.as_str())).unwrap_or_default().to_owned(),
    }
}

fn fields(line: &str) -> BTreeMap<String, String> {
    members(line).collect()
}

fn members(line: &str) -> impl Iterator<Item = (String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    records::members(line.as_bytes()).map_while(Result::ok).map(move |(name, value)| (name.into_owned(), text(value)))
}

/// Compares catalogs; what has a name is found by it.
pub(super) fn catalogs(expected: &Value, got: &Value) -> Vec<Finding> {
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    flatten("catalog", expected, &mut old);
    flatten("catalog", got, &mut new);
    let places: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let differ = places.into_iter().filter(|place| old.get(*place) != new.get(*place));
    differ
        .map(|place| Finding::different(place, old.get(place).map(String::as_str), new.get(place).map(String::as_str)))
        .collect()
}

fn flatten(place: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, value)| flatten(&format!("{place}.{name}"), value, into));
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            into.insert(format!("{place}, the order"), names(items).join(" "));
            for (name, item) in names(items).iter().zip(items) {
                flatten(&format!("{place}.{name}"), item, into);
            }
        }
        other => {
            into.insert(place.to_owned(), other.to_string());
        }
    }
}

fn names(items: &[Value]) -> Vec<String> {
    let name = |(place, item): (usize, &Value)| match item.get("name").and_then(Value::as_str) {
        Some(name) => name.to_owned(),
        None => place.to_string(),
    };
    items.iter().enumerate().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use godwit_model::{Collection, Column, EngineKind, Kind};

    fn of(lines: &str) -> Records {
        Records::from([(CollectionName::new("users").unwrap(), lines.as_bytes().to_vec())])
    }

    fn told(expected: &str, got: &str, catalog: Option<&Database>) -> Vec<String> {
        let tell = |finding: Finding| format!("{}: {:?} {:?}", finding.place, finding.expected, finding.got);
        records(&of(expected), &of(got), catalog).into_iter().map(tell).collect()
    }

    #[test]
    fn records_are_paired_by_key_and_told_field_by_field() {
        let expected = "{\"id\":1,\"name\":\"Ada\"}\n{\"id\":2,\"name\":\"Bo\"}\n";
        let got = "{\"id\":2,\"name\":\"Bob\"}\n{\"id\":3,\"name\":\"Cy\",\"x\":1}\n";
        assert_eq!(
            told(expected, got, None),
            [
                "users, record 0 (key 1): Some(\"{\\\"id\\\":1,\\\"name\\\":\\\"Ada\\\"}\") None",
                "users, record 0 (key 2), field name: Some(\"\\\"Bo\\\"\") Some(\"\\\"Bob\\\"\")",
                "users, record 1 (key 3): None Some(\"{\\\"id\\\":3,\\\"name\\\":\\\"Cy\\\",\\\"x\\\":1}\")",
            ]
        );
    }

    #[test]
    fn keys_in_another_order_are_no_difference_but_records_are() {
        assert!(told("{\"id\":1,\"a\":2}\n", "{\"a\":2,\"id\":1}\n", None).is_empty());
        let swapped = told("{\"id\":1}\n{\"id\":2}\n", "{\"id\":2}\n{\"id\":1}\n", None);
        assert_eq!(swapped, ["users, the order of the records' keys: Some(\"1 2\") Some(\"2 1\")"]);
    }

    #[test]
    fn numbers_that_are_equal_are_not_the_same() {
        assert_eq!(told("{\"id\":1,\"n\":1.0}\n", "{\"id\":1,\"n\":1}\n", None).len(), 1);
    }

    #[test]
    fn the_catalogs_key_tells_records_apart_and_doubles_go_by_place() {
        let columns = [Column::new("id", Kind::Int64), Column::new("tag", Kind::Int64)];
        let mut database = Database::new(EngineKind::Sqlite);
        database.collections.push(Collection::new("users", columns).with_primary_key(["id", "tag"]));
        let found = told("{\"id\":1,\"tag\":2}\n", "{\"id\":1,\"tag\":3}\n", Some(&database));
        assert!(found[0].contains("(key 1,2)") && found[1].contains("(key 1,3)"), "{found:?}");
        let doubled =
            told("{\"id\":1,\"a\":1}\n{\"id\":1,\"a\":2}\n", "{\"id\":1,\"a\":1}\n{\"id\":1,\"a\":3}\n", None);
        assert_eq!(doubled, ["users, record 1 (key 1), field a: Some(\"2\") Some(\"3\")"]);
    }

    #[test]
    fn catalogs_are_told_by_names() {
        let old = serde_json::json!({"collections": [{"name": "a", "columns": [{"name": "x", "nullable": true}]}]});
        let new = serde_json::json!({"collections": [{"name": "a", "columns": [{"name": "x", "nullable": false}]}]});
        let found = catalogs(&old, &new);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "catalog.collections.a.columns.x.nullable");
        assert_eq!((found[0].expected.as_deref(), found[0].got.as_deref()), (Some("true"), Some("false")));
    }
}
