//! Devices, in the edit style: four fields change, and the others pass unread.

use godwit_sdk::prelude::*;
use serde::Serialize;

pub(crate) fn device(record: &mut Record, cx: &mut Context) -> Result<()> {
    record.rename("hostname", "name")?;
    record.insert_after("name", "kind", "other")?;
    let status = status(&record.get::<String>("status")?, cx)?;
    record.set("status", status)?;
    if let Some(text) = record.get::<Option<String>>("location")? {
        record.set("location", Location::read(&text)?)?;
    }
    Ok(())
}

/// The words of 1.0 and those of 1.1.
const STATUSES: [(&str, &str); 5] =
    [("up", "active"), ("down", "offline"), ("spare", "stock"), ("broken", "failed"), ("retired", "retired")];

fn status(old: &str, cx: &mut Context) -> Result<String> {
    match STATUSES.iter().find(|(known, _)| *known == old) {
        Some((_, new)) => Ok((*new).to_owned()),
        None => unknown_status(old, cx),
    }
}

/// What the operator wants done with a status that 1.0 does not know: nothing, unless told.
fn unknown_status(old: &str, cx: &mut Context) -> Result<String> {
    let policy: String = cx.parameter("unknown_status")?;
    if policy == "fail" {
        let message = format!(
            "unknown value {old:?}; 1.0 knows up, down, spare, broken and retired. Correct it there, or give the parameter unknown_status the status that it becomes"
        );
        return Err(Error::field("status", message));
    }
    if STATUSES.iter().any(|(_, new)| *new == policy) {
        return Ok(policy);
    }
    Err(Error::new(format!(
        "the parameter unknown_status is {policy:?}, which is neither \"fail\" nor a status of 1.1"
    )))
}

/// Where a device stands: in 1.0 the text `DC1/R12/U7`, with less of it where less is known.
#[derive(Serialize)]
struct Location<'a> {
    site: &'a str,
    rack: Option<&'a str>,
    unit: Option<u16>,
}

impl<'a> Location<'a> {
    fn read(text: &'a str) -> Result<Self> {
        let mut parts = text.split('/');
        let location = Self {
            site: parts.next().unwrap_or_default(),
            rack: parts.next(),
            unit: parts.next().map(|unit| read_unit(unit, text)).transpose()?,
        };
        match parts.next() {
            None => Ok(location),
            Some(_) => Err(Error::field("location", format!("{text:?} has more parts than site/rack/unit"))),
        }
    }
}

fn read_unit(unit: &str, text: &str) -> Result<u16> {
    let number = unit.strip_prefix('U').and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| Error::field("location", format!("{text:?} ends in no rack unit such as U7")))
}
