//! Finds where the top-level fields of a record are, without reading what is in them.
//!
//! Numbers, words and what is nested are not looked into: they pass byte for byte, and the host
//! checks every record that a module returns.

/// One field of a line: its name with the quotes, and its value.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) name: (usize, usize),
    pub(super) escaped: bool,
    pub(super) value: (usize, usize),
}

/// Bytes that are not a JSON object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    problem: &'static str,
    at: usize,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "is not a JSON object: {} at byte {}", self.problem, self.at)
    }
}

impl std::error::Error for Malformed {}

fn fail<T>(problem: &'static str, at: usize) -> Result<T, Malformed> {
    Err(Malformed { problem, at })
}

/// Hands out the fields of one line in their order.
pub(super) fn fields(line: &[u8], mut found: impl FnMut(Found)) -> Result<(), Malformed> {
    let open = space(line, 0);
    if byte(line, open) != b'{' {
        return fail("an opening brace is missing", open);
    }
    let mut at = space(line, open + 1);
    if byte(line, at) == b'}' {
        return nothing_follows(line, at + 1);
    }
    loop {
        let field = field(line, at)?;
        found(field);
        at = space(line, field.value.1);
        match byte(line, at) {
            b',' => at = space(line, at + 1),
            b'}' => return nothing_follows(line, at + 1),
            _ => return fail("a comma or the closing brace is missing", at),
        }
    }
}

fn nothing_follows(line: &[u8], at: usize) -> Result<(), Malformed> {
    let end = space(line, at);
    if end == line.len() { Ok(()) } else { fail("something follows the object", end) }
}

fn field(line: &[u8], at: usize) -> Result<Found, Malformed> {
    if byte(line, at) != b'"' {
        return fail("a field's name is missing", at);
    }
    let (end, escaped) = string(line, at)?;
    let colon = space(line, end);
    if byte(line, colon) != b':' {
        return fail("a colon is missing", colon);
    }
    let start = space(line, colon + 1);
    Ok(Found { name: (at, end), escaped, value: (start, value(line, start)?) })
}

/// The end of the value that starts at `at`.
fn value(line: &[u8], at: usize) -> Result<usize, Malformed> {
    match byte(line, at) {
        b'"' => Ok(string(line, at)?.0),
        b'{' | b'[' => nested(line, at),
        b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => Ok(scalar(line, at)),
        _ => fail("a value is missing", at),
    }
}

fn scalar(line: &[u8], mut at: usize) -> usize {
    while !matches!(byte(line, at), b',' | b'}' | b' ' | b'\t' | b'\r' | 0) {
        at += 1;
    }
    at
}

fn nested(line: &[u8], start: usize) -> Result<usize, Malformed> {
    let (mut at, mut depth) = (start, 0usize);
    loop {
        match byte(line, at) {
            b'"' => at = string(line, at)?.0 - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return Ok(at + 1),
            b'}' | b']' => depth -= 1,
            _ if at >= line.len() => return fail("an array or object does not end", start),
            _ => {}
        }
        at += 1;
    }
}

/// The end of the string whose quote is at `start`, and whether it holds a backslash.
#[inline]
fn string(line: &[u8], start: usize) -> Result<(usize, bool), Malformed> {
    let (mut at, mut escaped) = (start + 1, false);
    loop {
        at = next_mark(line, at);
        match line.get(at) {
            Some(b'"') => return Ok((at + 1, escaped)),
            Some(_) => (at, escaped) = (at + 2, true),
            None => return fail("a string does not end", start),
        }
    }
}

/// The next quote or backslash, or the end. Most strings are short, so the first bytes are looked
/// at in place, eight at a time; a call pays off only for long ones.
#[inline]
fn next_mark(line: &[u8], mut at: usize) -> usize {
    for _ in 0..4 {
        let Some(word) = line.get(at..).and_then(<[u8]>::first_chunk) else { break };
        let word = u64::from_le_bytes(*word);
        let marks = equal_bytes(word, b'"') | equal_bytes(word, b'\\');
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = line.get(at..).unwrap_or_default();
    memchr::memchr2(b'"', b'\\', rest).map_or(line.len(), |distance| at + distance)
}

/// The high bit of each byte that equals `sought`; the lowest one set is right, those above it may not be.
#[inline]
fn equal_bytes(word: u64, sought: u8) -> u64 {
    let zero_where_equal = word ^ (u64::from(sought) * 0x0101_0101_0101_0101);
    zero_where_equal.wrapping_sub(0x0101_0101_0101_0101) & !zero_where_equal & 0x8080_8080_8080_8080
}

#[inline]
fn byte(line: &[u8], at: usize) -> u8 {
    line.get(at).copied().unwrap_or(0)
}

#[inline]
fn space(line: &[u8], mut at: usize) -> usize {
    while matches!(byte(line, at), b' ' | b'\t' | b'\r') {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(line: &str) -> Result<Vec<(&str, &str)>, Malformed> {
        let mut spans = Vec::new();
        fields(line.as_bytes(), |field| spans.push((field.name, field.value)))?;
        Ok(spans.into_iter().map(|(name, value)| (&line[name.0..name.1], &line[value.0..value.1])).collect())
    }

    #[test]
    fn fields_are_found_whatever_their_values() {
        let line = r#"{ "a":1 ,"b\"":"x\\","c":[{"d":"]}"},[]], "long":"0123456789012345678901234567890123456789\"!","e":-1.5e3,"f":null}"#;
        let long = r#""0123456789012345678901234567890123456789\"!""#;
        assert_eq!(
            all(line).unwrap(),
            [
                (r#""a""#, "1"),
                (r#""b\"""#, r#""x\\""#),
                (r#""c""#, r#"[{"d":"]}"},[]]"#),
                (r#""long""#, long),
                (r#""e""#, "-1.5e3"),
                (r#""f""#, "null")
            ]
        );
        assert_eq!(all("{}").unwrap(), []);
    }

    #[test]
    fn malformed_lines_are_errors() {
        for line in [
            "",
            "[]",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"a\":1,}",
            "{\"a\":\"",
            "{\"a\":\"\\\"}",
            "{\"a\":[1}",
            "{\"a\":{\"b\":1}",
            "{a:1}",
            "{\"a\":x}",
            "{\"a\":1}x",
            "{\"a\" 1}",
            "{\"a\":1 \"b\":2}",
            "null",
        ] {
            assert!(all(line).is_err(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_fields_or_an_error(line in prop::collection::vec(prop::sample::select(b"{}[]\",:\\ 1a\0\xff".to_vec()), 0..40)) {
            let _ = fields(&line, |field| {
                assert!(field.name.1 <= field.value.0 && field.value.1 <= line.len() && field.value.0 < field.value.1);
            });
        }

        #[test]
        fn what_serde_writes_is_split_as_serde_reads_it(document in prop::collection::btree_map(".{0,20}", ".{0,60}", 0..6)) {
            let line = serde_json::to_string(&document).unwrap();
            let read: std::collections::BTreeMap<String, String> = all(&line)
                .unwrap()
                .into_iter()
                .map(|(name, value)| (serde_json::from_str(name).unwrap(), serde_json::from_str(value).unwrap()))
                .collect();
            prop_assert_eq!(read, document);
        }
    }
}
