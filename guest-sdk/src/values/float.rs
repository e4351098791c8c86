//! Floating-point numbers with the three values that JSON lacks.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The value of a float column: a number, or `"NaN"`, `"Infinity"`, `"-Infinity"`. A plain `f64`
/// does as long as these do not occur: serde_json would write `null` for them.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Float(pub f64);

impl Serialize for Float {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            number if number.is_finite() => serializer.serialize_f64(number),
            number if number.is_nan() => serializer.serialize_str("NaN"),
            number if number > 0.0 => serializer.serialize_str("Infinity"),
            _ => serializer.serialize_str("-Infinity"),
        }
    }
}

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FloatVisitor)
    }
}

struct FloatVisitor;

#[allow(clippy::cast_precision_loss, reason = "an integer in a float column is a float to the database too")]
impl Visitor<'_> for FloatVisitor {
    type Value = Float;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number, \"NaN\", \"Infinity\" or \"-Infinity\"")
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Float, E> {
        Ok(Float(number))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Float, E> {
        Ok(Float(number as f64))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Float, E> {
        Ok(Float(number as f64))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Float, E> {
        match text {
            "NaN" => Ok(Float(f64::NAN)),
            "Infinity" => Ok(Float(f64::INFINITY)),
            "-Infinity" => Ok(Float(f64::NEG_INFINITY)),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_float_travels() {
        for (number, json) in
            [(1.5, "1.5"), (-0.0, "-0.0"), (f64::INFINITY, "\"Infinity\""), (f64::NEG_INFINITY, "\"-Infinity\"")]
        {
            assert_eq!(serde_json::to_string(&Float(number)).unwrap(), json);
            assert_eq!(serde_json::from_str::<Float>(json).unwrap().0.to_bits(), number.to_bits());
        }
        assert_eq!(serde_json::to_string(&Float(f64::NAN)).unwrap(), "\"NaN\"");
        assert!(serde_json::from_str::<Float>("\"NaN\"").unwrap().0.is_nan());
        assert_eq!(serde_json::from_str::<Float>("-3").unwrap(), Float(-3.0));
        assert!(serde_json::from_str::<Float>("\"inf\"").is_err());
    }
}
