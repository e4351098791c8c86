//! The record encoding: JSON lines, checked against a collection.
//!
//! One JSON object a line, keys in column order, every column present. [`check`] proves that of
//! bytes that a module or an archive handed us, in one pass, and hands out each record's fields.

mod json;

use std::collections::BTreeMap;
use std::ops::Range;

pub use json::{JsonError, Shape, skip_value, unescape};

use crate::{Collection, Column, Kind};

/// What [`check`] found.
#[derive(Debug, PartialEq, Eq)]
pub struct Checked {
    /// Number of records.
    pub records: u64,
    /// The same records with their keys put in column order, where some were not.
    pub reordered: Option<Vec<u8>>,
}

/// A record that does not fit its collection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {record}{}{}: {problem}",
    key.as_ref().map(|key| format!(" (key {key})")).unwrap_or_default(),
    column.as_ref().map(|column| format!(", column {column}")).unwrap_or_default())]
pub struct RecordError {
    /// Index of the record among those given, from 0.
    pub record: u64,
    /// Its primary key as JSON, as far as it could be read.
    pub key: Option<String>,
    /// The column, where one is to blame.
    pub column: Option<String>,
    /// What is wrong.
    pub problem: String,
}

/// The values of one record, in the order of the collection's stored columns.
pub struct Fields<'a> {
    line: &'a [u8],
    spans: &'a [Range<usize>],
}

impl<'a> Fields<'a> {
    /// The JSON text of the `index`th stored column.
    pub fn get(&self, index: usize) -> &'a [u8] {
        &self.line[self.spans[index].clone()]
    }

    /// All values in column order.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        self.spans.iter().map(|span| &self.line[span.clone()])
    }

    /// The named columns' values as a JSON array, for messages and key comparison.
    pub fn key(&self, columns: &[usize]) -> Vec<u8> {
        let mut key = vec![b'['];
        for (i, &column) in columns.iter().enumerate() {
            if i > 0 {
                key.push(b',');
            }
            key.extend_from_slice(self.get(column));
        }
        key.push(b']');
        key
    }
}

/// Checks JSON lines against a collection and visits each record's fields.
///
/// # Errors
/// The first record that is not a JSON object of exactly the collection's stored columns, with
/// values of their types.
pub fn check(
    collection: &Collection,
    lines: &[u8],
    mut visit: impl FnMut(u64, &Fields<'_>),
) -> Result<Checked, RecordError> {
    let layout = Layout::of(collection);
    let mut spans = vec![0..0; layout.columns.len()];
    let mut reordered: Option<Vec<u8>> = None;
    let mut records = 0;
    let mut start = 0;
    if let Err(error) = std::str::from_utf8(lines) {
        let record = count(&lines[..error.valid_up_to()]);
        return Err(RecordError { record, key: None, column: None, problem: "is not UTF-8".to_owned() });
    }
    while start < lines.len() {
        let end = match memchr::memchr(b'\n', &lines[start..]) {
            Some(length) => start + length,
            None => return Err(layout.error(records, &[], None, "is not ended by a line feed".to_owned())),
        };
        let line = &lines[start..end];
        let in_order =
            layout.split(line, &mut spans).map_err(|(column, problem)| layout.error(records, line, column, problem))?;
        layout
            .check_values(line, &spans)
            .map_err(|(column, problem)| layout.error(records, line, Some(column), problem))?;
        let fields = Fields { line, spans: &spans };
        if !in_order && reordered.is_none() {
            reordered = Some(lines[..start].to_vec());
        }
        if let Some(out) = &mut reordered {
            layout.write(&fields, out);
        }
        visit(records, &fields);
        records += 1;
        start = end + 1;
    }
    Ok(Checked { records, reordered })
}

/// Where the stored columns named are among the stored columns; none where one is missing.
pub fn positions(collection: &Collection, names: &[String]) -> Option<Vec<usize>> {
    names.iter().map(|name| collection.stored_columns().position(|column| column.name == *name)).collect()
}

struct Layout<'a> {
    columns: Vec<&'a Column>,
    /// `"name":` for each column.
    prefixes: Vec<Vec<u8>>,
    by_name: BTreeMap<&'a str, usize>,
    key: Vec<usize>,
}

type Problem = (Option<String>, String);

impl<'a> Layout<'a> {
    fn of(collection: &'a Collection) -> Self {
        let columns: Vec<_> = collection.stored_columns().collect();
        let prefix = |column: &&Column| {
            let mut text = serde_json::to_vec(&column.name).expect("a string is always JSON");
            text.push(b':');
            text
        };
        Self {
            prefixes: columns.iter().map(prefix).collect(),
            by_name: columns.iter().enumerate().map(|(i, column)| (column.name.as_str(), i)).collect(),
            key: positions(collection, &collection.primary_key).unwrap_or_default(),
            columns,
        }
    }

    /// Finds the values of a record; answers whether its keys were in column order.
    fn split(&self, line: &[u8], spans: &mut [Range<usize>]) -> Result<bool, Problem> {
        if line.first() != Some(&b'{') {
            return Err((None, "is not a JSON object".to_owned()));
        }
        let mut at = 1;
        for (prefix, span) in self.prefixes.iter().zip(spans.iter_mut()) {
            if !line[at..].starts_with(prefix) {
                return self.split_loosely(line, spans);
            }
            let start = at + prefix.len();
            let end = skip_value(line, start).map_err(|error| (None, error.to_string()))?.end;
            *span = start..end;
            at = end;
            match line.get(at) {
                Some(b',') => at += 1,
                Some(b'}') => {}
                _ => return Err((None, "is not a JSON object".to_owned())),
            }
        }
        match line.get(at) {
            Some(b'}') if at + 1 == line.len() => Ok(true),
            _ => self.split_loosely(line, spans),
        }
    }

    fn split_loosely(&self, line: &[u8], spans: &mut [Range<usize>]) -> Result<bool, Problem> {
        let mut found = vec![false; spans.len()];
        for field in json::Members::new(line) {
            let (name, value) = field.map_err(|error| (None, error.to_string()))?;
            let name = unescape(&line[name]).map_err(|error| (None, error.to_string()))?;
            let Some(&column) = self.by_name.get(&*name) else {
                return Err((Some(name.into_owned()), "is no column of the collection".to_owned()));
            };
            if std::mem::replace(&mut found[column], true) {
                return Err((Some(name.into_owned()), "occurs twice".to_owned()));
            }
            spans[column] = value;
        }
        match found.iter().position(|found| !found) {
            Some(missing) => Err((Some(self.columns[missing].name.clone()), "is missing".to_owned())),
            None => Ok(false),
        }
    }

    fn check_values(&self, line: &[u8], spans: &[Range<usize>]) -> Result<(), (String, String)> {
        for (column, span) in self.columns.iter().zip(spans) {
            if let Err(problem) = check_value(column, &line[span.clone()]) {
                return Err((column.name.clone(), problem));
            }
        }
        Ok(())
    }

    fn write(&self, fields: &Fields<'_>, out: &mut Vec<u8>) {
        out.push(b'{');
        for (i, (prefix, value)) in self.prefixes.iter().zip(fields.iter()).enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(prefix);
            out.extend_from_slice(value);
        }
        out.extend_from_slice(b"}\n");
    }

    fn error(&self, record: u64, line: &[u8], column: Option<String>, problem: String) -> RecordError {
        RecordError { record, key: self.key_of(line), column, problem }
    }

    fn key_of(&self, line: &[u8]) -> Option<String> {
        let values: BTreeMap<String, Range<usize>> = json::Members::new(line)
            .map_while(Result::ok)
            .filter_map(|(name, value)| Some((unescape(&line[name]).ok()?.into_owned(), value)))
            .collect();
        let key: Option<Vec<&str>> = self
            .key
            .iter()
            .map(|&i| std::str::from_utf8(&line[values.get(&self.columns[i].name)?.clone()]).ok())
            .collect();
        key.filter(|key| !key.is_empty()).map(|key| key.join(","))
    }
}

/// Checks one value against its column.
///
/// SQLite is typed by value: a `decimal` may be a number there, and a date a number or a text.
pub fn check_value(column: &Column, value: &[u8]) -> Result<(), String> {
    let shape = Shape::of(value);
    if shape == Shape::Null {
        return if column.nullable { Ok(()) } else { Err("is null, which the column does not allow".to_owned()) };
    }
    let fits = match column.kind {
        _ if column.array => shape == Shape::Array,
        Kind::Boolean => shape == Shape::Boolean,
        Kind::Int16 => integer(value).is_some_and(|n| i16::try_from(n).is_ok()),
        Kind::Int32 => integer(value).is_some_and(|n| i32::try_from(n).is_ok()),
        Kind::Int64 => integer(value).is_some(),
        Kind::Float32 | Kind::Float64 => shape == Shape::Number || is_special_float(value),
        Kind::Decimal => shape == Shape::Number || is_decimal(value) || is_special_float(value),
        Kind::Text => shape == Shape::String || is_tagged(value, "$text"),
        Kind::Bytes => is_tagged(value, "$bytes"),
        Kind::Date | Kind::Time | Kind::Timestamp | Kind::Timestamptz => {
            matches!(shape, Shape::String | Shape::Number)
        }
        Kind::Interval | Kind::Uuid => shape == Shape::String,
        Kind::Json | Kind::Any | Kind::Native => true,
    };
    if fits { Ok(()) } else { Err(format!("is not of type {}: {}", kind_name(column), excerpt(value))) }
}

fn kind_name(column: &Column) -> String {
    let name =
        serde_json::to_value(column.kind).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
    if column.array { format!("array of {name}") } else { name }
}

/// The first characters of a value, for messages.
pub fn excerpt(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    match text.char_indices().nth(60) {
        None => text.into_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The integer a JSON number is, where it is one within 64 bits.
pub fn integer(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.parse().ok().filter(|_| value.first() != Some(&b'+'))
}

fn is_special_float(value: &[u8]) -> bool {
    matches!(value, b"\"NaN\"" | b"\"Infinity\"" | b"\"-Infinity\"") || is_tagged(value, "$real")
}

fn is_decimal(value: &[u8]) -> bool {
    let Some(text) = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else { return false };
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, fraction) = match digits.iter().position(|&byte| byte == b'.') {
        Some(dot) => (&digits[..dot], &digits[dot + 1..]),
        None => (digits, &b"0"[..]),
    };
    let all_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    all_digits(whole) && all_digits(fraction)
}

/// Whether a value is an object with this one key and a string for its value: `{"$bytes":"…"}`.
pub fn is_tagged(value: &[u8], tag: &str) -> bool {
    tagged(value).is_some_and(|(found, inner)| found == tag && Shape::of(inner) == Shape::String)
}

/// The key and the value of an object whose only key begins with `$`.
pub fn tagged(value: &[u8]) -> Option<(&str, &[u8])> {
    if !value.starts_with(b"{\"$") {
        return None;
    }
    let mut members = json::Members::new(value);
    let (name, inner) = members.next()?.ok()?;
    match members.next() {
        None => Some((std::str::from_utf8(&value[name.start + 1..name.end - 1]).ok()?, &value[inner])),
        Some(_) => None,
    }
}

/// Walks the members of a record: name and raw value, the name unescaped.
pub fn members(line: &[u8]) -> impl Iterator<Item = Result<(std::borrow::Cow<'_, str>, &[u8]), JsonError>> {
    json::Members::new(line).map(move |member| {
        let (name, value) = member?;
        Ok((unescape(&line[name])?, &line[value]))
    })
}

/// Number of lines in JSON lines; a chunk's number of records.
pub fn count(lines: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', lines).count() as u64
}

#[cfg(test)]
mod tests;
