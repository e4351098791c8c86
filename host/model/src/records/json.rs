//! A strict JSON scanner that finds where values end without building them (RFC 8259).

use std::borrow::Cow;
use std::ops::Range;

use crate::limits::JSON_DEPTH_MAX;

/// Bytes that are not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not valid JSON: {problem} at byte {at}")]
pub struct JsonError {
    /// What is wrong.
    pub problem: &'static str,
    /// Where in the record.
    pub at: usize,
}

/// The kind of a JSON value, told by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Shape {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Shape {
    /// The kind of a value already known to be valid.
    pub fn of(value: &[u8]) -> Self {
        match value.first() {
            Some(b't' | b'f') => Self::Boolean,
            Some(b'"') => Self::String,
            Some(b'[') => Self::Array,
            Some(b'{') => Self::Object,
            Some(b'-' | b'0'..=b'9') => Self::Number,
            _ => Self::Null,
        }
    }
}

/// The span of the value that starts at `start`, which must not be white space.
///
/// # Errors
/// Not a valid JSON value, or nested deeper than [`JSON_DEPTH_MAX`].
pub fn skip_value(text: &[u8], start: usize) -> Result<Range<usize>, JsonError> {
    let end = Scanner { text, depth: 0 }.value(start)?;
    Ok(start..end)
}

struct Scanner<'a> {
    text: &'a [u8],
    depth: usize,
}

const fn fail<T>(problem: &'static str, at: usize) -> Result<T, JsonError> {
    Err(JsonError { problem, at })
}

impl Scanner<'_> {
    fn peek(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    fn space(&self, mut at: usize) -> usize {
        while matches!(self.peek(at), b' ' | b'\t' | b'\r') {
            at += 1;
        }
        at
    }

    fn value(&mut self, at: usize) -> Result<usize, JsonError> {
        match self.peek(at) {
            b'"' => self.string(at),
            b'-' | b'0'..=b'9' => self.number(at),
            b't' => self.literal(at, b"true"),
            b'f' => self.literal(at, b"false"),
            b'n' => self.literal(at, b"null"),
            b'[' => self.nested(at, Self::array),
            b'{' => self.nested(at, Self::object),
            _ => fail("a value is missing", at),
        }
    }

    fn literal(&self, at: usize, word: &[u8]) -> Result<usize, JsonError> {
        if self.text[at..].starts_with(word) { Ok(at + word.len()) } else { fail("an unknown word", at) }
    }

    fn string(&self, start: usize) -> Result<usize, JsonError> {
        let mut at = start + 1;
        loop {
            match self.peek(at) {
                b'"' => return Ok(at + 1),
                b'\\' => at = self.escape(at)?,
                0..0x20 if at >= self.text.len() => return fail("a string does not end", start),
                0..0x20 => return fail("a control character in a string", at),
                _ => at += 1,
            }
        }
    }

    fn escape(&self, at: usize) -> Result<usize, JsonError> {
        match self.peek(at + 1) {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 2),
            b'u' => self.unicode(at),
            _ => fail("an unknown escape", at),
        }
    }

    fn unicode(&self, at: usize) -> Result<usize, JsonError> {
        match self.hex(at + 2) {
            None => fail("an unknown escape", at),
            Some(0xD800..=0xDBFF) => match (self.peek(at + 6), self.peek(at + 7), self.hex(at + 8)) {
                (b'\\', b'u', Some(0xDC00..=0xDFFF)) => Ok(at + 12),
                _ => fail("half a surrogate pair", at),
            },
            Some(0xDC00..=0xDFFF) => fail("half a surrogate pair", at),
            Some(_) => Ok(at + 6),
        }
    }

    fn hex(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        digits.iter().try_fold(0, |n, &digit| Some(n * 16 + char::from(digit).to_digit(16)?))
    }

    fn digits(&self, mut at: usize) -> Result<usize, JsonError> {
        if !self.peek(at).is_ascii_digit() {
            return fail("a digit is missing", at);
        }
        while self.peek(at).is_ascii_digit() {
            at += 1;
        }
        Ok(at)
    }

    fn number(&self, start: usize) -> Result<usize, JsonError> {
        let whole = start + usize::from(self.peek(start) == b'-');
        let mut at = self.digits(whole)?;
        if self.peek(whole) == b'0' && at > whole + 1 {
            return fail("a number starts with 0", start);
        }
        if self.peek(at) == b'.' {
            at = self.digits(at + 1)?;
        }
        if matches!(self.peek(at), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek(at + 1), b'+' | b'-'));
            at = self.digits(at + 1 + sign)?;
        }
        Ok(at)
    }

    fn nested(
        &mut self,
        at: usize,
        inner: fn(&mut Self, usize) -> Result<usize, JsonError>,
    ) -> Result<usize, JsonError> {
        self.depth += 1;
        if self.depth > JSON_DEPTH_MAX {
            return fail("nested too deeply", at);
        }
        let end = inner(self, at + 1)?;
        self.depth -= 1;
        Ok(end)
    }

    fn array(&mut self, at: usize) -> Result<usize, JsonError> {
        let mut at = self.space(at);
        if self.peek(at) == b']' {
            return Ok(at + 1);
        }
        loop {
            let end = self.value(at)?;
            at = self.space(end);
            match self.peek(at) {
                b',' => at = self.space(at + 1),
                b']' => return Ok(at + 1),
                _ => return fail("an array does not end", at),
            }
        }
    }

    fn object(&mut self, at: usize) -> Result<usize, JsonError> {
        let mut at = self.space(at);
        if self.peek(at) == b'}' {
            return Ok(at + 1);
        }
        loop {
            let (_, value) = self.member(at)?;
            at = self.space(value.end);
            match self.peek(at) {
                b',' => at = self.space(at + 1),
                b'}' => return Ok(at + 1),
                _ => return fail("an object does not end", at),
            }
        }
    }

    fn member(&mut self, at: usize) -> Result<Member, JsonError> {
        if self.peek(at) != b'"' {
            return fail("a name is missing", at);
        }
        let name = at..self.string(at)?;
        let colon = self.space(name.end);
        if self.peek(colon) != b':' {
            return fail("a colon is missing", colon);
        }
        let start = self.space(colon + 1);
        Ok((name, start..self.value(start)?))
    }
}

/// The spans of a member's name, quotes included, and of its value.
type Member = (Range<usize>, Range<usize>);

/// The members of one object that fills a text: spans of the name, quotes included, and of the value.
pub(super) struct Members<'a> {
    scanner: Scanner<'a>,
    at: usize,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Start,
    Inside,
    Done,
}

impl<'a> Members<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { scanner: Scanner { text, depth: 1 }, at: 0, state: State::Start }
    }

    fn step(&mut self) -> Result<Option<Member>, JsonError> {
        let scanner = &mut self.scanner;
        let mut at = scanner.space(self.at);
        let first = self.state == State::Start;
        if first {
            if scanner.peek(at) != b'{' {
                return fail("an object is missing", at);
            }
            at = scanner.space(at + 1);
            self.state = State::Inside;
        }
        match scanner.peek(at) {
            b'}' if scanner.space(at + 1) == scanner.text.len() => return Ok(None),
            b'}' => return fail("more follows the object", at + 1),
            b',' if !first => at = scanner.space(at + 1),
            _ if first => {}
            _ => return fail("an object does not end", at),
        }
        let member = scanner.member(at)?;
        self.at = member.1.end;
        Ok(Some(member))
    }
}

impl Iterator for Members<'_> {
    type Item = Result<Member, JsonError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Done {
            return None;
        }
        let step = self.step();
        if !matches!(step, Ok(Some(_))) {
            self.state = State::Done;
        }
        step.transpose()
    }
}

/// The text of a JSON string, quotes included in what is given.
///
/// # Errors
/// Not a JSON string.
pub fn unescape(string: &[u8]) -> Result<Cow<'_, str>, JsonError> {
    let wrong = JsonError { problem: "not a string", at: 0 };
    let inner = string.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).ok_or(wrong)?;
    if !inner.contains(&b'\\') {
        return std::str::from_utf8(inner).map(Cow::Borrowed).map_err(|_| wrong);
    }
    serde_json::from_slice::<String>(string).map(Cow::Owned).map_err(|_| wrong)
}
