//! Types for values that plain JSON has no type for, in the record encoding.

mod bytes;
mod decimal;
mod float;
mod json;

pub use bytes::Bytes;
pub use decimal::{Decimal, DecimalError};
pub use float::Float;
pub use json::Json;

/// Asks for a newtype of this name where the row of a query may hold the plain value: bytes as they are, a
/// document as text. JSON knows no such name and gives the value in the record encoding.
pub(crate) const PLAIN: &str = "$godwit::plain";
