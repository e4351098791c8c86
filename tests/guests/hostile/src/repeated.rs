//! What could make one run differ from another.

use std::hint::black_box;

use godwit_sdk::bindings::Chunk;
use godwit_sdk::{Context, Migration, Record, Result};

use crate::Behaviour::{self, Migration as Whole, Transform};
use crate::tried::tell;

pub(crate) const BEHAVIOURS: &[(&str, Behaviour)] =
    &[("float-bits", Transform(float_bits)), ("reads-everything", Whole(|| Migration::new().edit("devices", look)))];

/// The bits of a NaN depend on the processor, unless the sandbox sees to it.
#[allow(clippy::cast_possible_truncation, clippy::eq_op, reason = "where NaNs come from")]
fn float_bits(chunk: Chunk) -> std::result::Result<Vec<Chunk>, godwit_sdk::bindings::Failure> {
    let (zero, infinity) = (black_box(0.0_f64), black_box(f64::INFINITY));
    let strange = black_box(f64::from_bits(0xfff4_dead_beef_0001));
    for (how, value) in [
        ("0 / 0", zero / zero),
        ("inf - inf", infinity - infinity),
        ("inf * 0", infinity * zero),
        ("sqrt(-1)", black_box(-1.0_f64).sqrt()),
        ("a strange NaN + 1", strange + black_box(1.0)),
        ("a strange NaN, made narrow and wide", f64::from(black_box(black_box(strange) as f32))),
    ] {
        tell(how, &format!("{:016x}", value.to_bits()));
    }
    let narrow = black_box(0.0_f32) / black_box(0.0_f32);
    tell("0 / 0, narrow", &format!("{:08x}", narrow.to_bits()));
    Ok(vec![chunk])
}

/// Rows in no order, and a file.
fn look(record: &mut Record, cx: &mut Context) -> Result<()> {
    let id: i64 = record.get("id")?;
    let sql = "SELECT group_concat(hostname) FROM devices WHERE id BETWEEN ?1 - 5 AND ?1 + 5";
    let names: Option<String> = cx.input()?.value(sql, (id,))?;
    let size = cx.tree("config")?.read("sites/dc1.conf")?.len();
    record.set("notes", format!("{} of {size}: {}", id, names.unwrap_or_default().chars().take(40).collect::<String>()))
}
