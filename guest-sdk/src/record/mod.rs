//! A record as it stands in its line: what is not touched passes byte for byte, unread.

mod edit;
mod names;
mod scan;

use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use self::names::Names;
use crate::error::words;
use crate::{Error, Result};

/// One record, for transformations in the *edit* style.
///
/// Only the places of the fields are known; a value is parsed when it is asked for. Fields keep
/// their order, and a number keeps the text it has.
#[derive(Default)]
pub struct Record {
    chunk: Vec<u8>,
    line: Range<usize>,
    next: usize,
    fields: Vec<Field>,
    /// New values, as JSON.
    side: Vec<u8>,
    names: Names,
    touched: bool,
    dropped: bool,
}

#[derive(Clone, Copy)]
struct Field {
    name: Text,
    /// Length of the name with its quotes; [`ESCAPED`] where it cannot be compared as it stands.
    quoted_length: usize,
    value: Text,
}

/// For the length of a name that is written with a backslash.
const ESCAPED: usize = usize::MAX;

/// JSON text: a stretch of the record's line, of the new values or of the new names.
#[derive(Clone, Copy)]
enum Text {
    Line { start: usize, end: usize },
    Side { start: usize, end: usize },
    Name { start: usize, end: usize },
}

impl Record {
    /// Whether the record has this field.
    pub fn has(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Parses a field. `get::<&str>` borrows from the record, but fails on text with escapes; `String` never does.
    pub fn get<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Result<T> {
        parse(name, self.text(self.fields[self.expect(name)?].value))
    }

    /// A field's value as the JSON text it is.
    pub fn get_raw(&self, name: &str) -> Result<&str> {
        let value = self.text(self.fields[self.expect(name)?].value);
        std::str::from_utf8(value).map_err(|error| Error::field(name, error))
    }

    /// Whether a field is `null`.
    pub fn is_null(&self, name: &str) -> Result<bool> {
        Ok(self.text(self.fields[self.expect(name)?].value) == b"null")
    }

    /// Parses a field and removes it.
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<T> {
        let at = self.expect(name)?;
        let value = parse(name, self.text(self.fields[at].value))?;
        self.remove_at(at);
        Ok(value)
    }

    /// The names of the fields, in their order.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.fields.iter().map(|field| {
            let name = self.text(field.name);
            serde_json::from_slice(name).unwrap_or_else(|_| String::from_utf8_lossy(name).into_owned())
        })
    }

    fn text(&self, text: Text) -> &[u8] {
        match text {
            Text::Line { start, end } => &self.line()[start..end],
            Text::Side { start, end } => &self.side[start..end],
            Text::Name { start, end } => self.names.bytes(start, end),
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| self.is_named(field, name))
    }

    /// Most fields are told apart by the lengths of their names, without a look at the bytes.
    #[inline]
    fn is_named(&self, field: &Field, name: &str) -> bool {
        if field.quoted_length == name.len() + 2 {
            let quoted = self.text(field.name);
            &quoted[1..quoted.len() - 1] == name.as_bytes()
        } else {
            field.quoted_length == ESCAPED && self.is_escaped_name(field, name)
        }
    }

    #[cold]
    fn is_escaped_name(&self, field: &Field, name: &str) -> bool {
        serde_json::from_slice::<String>(self.text(field.name)).is_ok_and(|unescaped| unescaped == name)
    }

    fn expect(&self, name: &str) -> Result<usize> {
        self.position(name).ok_or_else(|| {
            let names: Vec<_> = self.names().collect();
            Error::field(name, format!("the record has no such field; it has {}", names.join(", ")))
        })
    }
}

fn parse<'a, T: Deserialize<'a>>(name: &str, value: &'a [u8]) -> Result<T> {
    serde_json::from_slice(value).map_err(|error| Error::field(name, words(&error)))
}

/// The walk over a chunk.
impl Record {
    /// Starts with the lines of another chunk, keeping the buffers.
    pub(crate) fn load(&mut self, chunk: Vec<u8>) {
        (self.chunk, self.line, self.next) = (chunk, 0..0, 0);
    }

    /// Goes on to the next line; false after the last.
    pub(crate) fn advance(&mut self) -> bool {
        let start = self.next;
        if start >= self.chunk.len() {
            return false;
        }
        let end = memchr::memchr(b'\n', &self.chunk[start..]).map_or(self.chunk.len(), |length| start + length);
        (self.line, self.next) = (start..end, end + 1);
        true
    }

    /// The line as it came.
    pub(crate) fn line(&self) -> &[u8] {
        &self.chunk[self.line.clone()]
    }

    /// Finds the fields of the line, forgetting what was changed in the one before.
    pub(crate) fn open(&mut self) -> Result<(), scan::Malformed> {
        self.fields.clear();
        self.side.clear();
        self.names.forget_if_many();
        (self.touched, self.dropped) = (false, false);
        let Self { chunk, line, fields, .. } = self;
        scan::fields(&chunk[line.clone()], |found| fields.push(Field::from(found)))
    }

    /// Writes the record as it now is.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match (self.dropped, self.touched) {
            (true, _) => {}
            (false, false) => self.copy(out),
            (false, true) => self.write_fields(out),
        }
    }

    /// Writes the line as it came.
    pub(crate) fn copy(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.line());
        out.push(b'\n');
    }

    /// Untouched fields that stand side by side are copied in one go.
    fn write_fields(&self, out: &mut Vec<u8>) {
        let line = self.line();
        let mut run = 0..0;
        let mut separator = b'{';
        for field in &self.fields {
            match field.untouched() {
                Some(span) if !run.is_empty() && span.start == run.end + 1 => run.end = span.end,
                untouched => {
                    out.extend_from_slice(&line[run]);
                    out.push(std::mem::replace(&mut separator, b','));
                    run = untouched.unwrap_or_else(|| {
                        out.extend_from_slice(self.text(field.name));
                        out.push(b':');
                        out.extend_from_slice(self.text(field.value));
                        0..0
                    });
                }
            }
        }
        out.extend_from_slice(&line[run]);
        out.extend_from_slice(if self.fields.is_empty() { b"{}\n" } else { b"}\n" });
    }
}

impl Field {
    /// The stretch of the line from the name to the end of the value, where both are as they came.
    fn untouched(&self) -> Option<Range<usize>> {
        match (self.name, self.value) {
            (Text::Line { start, .. }, Text::Line { end, .. }) => Some(start..end),
            _ => None,
        }
    }
}

impl From<scan::Found> for Field {
    fn from(found: scan::Found) -> Self {
        let text = |(start, end)| Text::Line { start, end };
        let quoted_length = if found.escaped { ESCAPED } else { found.name.1 - found.name.0 };
        Self { name: text(found.name), quoted_length, value: text(found.value) }
    }
}

/// The key of a record as JSON, for messages: the named fields, else `id`, else the first one.
pub(crate) fn key_of(line: &[u8], columns: &[String]) -> Option<String> {
    let mut record = Record::default();
    record.load(line.to_vec());
    record.advance();
    let _ = record.open(); // of a damaged record, the fields before the damage
    let values: Option<Vec<&str>> = columns.iter().map(|name| record.get_raw(name).ok()).collect();
    match values?.as_slice() {
        [] => record.default_key(),
        [one] => Some((*one).to_owned()),
        several => Some(format!("[{}]", several.join(","))),
    }
}

impl Record {
    fn default_key(&self) -> Option<String> {
        let field = self.position("id").map_or_else(|| self.fields.first(), |at| self.fields.get(at))?;
        String::from_utf8(self.text(field.value).to_vec()).ok()
    }
}

/// The name of the top-level field in which the `column`th byte of a line is, for messages.
pub(crate) fn field_at(line: &[u8], column: usize) -> Option<String> {
    let mut name = None;
    let _ = scan::fields(line, |found| {
        if found.name.0 < column {
            name = serde_json::from_slice(&line[found.name.0..found.name.1]).ok();
        }
    });
    name
}

#[cfg(test)]
mod tests;
