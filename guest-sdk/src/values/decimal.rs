//! Exact decimal numbers, in records a string: `"12.50"`.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most digits that a [`Decimal`] calculates with, and the most of them behind the point.
const DIGITS_MAX: u32 = 38;

/// The value of a decimal column: exact, with up to 38 digits. The number of digits behind the
/// point is kept: `1.50` is written as `1.50`, and is another value than `1.5`.
///
/// A column that is only passed on needs no `Decimal`: a `String` holds any length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decimal {
    units: i128,
    scale: u32,
}

/// A number that a [`Decimal`] cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecimalError {
    /// The text is no decimal number.
    NotANumber(String),
    /// More than 38 digits.
    TooLong(String),
    /// The number has more digits behind the point than wanted, and they are not zero.
    Inexact {
        /// The number.
        number: String,
        /// The digits wanted.
        scale: u32,
    },
}

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber(text) => write!(f, "{text:?} is not a decimal number"),
            Self::TooLong(text) => write!(f, "{text} has more than {DIGITS_MAX} digits"),
            Self::Inexact { number, scale } => {
                write!(
                    f,
                    "{number} does not fit exactly into {scale} digits behind the point; round it where that is meant"
                )
            }
        }
    }
}

impl std::error::Error for DecimalError {}

impl Decimal {
    /// So many hundredths: `from_cents(1250)` is `12.50`.
    pub fn from_cents(cents: i64) -> Self {
        Self { units: cents.into(), scale: 2 }
    }

    /// So many units of `10^-scale`.
    pub fn from_units(units: i128, scale: u32) -> Result<Self, DecimalError> {
        let number = Self { units, scale };
        if units.unsigned_abs() < 10u128.pow(DIGITS_MAX) && scale <= DIGITS_MAX {
            Ok(number)
        } else {
            Err(DecimalError::TooLong(format!("{units}e-{scale}")))
        }
    }

    /// The shortest decimal number that reads back as this float: `0.1` for `0.1`, not the binary
    /// fraction that the float is.
    pub fn from_float(float: f64) -> Result<Self, DecimalError> {
        float.to_string().parse()
    }

    /// The same value with so many digits behind the point.
    ///
    /// # Errors
    /// It cannot be written so without rounding.
    pub fn with_scale(self, scale: u32) -> Result<Self, DecimalError> {
        let rounded = self.round(scale)?;
        if rounded.scale <= self.scale && rounded.rescaled(self.scale) != Some(self.units) {
            Err(DecimalError::Inexact { number: self.to_string(), scale })
        } else {
            Ok(rounded)
        }
    }

    /// Rounded to so many digits behind the point, halves away from zero.
    pub fn round(self, scale: u32) -> Result<Self, DecimalError> {
        let too_long = || DecimalError::TooLong(format!("{self} with {scale} digits behind the point"));
        if scale >= self.scale {
            return Self::from_units(self.rescaled(scale).ok_or_else(too_long)?, scale).map_err(|_| too_long());
        }
        let divisor = power_of_ten(self.scale - scale).ok_or_else(too_long)?;
        let away = i128::from((self.units % divisor).abs() >= divisor / 2 + divisor % 2) * self.units.signum();
        Self::from_units(self.units / divisor + away, scale)
    }

    /// The exact product; its digits behind the point are those of both.
    pub fn times(self, other: Self) -> Result<Self, DecimalError> {
        let product = self.units.checked_mul(other.units);
        product
            .and_then(|units| Self::from_units(units, self.scale + other.scale).ok())
            .ok_or_else(|| DecimalError::TooLong(format!("{self} × {other}")))
    }

    /// Without zeros at the end of the fraction.
    pub fn trimmed(mut self) -> Self {
        while self.scale > 0 && self.units % 10 == 0 {
            (self.units, self.scale) = (self.units / 10, self.scale - 1);
        }
        self
    }

    /// The units of this value at a scale that is not smaller than its own.
    fn rescaled(self, scale: u32) -> Option<i128> {
        self.units.checked_mul(power_of_ten(scale.checked_sub(self.scale)?)?)
    }
}

fn power_of_ten(exponent: u32) -> Option<i128> {
    10i128.checked_pow(exponent)
}

impl FromStr for Decimal {
    type Err = DecimalError;

    /// Reads `-12.50`, and `1.25e3` as floats are written.
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let not_a_number = || DecimalError::NotANumber(text.to_owned());
        let too_long = || DecimalError::TooLong(text.to_owned());
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i32 = exponent.parse().map_err(|_| not_a_number())?;
        let digits = mantissa.strip_prefix('-').unwrap_or(mantissa);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return Err(not_a_number());
        }
        let fraction = if digits.contains('.') { fraction } else { "" };
        let magnitude: i128 = format!("{whole}{fraction}").parse().map_err(|_| too_long())?;
        let units = if mantissa.starts_with('-') { -magnitude } else { magnitude };
        let behind = i32::try_from(fraction.len()).ok().and_then(|length| length.checked_sub(exponent));
        match behind.ok_or_else(too_long)? {
            scale @ 0.. => Self::from_units(units, scale.unsigned_abs()),
            zeros => power_of_ten(zeros.unsigned_abs())
                .and_then(|power| units.checked_mul(power))
                .ok_or_else(too_long)
                .and_then(|units| Self::from_units(units, 0)),
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = self.scale as usize;
        let digits = format!("{:0width$}", self.units.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let (sign, point) = (if self.units < 0 { "-" } else { "" }, if scale > 0 { "." } else { "" });
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    /// From a string, or from a number as its shortest text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DecimalVisitor)
    }
}

struct DecimalVisitor;

impl Visitor<'_> for DecimalVisitor {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal number, as a string or a number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Decimal, E> {
        Ok(Decimal { units: number.into(), scale: 0 })
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Decimal, E> {
        Ok(Decimal { units: number.into(), scale: 0 })
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Decimal, E> {
        Decimal::from_float(number).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn text_is_kept() {
        for text in ["0", "12.50", "-0.05", "1.500", "-7", "99999999999999999999999999999999999999"] {
            assert_eq!(decimal(text).to_string(), text);
        }
        assert_eq!(Decimal::from_cents(-5).to_string(), "-0.05");
        assert_eq!(decimal("1.25e3").to_string(), "1250");
        assert_eq!(decimal("125E-4").to_string(), "0.0125");
        assert_eq!(decimal("007.0").to_string(), "7.0");
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in
            ["", "-", ".5", "5.", "1,5", "+1", "1e", "1e+", "NaN", "Infinity", " 1", "1.2.3", "--1", "1e5e5", "-.e1"]
        {
            assert!(matches!(text.parse::<Decimal>(), Err(DecimalError::NotANumber(_))), "{text}");
        }
        for text in
            ["1e39", "1e-39", "1e400", "1e2147483647", "1e-2147483648", "100000000000000000000000000000000000000"]
        {
            assert!(matches!(text.parse::<Decimal>(), Err(DecimalError::TooLong(_))), "{text}");
        }
        assert!(Decimal::from_float(f64::NAN).is_err());
    }

    #[test]
    fn floats_are_taken_by_their_shortest_text() {
        assert_eq!(Decimal::from_float(0.1).unwrap().to_string(), "0.1");
        assert_eq!(Decimal::from_float(1299.5).unwrap().round(2).unwrap().to_string(), "1299.50");
        assert_eq!(serde_json::from_str::<Decimal>("1299.99").unwrap().to_string(), "1299.99");
        assert_eq!(serde_json::from_str::<Decimal>("1e2").unwrap().to_string(), "100");
        assert_eq!(serde_json::from_str::<Decimal>("\"-3.10\"").unwrap().to_string(), "-3.10");
        assert_eq!(serde_json::to_string(&decimal("12.50")).unwrap(), "\"12.50\"");
    }

    #[test]
    fn rounding_is_said_and_goes_away_from_zero() {
        assert_eq!(decimal("1.005").round(2).unwrap(), decimal("1.01"));
        assert_eq!(decimal("-1.005").round(2).unwrap(), decimal("-1.01"));
        assert_eq!(decimal("1.0049").round(2).unwrap(), decimal("1.00"));
        assert_eq!(decimal("0.5").round(0).unwrap(), decimal("1"));
        assert_eq!(decimal("7").with_scale(2).unwrap(), decimal("7.00"));
        assert_eq!(decimal("7.100").with_scale(1).unwrap(), decimal("7.1"));
        assert!(matches!(decimal("7.15").with_scale(1), Err(DecimalError::Inexact { .. })));
        assert!(decimal("99999999999999999999999999999999999999").round(1).is_err());
    }

    #[test]
    fn products_are_exact() {
        assert_eq!(decimal("10").times(decimal("0.3048")).unwrap(), decimal("3.0480"));
        assert_eq!(decimal("3.0480").trimmed(), decimal("3.048"));
        assert_eq!(decimal("100").trimmed(), decimal("100"));
        assert!(decimal("99999999999999999999").times(decimal("99999999999999999999")).is_err());
    }

    proptest! {
        #[test]
        fn every_decimal_reads_back(units in any::<i64>(), scale in 0..=38u32) {
            let number = Decimal::from_units(units.into(), scale).unwrap();
            prop_assert_eq!(number.to_string().parse::<Decimal>().unwrap(), number);
        }

        #[test]
        fn any_text_is_a_number_or_an_error(text in "[-0-9.eE+]{0,20}") {
            let _ = text.parse::<Decimal>();
        }

        #[test]
        fn a_float_read_as_decimal_is_the_same_float(float in -1e15f64..1e15) {
            if let Ok(number) = Decimal::from_float(float) {
                prop_assert_eq!(number.to_string().parse::<f64>().unwrap().to_bits(), (float + 0.0).to_bits());
            }
        }
    }
}
