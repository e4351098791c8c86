//! From an author's values to those of a statement.

use crate::bindings::godwit::migration::database::Value;
use crate::{Bytes, Decimal, Error, Json, Result};

/// A value for a statement: integers up to 64 bits, `f64`, `bool`, text, bytes, [`Decimal`] (as its
/// text), [`Json`] and `serde_json::Value` (as the document's text), and an `Option` of any of them.
pub trait IntoValue {
    /// The value; an error where SQL has none like it.
    fn into_value(self) -> Result<Value>;
}

/// The values of a statement, in the order of its `?`: `()`, a tuple, an array, or a slice of [`Value`].
pub trait Params {
    /// Hands the values on.
    fn with<R>(self, call: impl FnOnce(&[Value]) -> R) -> Result<R>;
}

macro_rules! values {
    ($($type:ty: $value:ident => $made:expr;)*) => {
        $(impl IntoValue for $type {
            #[inline]
            fn into_value(self) -> Result<Value> {
                let $value = self;
                Ok($made)
            }
        })*
    };
}

values! {
    Value: value => value;
    bool: value => Value::Boolean(value);
    i16: value => Value::Integer(value.into());
    i32: value => Value::Integer(value.into());
    i64: value => Value::Integer(value);
    u16: value => Value::Integer(value.into());
    u32: value => Value::Integer(value.into());
    u64: value => Value::Integer(i64::try_from(value).map_err(|_| too_large(value))?);
    f64: value => Value::Real(value);
    &str: value => Value::Text(value.to_owned());
    String: value => Value::Text(value);
    &[u8]: value => Value::Bytes(value.to_vec());
    Vec<u8>: value => Value::Bytes(value);
    Bytes: value => Value::Bytes(value.0);
    Decimal: value => Value::Text(value.to_string());
    Json: value => Value::Text(value.0.to_string());
    serde_json::Value: value => Value::Text(value.to_string());
}

impl<T: IntoValue> IntoValue for Option<T> {
    #[inline]
    fn into_value(self) -> Result<Value> {
        self.map_or(Ok(Value::Null), T::into_value)
    }
}

impl<T: IntoValue + Clone> IntoValue for &T {
    #[inline]
    fn into_value(self) -> Result<Value> {
        self.clone().into_value()
    }
}

fn too_large(value: u64) -> Error {
    Error::new(format!("{value} is too large: SQL has integers up to {}", i64::MAX))
}

impl Params for () {
    #[inline]
    fn with<R>(self, call: impl FnOnce(&[Value]) -> R) -> Result<R> {
        Ok(call(&[]))
    }
}

impl Params for &[Value] {
    #[inline]
    fn with<R>(self, call: impl FnOnce(&[Value]) -> R) -> Result<R> {
        Ok(call(self))
    }
}

impl<T: IntoValue, const N: usize> Params for [T; N] {
    #[inline]
    fn with<R>(self, call: impl FnOnce(&[Value]) -> R) -> Result<R> {
        let mut values = [const { Value::Null }; N];
        for (at, (place, value)) in values.iter_mut().zip(self).enumerate() {
            *place = numbered(at + 1, value.into_value())?;
        }
        Ok(call(&values))
    }
}

macro_rules! tuples {
    ($($($name:ident $number:literal),+;)*) => {
        $(impl<$($name: IntoValue),+> Params for ($($name,)+) {
            #[inline]
            #[allow(non_snake_case, reason = "each value is called as its type")]
            fn with<R_>(self, call: impl FnOnce(&[Value]) -> R_) -> Result<R_> {
                let ($($name,)+) = self;
                Ok(call(&[$(numbered($number, $name.into_value())?),+]))
            }
        })*
    };
}

tuples! {
    A 1;
    A 1, B 2;
    A 1, B 2, C 3;
    A 1, B 2, C 3, D 4;
    A 1, B 2, C 3, D 4, E 5;
    A 1, B 2, C 3, D 4, E 5, F 6;
    A 1, B 2, C 3, D 4, E 5, F 6, G 7;
    A 1, B 2, C 3, D 4, E 5, F 6, G 7, H 8;
    A 1, B 2, C 3, D 4, E 5, F 6, G 7, H 8, I 9;
    A 1, B 2, C 3, D 4, E 5, F 6, G 7, H 8, I 9, J 10;
    A 1, B 2, C 3, D 4, E 5, F 6, G 7, H 8, I 9, J 10, K 11;
    A 1, B 2, C 3, D 4, E 5, F 6, G 7, H 8, I 9, J 10, K 11, L 12;
}

#[inline]
fn numbered(number: usize, value: Result<Value>) -> Result<Value> {
    value.map_err(|error| Error::new(format!("value {number}: {}", error.message())))
}
