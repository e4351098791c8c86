//! Links, in the typed style: most of the record changes.

use godwit_sdk::prelude::*;
use serde::{Deserialize, Serialize};

use crate::devices::device_key;

/// A link of 1.1.
#[derive(Deserialize)]
pub(crate) struct OldLink {
    id: i64,
    device_a: i64,
    device_b: i64,
    speed_mbit: Option<i64>,
    cable: Option<String>,
    length_value: Option<Decimal>,
    length_unit: Option<String>,
}

/// A link of 1.2.
#[derive(Serialize)]
pub(crate) struct Link {
    id: i64,
    device_a: String,
    device_b: String,
    speed_mbit: Option<i64>,
    cable: Option<String>,
    length_m: Option<Decimal>,
}

pub(crate) fn link(old: OldLink, _: &mut Context) -> Result<Link> {
    Ok(Link {
        id: old.id,
        device_a: device_key(old.device_a),
        device_b: device_key(old.device_b),
        speed_mbit: old.speed_mbit,
        cable: old.cable,
        length_m: metres(old.length_value, old.length_unit.as_deref())?,
    })
}

/// Exact: a foot is 0.3048 m and an inch 0.0254 m by definition.
fn metres(value: Option<Decimal>, unit: Option<&str>) -> Result<Option<Decimal>> {
    let Some(value) = value else { return Ok(None) };
    let factor = match unit {
        Some("m") => "1",
        Some("cm") => "0.01",
        Some("ft") => "0.3048",
        Some("in") => "0.0254",
        Some(other) => {
            return Err(Error::field("length_unit", format!("unknown value {other:?}; 1.1 knows m, cm, ft and in")));
        }
        None => return Err(Error::field("length_unit", format!("is null, so that the length {value} means nothing"))),
    };
    let metres = value.times(factor.parse()?).in_field("length_value")?;
    Ok(Some(metres.trimmed()))
}
