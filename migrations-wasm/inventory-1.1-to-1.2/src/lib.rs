//! Takes the data of the inventory application from 1.1 to 1.2.
//!
//! - `devices`: the key is a text, `dev-000042`, and `links` and `device_tags` follow; `price` is
//!   now `price_eur`, an exact decimal.
//! - `links`: `length_value` and `length_unit` are merged into `length_m`.
//! - `audit_log`: entries of the action `debug` are left out.
//! - `app_meta` tells the new version. Everything else passes untouched.
#![forbid(unsafe_code)]

mod catalog;
mod devices;
mod links;

use godwit_sdk::prelude::*;

godwit_sdk::module!(migration, manifest = "module.json");

/// What this module does.
pub fn migration() -> Migration {
    Migration::new()
        .evolve(catalog::evolve)
        .edit("app_meta", app_meta)
        .key("app_meta", &["key"])
        .edit("audit_log", audit_entry)
        .edit("devices", devices::device)
        .edit("device_tags", devices::device_tag)
        .key("device_tags", &["device_id", "tag_id"])
        .typed("links", links::link)
}

fn app_meta(record: &mut Record, _: &mut Context) -> Result<()> {
    if record.get::<String>("key")? == "version" {
        record.set("value", "1.2.0")?;
    }
    Ok(())
}

fn audit_entry(record: &mut Record, _: &mut Context) -> Result<()> {
    if record.get::<String>("action")? == "debug" {
        record.drop_record();
    }
    Ok(())
}
