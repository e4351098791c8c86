//! What `transform` must not return.

use godwit_sdk::bindings::{Chunk, Failure};

use crate::Behaviour::{self, Transform};
use crate::failure;

pub(crate) const BEHAVIOURS: &[(&str, Behaviour)] = &[
    ("malformed-json", Transform(|_| one_device("{\"id\":1,"))),
    ("not-json", Transform(|_| one_device("id=1"))),
    ("no-line-feed", Transform(no_line_feed)),
    ("invalid-utf8", Transform(|_| Ok(vec![chunk("devices", b"{\"id\":\"\xff\xfe\"}\n")]))),
    ("empty-chunk", Transform(|input| Ok(vec![chunk("devices", b""), input]))),
    ("blank-line", Transform(|_| one_device(""))),
    ("undeclared-output", Transform(|input| Ok(vec![chunk("tags", &input.records)]))),
    ("unknown-output", Transform(|input| Ok(vec![chunk("no\u{1b}[31mwhere", &input.records)]))),
    ("nameless-output", Transform(|input| Ok(vec![chunk("", &input.records)]))),
    ("wrong-type", Transform(|_| one_device(&device("\"one\"", "\"a\"", "null")))),
    ("huge-integer", Transform(|_| one_device(&device("9223372036854775808", "\"a\"", "null")))),
    ("null-in-not-null", Transform(|_| one_device(&device("1", "null", "null")))),
    ("missing-field", Transform(|_| one_device("{\"id\":1,\"hostname\":\"a\"}"))),
    ("unknown-field", Transform(|_| one_device(&with_field("\"colour\":\"red\"")))),
    ("control-characters-in-field", Transform(|_| one_device(&with_field("\"\\u001b[2J\\u202e\":1")))),
    ("duplicate-field", Transform(|_| one_device(&with_field("\"id\":2")))),
    ("duplicate-key", Transform(|input| with_device(input, &device("1", "\"b\"", "null")))),
    ("dangling-reference", Transform(|input| with_device(input, &device("1000", "\"a\"", "9999")))),
    ("control-characters-in-key", Transform(|_| one_device(&device("\"\u{9b}2J\u{202e}\"", "\"a\"", "null")))),
    ("huge-record", Transform(huge_record)),
    ("nested-too-deeply", Transform(nested_too_deeply)),
    ("too-much-output", Transform(|_| Ok(vec![chunk("devices", &vec![b' '; 70 << 20])]))),
    ("many-chunks", Transform(many_chunks)),
    ("shouting-failure", Transform(|_| Err(shouting_failure()))),
    ("wordless-failure", Transform(|_| Err(failure("")))),
];

fn chunk(collection: &str, records: &[u8]) -> Chunk {
    Chunk { collection: collection.to_owned(), first: u64::MAX, records: records.to_vec() }
}

fn one_device(record: &str) -> Result<Vec<Chunk>, Failure> {
    Ok(vec![chunk("devices", format!("{record}\n").as_bytes())])
}

fn with_device(mut input: Chunk, record: &str) -> Result<Vec<Chunk>, Failure> {
    input.records.extend(format!("{record}\n").bytes());
    Ok(vec![input])
}

fn device(id: &str, hostname: &str, owner: &str) -> String {
    format!(
        "{{\"id\":{id},\"hostname\":{hostname},\"status\":\"up\",\"price\":null,\"location\":null,\"owner_id\":{owner},\"notes\":null,\"serial\":null}}"
    )
}

fn with_field(field: &str) -> String {
    device("1", "\"a\"", "null").replace('}', &format!(",{field}}}"))
}

fn no_line_feed(input: Chunk) -> Result<Vec<Chunk>, Failure> {
    Ok(vec![chunk("devices", input.records.trim_ascii_end())])
}

fn huge_record(input: Chunk) -> Result<Vec<Chunk>, Failure> {
    let name = format!("\"{}\"", "x".repeat(8 << 20));
    with_device(input, &device("1000000", &name, "null"))
}

fn many_chunks(input: Chunk) -> Result<Vec<Chunk>, Failure> {
    Ok((0..100_000).map(|_| chunk("devices", b"")).chain([input]).collect())
}

fn nested_too_deeply(_: Chunk) -> Result<Vec<Chunk>, Failure> {
    let depth = 1_000_000;
    one_device(&device("1", &("[".repeat(depth) + &"]".repeat(depth)), "null"))
}

fn shouting_failure() -> Failure {
    Failure {
        message: format!("\u{1b}[2J\u{1b}]0;owned\u{7}\nerror: all is lost\n{}", "LOUD".repeat(1 << 20)),
        collection: Some("devi\u{1b}[31mces".to_owned()),
        record: Some(u64::MAX),
        key: Some("\u{202e}7\r\n".to_owned()),
        field: Some("x".repeat(1 << 20)),
    }
}
