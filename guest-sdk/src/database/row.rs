//! A row for serde: a struct takes its columns by name, a tuple by place, anything else its only value.

use std::vec;

use serde::de::value::Error as Wrong;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::Value;
use super::cell::Cell;
use super::rows::Fetch;
use crate::values::PLAIN;

pub(super) struct Row<'a> {
    values: vec::IntoIter<Value>,
    fetch: &'a Fetch<'a>,
    next: usize,
    reading: Option<usize>,
}

impl<'a> Row<'a> {
    pub(super) fn new(values: Vec<Value>, fetch: &'a Fetch<'a>) -> Self {
        Self { values: values.into_iter(), fetch, next: 0, reading: None }
    }

    /// The column that was being read when it went wrong.
    pub(super) fn column(&self) -> Option<usize> {
        self.reading
    }

    fn has_one(&self) -> bool {
        self.values.len() == 1
    }

    fn only(&mut self) -> Result<Cell, Wrong> {
        self.expect(1)?;
        self.cell().ok_or_else(|| Wrong::custom("the value is read already"))
    }

    fn expect(&self, columns: usize) -> Result<(), Wrong> {
        match self.values.len() {
            length if length == columns => Ok(()),
            length => Err(Wrong::custom(columns_wanted(length, columns))),
        }
    }

    #[inline]
    fn cell(&mut self) -> Option<Cell> {
        let value = self.values.next()?;
        self.reading = Some(self.next);
        self.next += 1;
        Some(Cell(value))
    }

    #[inline]
    fn read<'de, S: DeserializeSeed<'de>>(&mut self, seed: S, cell: Cell) -> Result<S::Value, Wrong> {
        let value = seed.deserialize(cell)?;
        self.reading = None;
        Ok(value)
    }
}

/// The words for a row of another length.
pub(super) fn columns_wanted(has: usize, wanted: usize) -> String {
    let s = if has == 1 { "" } else { "s" };
    let are = if wanted == 1 { "is" } else { "are" };
    format!("has {has} column{s} where {wanted} {are} wanted")
}

macro_rules! only_value {
    ($($method:ident($($name:ident: $type:ty),*))*) => {
        $(fn $method<V: Visitor<'de>>(self $(, $name: $type)*, visitor: V) -> Result<V::Value, Wrong> {
            self.only()?.$method($($name,)* visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Row<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.has_one() { self.only()?.deserialize_any(visitor) } else { visitor.visit_map(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.has_one() { self.only()?.deserialize_seq(visitor) } else { visitor.visit_seq(self) }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if matches!(self.values.as_slice(), [Value::Null]) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        if name == PLAIN { self.only()?.deserialize_any(visitor) } else { visitor.visit_newtype_struct(self) }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_map(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_map(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.expect(length)?;
        visitor.visit_seq(self)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }

    only_value! {
        deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str() deserialize_string()
        deserialize_bytes() deserialize_byte_buf() deserialize_unit() deserialize_identifier()
        deserialize_unit_struct(name: &'static str)
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }
}

impl<'de> SeqAccess<'de> for &mut Row<'_> {
    type Error = Wrong;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Wrong> {
        let cell = self.cell();
        cell.map(|cell| self.read(seed, cell)).transpose()
    }
}

impl<'de> MapAccess<'de> for &mut Row<'_> {
    type Error = Wrong;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Wrong> {
        let name = self.fetch.names().get(self.next).filter(|_| self.values.len() > 0);
        name.map(|name| seed.deserialize(name.as_str().into_deserializer())).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Wrong> {
        let cell = self.cell().ok_or_else(|| Wrong::custom("a column has a name and no value"))?;
        self.read(seed, cell)
    }
}
