//! Documents of a json column, with those that would be taken for something else wrapped.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::PLAIN;
use crate::error::words;

/// The value of a json column that may hold any document. JSON's own `null`, and an object whose
/// only key begins with `$`, travel as `{"$json": …}`, so that they are not taken for SQL's NULL
/// or for a tag. A type of one's own does as long as it is neither.
///
/// `Option<Json>` for a nullable column: `None` is NULL, `Some(Json(Value::Null))` is JSON's null.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Json(pub Value);

#[derive(Serialize)]
struct Wrapped<'a> {
    #[serde(rename = "$json")]
    document: &'a Value,
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if needs_wrapping(&self.0) {
            Wrapped { document: &self.0 }.serialize(serializer)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(PLAIN, JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON document")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        let inner = match &mut value {
            Value::Object(map) if map.len() == 1 => map.remove("$json"),
            _ => None,
        };
        Ok(Json(inner.unwrap_or(value)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Json, E> {
        let document = serde_json::from_str(text);
        document.map(Json).map_err(|error| E::custom(format!("is not a JSON document: {}", words(&error))))
    }
}

fn needs_wrapping(document: &Value) -> bool {
    match document {
        Value::Null => true,
        Value::Object(map) => map.len() == 1 && map.keys().all(|key| key.starts_with('$')),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_ambiguous_is_wrapped() {
        for (document, text) in [
            (json!({"site": "DC1"}), r#"{"site":"DC1"}"#),
            (json!([null]), "[null]"),
            (json!(null), r#"{"$json":null}"#),
            (json!({"$bytes": "AA=="}), r#"{"$json":{"$bytes":"AA=="}}"#),
            (json!({"$json": 1}), r#"{"$json":{"$json":1}}"#),
            (json!({"$a": 1, "b": 2}), r#"{"$a":1,"b":2}"#),
        ] {
            assert_eq!(serde_json::to_string(&Json(document.clone())).unwrap(), text);
            assert_eq!(serde_json::from_str::<Option<Json>>(text).unwrap(), Some(Json(document)));
        }
        assert_eq!(serde_json::from_str::<Option<Json>>("null").unwrap(), None);
    }
}
