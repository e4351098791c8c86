//! Writes whatever serializes as JSON lines: a struct or map is one record, `None` and `()` none, a
//! sequence several.

use serde::ser::{self, Serialize, Serializer};
use serde_json::Error as JsonError;

use crate::Result;
use crate::error::words;

type Json<'s, 'o> = &'s mut serde_json::Serializer<&'o mut Vec<u8>>;

/// Appends the records in `value`, each with its line feed; nothing where it fails.
pub(super) fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<()> {
    let before = out.len();
    append(out, value).map_err(|error| {
        out.truncate(before);
        crate::Error::new(words(&error))
    })
}

fn append<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), JsonError> {
    let before = out.len();
    let mut json = None;
    value.serialize(Records { out, json: &mut json })?;
    // A sequence has ended its own lines; a record ends with its brace.
    if out.len() > before && out.last() != Some(&b'\n') {
        out.push(b'\n');
    }
    Ok(())
}

struct Records<'s, 'o> {
    out: &'o mut Vec<u8>,
    json: &'s mut Option<serde_json::Serializer<&'o mut Vec<u8>>>,
}

impl<'s, 'o> Records<'s, 'o> {
    fn record(self) -> Json<'s, 'o> {
        self.json.insert(serde_json::Serializer::new(self.out))
    }
}

fn no_record<T>(what: &str) -> Result<T, JsonError> {
    Err(ser::Error::custom(format!("a record is a struct or a map with text keys, not {what}")))
}

macro_rules! refuse {
    ($($method:ident($type:ty) $what:literal,)*) => {
        $(fn $method(self, _: $type) -> Result<(), JsonError> {
            no_record($what)
        })*
    };
}

impl<'s, 'o> Serializer for Records<'s, 'o> {
    type Ok = ();
    type Error = JsonError;
    type SerializeSeq = Several<'o>;
    type SerializeTuple = Several<'o>;
    type SerializeTupleStruct = Several<'o>;
    type SerializeTupleVariant = ser::Impossible<(), JsonError>;
    type SerializeMap = <Json<'s, 'o> as Serializer>::SerializeMap;
    type SerializeStruct = <Json<'s, 'o> as Serializer>::SerializeStruct;
    type SerializeStructVariant = ser::Impossible<(), JsonError>;

    refuse! {
        serialize_bool(bool) "a boolean",
        serialize_i8(i8) "a number", serialize_i16(i16) "a number", serialize_i32(i32) "a number",
        serialize_i64(i64) "a number", serialize_i128(i128) "a number",
        serialize_u8(u8) "a number", serialize_u16(u16) "a number", serialize_u32(u32) "a number",
        serialize_u64(u64) "a number", serialize_u128(u128) "a number",
        serialize_f32(f32) "a number", serialize_f64(f64) "a number",
        serialize_char(char) "a text", serialize_str(&str) "a text", serialize_bytes(&[u8]) "bytes",
    }

    fn serialize_none(self) -> Result<(), JsonError> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), JsonError> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), JsonError> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), JsonError> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Several<'o>, JsonError> {
        Ok(Several { out: self.out })
    }

    fn serialize_tuple(self, _: usize) -> Result<Several<'o>, JsonError> {
        Ok(Several { out: self.out })
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Several<'o>, JsonError> {
        Ok(Several { out: self.out })
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, JsonError> {
        self.record().serialize_map(length)
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeStruct, JsonError> {
        self.record().serialize_struct(name, length)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), JsonError> {
        no_record("a unit struct")
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), JsonError> {
        no_record("an enum (unless it is #[serde(untagged)])")
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), JsonError> {
        no_record("an enum (unless it is #[serde(untagged)])")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, JsonError> {
        no_record("an enum (unless it is #[serde(untagged)])")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, JsonError> {
        no_record("an enum (unless it is #[serde(untagged)])")
    }
}

/// Several records, one after the other.
struct Several<'o> {
    out: &'o mut Vec<u8>,
}

macro_rules! several {
    ($($trait:ident $method:ident,)*) => {
        $(impl ser::$trait for Several<'_> {
            type Ok = ();
            type Error = JsonError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
                append(self.out, value)
            }

            fn end(self) -> Result<(), JsonError> {
                Ok(())
            }
        })*
    };
}

several! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::json;

    use super::*;

    #[derive(Serialize)]
    struct Tag {
        id: i64,
        name: Option<&'static str>,
    }

    fn lines<T: Serialize>(value: T) -> String {
        let mut out = b"{}\n".to_vec();
        write(&mut out, &value).unwrap();
        String::from_utf8(out).unwrap().split_off(3)
    }

    #[test]
    fn one_none_or_several() {
        let (one, two) = ("{\"id\":1,\"name\":null}\n", "{\"id\":2,\"name\":\"x\"}\n");
        assert_eq!(lines(Tag { id: 1, name: None }), one);
        assert_eq!(lines(Some(Tag { id: 1, name: None })), one);
        assert_eq!(lines(None::<Tag>), "");
        assert_eq!(lines(()), "");
        assert_eq!(lines(vec![Tag { id: 1, name: None }, Tag { id: 2, name: Some("x") }]), format!("{one}{two}"));
        assert_eq!(lines((Some(Tag { id: 2, name: Some("x") }), json!({"a": [1]}))), format!("{two}{{\"a\":[1]}}\n"));
        assert_eq!(lines(Vec::<Tag>::new()), "");
    }

    #[test]
    fn what_is_no_record_is_refused_and_leaves_nothing_behind() {
        let mut out = Vec::new();
        let error = write(&mut out, &(json!({"a": 1}), 5)).unwrap_err();
        assert_eq!(error.message(), "a record is a struct or a map with text keys, not a number");
        assert!(out.is_empty());
        assert!(write(&mut out, "text").is_err());
        assert!(write(&mut out, &Err::<(), i32>(3)).is_err());
    }
}
