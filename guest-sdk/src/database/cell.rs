//! One value of a row for serde.

use serde::de::value::{Error as Wrong, SeqDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::Value;
use crate::error::words;
use crate::values::PLAIN;

pub(super) struct Cell(pub(super) Value);

macro_rules! document {
    ($($method:ident($($name:ident: $type:ty),*))*) => {
        $(fn $method<V: Visitor<'de>>(self $(, $name: $type)*, visitor: V) -> Result<V::Value, Wrong> {
            match self.0 {
                Value::Text(text) => parse(&text)?.$method($($name,)* visitor).map_err(reworded),
                value => Cell(value).deserialize_any(visitor),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Cell {
    type Error = Wrong;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Boolean(value) => visitor.visit_bool(value),
            Value::Integer(value) => visitor.visit_i64(value),
            Value::Real(value) => visitor.visit_f64(value),
            Value::Text(value) => visitor.visit_string(value),
            Value::Bytes(value) => visitor.visit_byte_buf(value),
        }
    }

    /// SQLite has no booleans but these.
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Integer(value @ 0..=1) => visitor.visit_bool(value == 1),
            value => Cell(value).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        if name == PLAIN { self.deserialize_any(visitor) } else { visitor.visit_newtype_struct(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Bytes(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.into_iter())),
            Value::Text(text) => parse(&text)?.deserialize_seq(visitor).map_err(reworded),
            value => Cell(value).deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Text(text) => text.into_deserializer().deserialize_enum(name, variants, visitor),
            value => Cell(value).deserialize_any(visitor),
        }
    }

    document! {
        deserialize_map()
        deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        identifier ignored_any
    }
}

fn parse(text: &str) -> Result<serde_json::Value, Wrong> {
    serde_json::from_str(text).map_err(|error| Wrong::custom(format!("is not a JSON document: {}", words(&error))))
}

#[allow(clippy::needless_pass_by_value, reason = "map_err hands it over so")]
fn reworded(error: serde_json::Error) -> Wrong {
    Wrong::custom(words(&error))
}
