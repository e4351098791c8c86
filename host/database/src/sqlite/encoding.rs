//! The record encoding for SQLite, both directions in one place.
//!
//! SQLite types values, not columns: any storage class may stand in (almost) any column. So the JSON
//! tells the storage class, and the column's kind only decides what may be written more readably.
//!
//! | storage | JSON | in a boolean column | in a json column |
//! |---|---|---|---|
//! | NULL | `null` | | |
//! | INTEGER | number without `.` and `e` | 0, 1: `false`, `true` | |
//! | REAL | shortest number that reads back the same, with `.` or `e`: `1.0` | | |
//! | REAL ±Inf | `{"$real":"Infinity"}`, `{"$real":"-Infinity"}` | | |
//! | TEXT, UTF-8 | string | | JSON: in place, byte for byte; else `{"$raw":"…"}` |
//! | TEXT, other | `{"$text":"base64"}` | | |
//! | BLOB | `{"$bytes":"base64"}` | | |
//!
//! In a json column a document that alone would read as another value is wrapped as `{"$json":…}`:
//! `null`, numbers (as these are INTEGER and REAL), and objects whose only key begins with `$`. A document
//! with a control character (a line feed would end the record), or nested close to the limit, is
//! not put in place but is a `$raw`. NaN does not occur: SQLite stores NULL for it.
//!
//! On the way back numbers within 64 bits become INTEGER, others REAL; `true` and `false` become 1 and 0;
//! the column's affinity then applies as for any INSERT. It alters nothing that came from a backup,
//! since it has been applied to those values once and applying it again changes nothing.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use godwit_model::limits::JSON_DEPTH_MAX;
use godwit_model::records::{self, Shape, skip_value, tagged, unescape};
use godwit_model::{Column, Kind};

use super::raw::Value;

/// What a column's kind means for its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Boolean,
    Json,
}

impl Style {
    pub(super) fn of(column: &Column) -> Self {
        match column.kind {
            _ if column.array => Self::Json,
            Kind::Json => Self::Json,
            Kind::Boolean => Self::Boolean,
            _ => Self::Plain,
        }
    }
}

/// Levels that wrapping and the record itself add around a document.
const DEPTH_MARGIN: usize = 4;

/// Appends a value's JSON.
///
/// # Errors
/// UTF-16 text that is not valid: nothing else carries it exactly.
pub(super) fn write(out: &mut Vec<u8>, value: &Value<'_>, style: Style) -> Result<(), &'static str> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Integer(0) if style == Style::Boolean => out.extend_from_slice(b"false"),
        Value::Integer(1) if style == Style::Boolean => out.extend_from_slice(b"true"),
        Value::Integer(value) => out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
        Value::Real(value) => write_real(out, *value),
        Value::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => write_text(out, text, style),
            Err(_) => write_base64(out, b"{\"$text\":\"", bytes),
        },
        Value::Wide(units) => write_text(out, &from_utf16(units)?, style),
        Value::Blob(bytes) => write_base64(out, b"{\"$bytes\":\"", bytes),
    }
    Ok(())
}

fn write_real(out: &mut Vec<u8>, value: f64) {
    match value {
        f64::INFINITY => out.extend_from_slice(b"{\"$real\":\"Infinity\"}"),
        f64::NEG_INFINITY => out.extend_from_slice(b"{\"$real\":\"-Infinity\"}"),
        _ => {
            let mut buffer = zmij::Buffer::new();
            let text = buffer.format_finite(value);
            out.extend_from_slice(text.as_bytes());
            if !text.contains(['.', 'e']) {
                out.extend_from_slice(b".0");
            }
        }
    }
}

fn write_text(out: &mut Vec<u8>, text: &str, style: Style) {
    match style {
        Style::Json => write_document(out, text),
        Style::Plain | Style::Boolean => write_string(out, text),
    }
}

fn write_document(out: &mut Vec<u8>, text: &str) {
    let wrapped = |out: &mut Vec<u8>, tag: &[u8], inner: &dyn Fn(&mut Vec<u8>)| {
        out.extend_from_slice(tag);
        inner(out);
        out.push(b'}');
    };
    match () {
        () if !is_document(text.as_bytes()) => wrapped(out, b"{\"$raw\":", &|out| write_string(out, text)),
        () if is_ambiguous(text.as_bytes()) => {
            wrapped(out, b"{\"$json\":", &|out| out.extend_from_slice(text.as_bytes()));
        }
        () => out.extend_from_slice(text.as_bytes()),
    }
}

/// Whether a text is JSON that fits into a record as it is.
fn is_document(text: &[u8]) -> bool {
    !text.iter().any(|&byte| byte < 0x20)
        && skip_value(text, 0).is_ok_and(|span| span.end == text.len())
        && depth(text) <= JSON_DEPTH_MAX - DEPTH_MARGIN
}

/// Most brackets open at once, outside strings, of a text that is JSON.
fn depth(text: &[u8]) -> usize {
    let (mut open, mut most, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for &byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => open += 1,
            b']' | b'}' if !quoted => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

/// Whether a document in place would read as another value than this document.
fn is_ambiguous(text: &[u8]) -> bool {
    match Shape::of(text) {
        Shape::Null | Shape::Number => true,
        Shape::Object => has_one_dollar_key(text),
        _ => false,
    }
}

/// A key that occurs twice counts once, as it would for whoever reads the object into a map.
fn has_one_dollar_key(text: &[u8]) -> bool {
    let mut members = records::members(text).map_while(Result::ok).map(|(name, _)| name);
    members.next().is_some_and(|first| first.starts_with('$') && members.all(|other| other == first))
}

fn write_base64(out: &mut Vec<u8>, tag: &[u8], bytes: &[u8]) {
    out.extend_from_slice(tag);
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = BASE64.encode_slice(bytes, &mut out[start..]).expect("the room was made for it");
    out.truncate(start + written);
    out.extend_from_slice(b"\"}");
}

/// Appends a JSON string; runs of plain bytes are copied whole.
pub(super) fn write_string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.push(b'"');
    let mut done = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[done..at]);
        write_escape(out, byte);
        done = at + 1;
    }
    out.extend_from_slice(&bytes[done..]);
    out.push(b'"');
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            out.extend_from_slice(b"\\u00");
            return out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn from_utf16(bytes: &[u8]) -> Result<String, &'static str> {
    let (units, odd) = bytes.as_chunks::<2>();
    if !odd.is_empty() {
        return Err("is UTF-16 text with half a character at its end, which JSON cannot carry");
    }
    char::decode_utf16(units.iter().map(|unit| u16::from_ne_bytes(*unit)))
        .collect::<Result<String, _>>()
        .map_err(|_| "is UTF-16 text with half a surrogate pair, which JSON cannot carry")
}

/// Reads the value that a piece of valid JSON stands for.
///
/// # Errors
/// What SQLite cannot hold, or a tag that does not belong here.
pub(super) fn read(json: &[u8], style: Style) -> Result<Value<'_>, String> {
    match (Shape::of(json), style) {
        (Shape::Null, _) => Ok(Value::Null),
        (Shape::Number, _) => read_number(json),
        (Shape::Object, _) => match tagged(json) {
            Some((tag, inner)) => read_tagged(tag, inner, style),
            None if style == Style::Json => Ok(Value::Text(json.into())),
            None => Err("is an object, which only a json column can hold".to_owned()),
        },
        (_, Style::Json) => Ok(Value::Text(json.into())),
        (Shape::Boolean, _) => Ok(Value::Integer(i64::from(json == b"true"))),
        (Shape::String, _) => read_string(json).map(Value::Text),
        (Shape::Array, _) => Err("is an array, which only a json column can hold".to_owned()),
    }
}

fn read_number(json: &[u8]) -> Result<Value<'_>, String> {
    if let Some(integer) = records::integer(json) {
        return Ok(Value::Integer(integer));
    }
    let real = std::str::from_utf8(json).ok().and_then(|text| text.parse::<f64>().ok());
    match real.filter(|real| real.is_finite()) {
        Some(real) => Ok(Value::Real(real)),
        None => Err(format!("is a number that SQLite cannot hold: {}", records::excerpt(json))),
    }
}

fn read_string(json: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    match unescape(json).map_err(|error| error.to_string())? {
        Cow::Borrowed(text) => Ok(Cow::Borrowed(text.as_bytes())),
        Cow::Owned(text) => Ok(Cow::Owned(text.into_bytes())),
    }
}

fn read_tagged<'a>(tag: &str, inner: &'a [u8], style: Style) -> Result<Value<'a>, String> {
    match (tag, style) {
        ("$bytes", _) => Ok(Value::Blob(read_base64(inner)?.into())),
        ("$text", _) => Ok(Value::Text(read_base64(inner)?.into())),
        ("$real", _) => read_infinity(inner),
        ("$json", Style::Json) => Ok(Value::Text(inner.into())),
        ("$raw", Style::Json) => read_string(inner).map(Value::Text),
        _ => Err(format!("has the unknown tag {tag:?}")),
    }
}

fn read_base64(json: &[u8]) -> Result<Vec<u8>, String> {
    let text = read_string(json)?;
    BASE64.decode(&*text).map_err(|error| format!("is not base64: {error}"))
}

fn read_infinity(json: &[u8]) -> Result<Value<'_>, String> {
    match json {
        b"\"Infinity\"" => Ok(Value::Real(f64::INFINITY)),
        b"\"-Infinity\"" => Ok(Value::Real(f64::NEG_INFINITY)),
        _ => Err(format!("is a number that SQLite cannot hold: {}", records::excerpt(json))),
    }
}

#[cfg(test)]
mod tests;
