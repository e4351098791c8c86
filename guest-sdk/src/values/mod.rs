//! Types for values that plain JSON has no type for, in the record encoding.

mod bytes;
mod decimal;
mod float;
mod json;

pub use bytes::Bytes;
pub use decimal::{Decimal, DecimalError};
pub use float::Float;
pub use json::Json;
