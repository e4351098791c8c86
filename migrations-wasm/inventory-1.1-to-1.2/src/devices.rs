//! Devices and what refers to them, in the edit style.

use godwit_sdk::prelude::*;

pub(crate) fn device(record: &mut Record, cx: &mut Context) -> Result<()> {
    rekey(record, "id")?;
    if let Some(price) = record.get::<Option<Decimal>>("price")? {
        record.set("price", cents(price, cx)?)?;
    }
    record.rename("price", "price_eur")
}

pub(crate) fn device_tag(record: &mut Record, _: &mut Context) -> Result<()> {
    rekey(record, "device_id")
}

/// The key of a device in 1.2. It follows from the old one alone, so that whatever refers to a
/// device finds its new key without looking it up.
pub(crate) fn device_key(id: i64) -> String {
    format!("dev-{id:06}")
}

fn rekey(record: &mut Record, field: &str) -> Result<()> {
    let key = device_key(record.get(field)?);
    record.set(field, key)
}

/// Two digits behind the point. 1.1 kept prices as floats, so what is beyond cents is said and rounded away.
fn cents(price: Decimal, cx: &Context) -> Result<Decimal> {
    price.with_scale(2).or_else(|_| {
        let rounded = price.round(2).in_field("price")?;
        cx.warn(format!("device number {}: the price {price} becomes {rounded}", cx.record_number()));
        Ok(rounded)
    })
}
