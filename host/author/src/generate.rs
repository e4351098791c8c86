//! Records made up for a collection: all of them fit it, none of them means anything.
//!
//! Nothing here is random: the same collection always gets the same records.

use godwit_model::{Collection, Column, Default, Kind};

/// How many records are made for a collection.
pub(crate) const RECORDS: usize = 48;

/// JSON lines, each a record of its own.
pub(crate) fn records(collection: &Collection) -> Vec<Vec<u8>> {
    (0..RECORDS).map(|number| record(collection, number)).collect()
}

fn record(collection: &Collection, number: usize) -> Vec<u8> {
    let fields: Vec<_> = collection
        .stored_columns()
        .enumerate()
        .map(|(place, column)| {
            let name = serde_json::Value::from(column.name.as_str());
            let value = if is_key(collection, column) { key(column.kind, number) } else { None };
            format!("{name}:{}", value.unwrap_or_else(|| value_of(column, number + place)))
        })
        .collect();
    format!("{{{}}}\n", fields.join(",")).into_bytes()
}

fn is_key(collection: &Collection, column: &Column) -> bool {
    let names = |key: &Vec<String>| key.contains(&column.name);
    !column.array && (names(&collection.primary_key) || collection.unique.iter().any(names))
}

/// A value that no other record has, where the type has so many.
fn key(kind: Kind, number: usize) -> Option<String> {
    Some(match kind {
        Kind::Int16 | Kind::Int32 | Kind::Int64 | Kind::Float32 | Kind::Float64 | Kind::Any => {
            format!("{}", number + 1)
        }
        Kind::Decimal => format!("\"{}\"", number + 1),
        Kind::Text => format!("\"key {}\"", number + 1),
        Kind::Uuid => format!("\"00000000-0000-4000-8000-{number:012}\""),
        _ => return None,
    })
}

/// Turns over the defaults, NULLs and edges of a type.
fn value_of(column: &Column, turn: usize) -> String {
    match &column.default {
        Some(Default::Value(json)) if turn.is_multiple_of(3) && json != "null" => json.clone(),
        _ if column.nullable && turn % 4 == 3 => "null".to_owned(),
        _ if column.array => format!("[{}]", of_kind(column.kind, turn)),
        _ => of_kind(column.kind, turn).to_owned(),
    }
}

fn of_kind(kind: Kind, turn: usize) -> &'static str {
    let values: &[&str] = match kind {
        Kind::Boolean => &["true", "false"],
        Kind::Int16 => &["1", "0", "-1", "32767", "-32768", "42"],
        Kind::Int32 => &["1", "0", "-1", "2147483647", "-2147483648", "42"],
        Kind::Int64 => &["1", "0", "-1", "9223372036854775807", "-9223372036854775808", "42", "9007199254740993"],
        Kind::Float32 | Kind::Float64 => &["0.0", "1.5", "-0.1", "1299.99", "1e-7", "0.30000000000000004", "1e21"],
        Kind::Decimal => &["\"0\"", "\"12.50\"", "\"-0.001\"", "\"12345678901234567890.12\""],
        Kind::Text => &[
            "\"plain\"",
            "\"\"",
            "\"Ada Lindqvist\"",
            "\"Tromsø \u{2602} \u{1f426}\"",
            "\"a \\\"quoted\\\" word, a\\\\b\"",
            "\"two\\nlines\\tand a tab\"",
            "\"42\"",
            "\"one/two/three\"",
        ],
        Kind::Bytes => &["{\"$bytes\":\"\"}", "{\"$bytes\":\"AP8=\"}"],
        Kind::Date => &["\"2024-02-29\"", "\"1969-12-31\""],
        Kind::Time => &["\"00:00:00\"", "\"23:59:59.999999\""],
        Kind::Timestamp => &["\"2024-02-29T12:34:56\"", "\"1969-12-31T23:59:59.5\""],
        Kind::Timestamptz => &["\"2024-02-29T12:34:56Z\"", "\"1969-12-31T23:59:59.5Z\""],
        Kind::Interval => &["\"1 day\"", "\"00:00:01\""],
        Kind::Uuid => &["\"6ba7b810-9dad-41d1-80b4-00c04fd430c8\""],
        Kind::Json => &["{\"a\":[1,2.50,null]}", "[]", "\"text\"", "1.10", "true"],
        Kind::Any => &["\"text\"", "7", "2.5", "{\"$bytes\":\"AA==\"}"],
        Kind::Native => &["\"1\"", "\"\""],
    };
    values[turn % values.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use godwit_model::records;

    #[test]
    fn what_is_generated_fits_and_keys_differ() {
        let kinds = [
            Kind::Boolean,
            Kind::Int16,
            Kind::Int32,
            Kind::Int64,
            Kind::Float32,
            Kind::Float64,
            Kind::Decimal,
            Kind::Text,
            Kind::Bytes,
            Kind::Date,
            Kind::Time,
            Kind::Timestamp,
            Kind::Timestamptz,
            Kind::Interval,
            Kind::Uuid,
            Kind::Json,
            Kind::Any,
            Kind::Native,
        ];
        let column = |kind: Kind, name: &str| Column::new(&format!("{kind:?} {name}"), kind);
        let columns = kinds.into_iter().flat_map(|kind| {
            let array = Column { array: true, ..column(kind, "array") };
            [column(kind, "one"), column(kind, "null").nullable(), array]
        });
        let collection = Collection::new("all", columns).with_primary_key(["Int64 one", "Text one", "Uuid one"]);
        let lines = super::records(&collection).concat();
        let mut keys = std::collections::BTreeSet::new();
        let key = records::positions(&collection, &collection.primary_key).unwrap();
        let checked = records::check(&collection, &lines, |_, fields| assert!(keys.insert(fields.key(&key)))).unwrap();
        assert_eq!((checked.records, checked.reordered), (RECORDS as u64, None));
    }
}
