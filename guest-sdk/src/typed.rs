//! From a record's line to an author's own type.

use serde::de::DeserializeOwned;

use crate::error::words;
use crate::{Error, record};

/// Reads a record; what does not fit is told by the name of its field.
pub(crate) fn read<T: DeserializeOwned>(line: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(line).map_err(|error| blame(&error, line))
}

fn blame(error: &serde_json::Error, line: &[u8]) -> Error {
    let message = words(error);
    match named(&message).or_else(|| record::field_at(line, error.column())) {
        Some(field) => Error::field(field, message),
        None => Error::new(message),
    }
}

/// The field that serde itself names; the place it gives for one that is missing is that of another.
fn named(message: &str) -> Option<String> {
    let starts = ["missing field `", "unknown field `", "duplicate field `"];
    let rest = starts.iter().find_map(|start| message.strip_prefix(start))?;
    rest.split('`').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct User {
        id: i64,
        name: String,
        tags: Option<Vec<i64>>,
    }

    fn error(line: &str) -> String {
        read::<User>(line.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn the_field_to_blame_is_named() {
        let cases = [
            (r#"{"id":"7","name":"x"}"#, "field id: invalid type: string \"7\", expected i64"),
            (r#"{"id":1.5,"name":"x"}"#, "field id: invalid type: floating point `1.5`, expected i64"),
            (r#"{"id":7,"name":null}"#, "field name: invalid type: null, expected a string"),
            (r#"{"id":7}"#, "field name: missing field `name`"),
            (r#"{"id":7,"name":"x","tags":[1,"y"]}"#, "field tags: invalid type: string \"y\", expected i64"),
            (
                r#"{"id":7,"name":"x","nickname":"y"}"#,
                "field nickname: unknown field `nickname`, expected one of `id`, `name`, `tags`",
            ),
        ];
        for (line, message) in cases {
            assert_eq!(error(line), message);
        }
    }

    #[test]
    fn a_float_is_read_exactly() {
        for text in ["[-4.829975766051147e-118]", "[1.7976931348623157e+308]", "[5e-324]", "[0.1]"] {
            let read: Vec<f64> = read(text.as_bytes()).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_record_blames_no_field() {
        assert!(error("[").starts_with("EOF"), "{}", error("["));
        assert!(!error("").is_empty());
    }
}
