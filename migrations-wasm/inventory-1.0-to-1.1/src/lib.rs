//! Takes the data of the inventory application from 1.0 to 1.1.
//!
//! - `devices`: `hostname` is now `name`, statuses have other words, `location` is a document,
//!   and `kind` is new.
//! - `users`: `full_name` is split into `first_name` and `last_name`; `street` and `city` move to
//!   the new collection `addresses`.
//! - `sessions` is gone. `app_meta` tells the new version. Everything else passes untouched.
#![forbid(unsafe_code)]

mod catalog;
mod devices;
mod users;

use godwit_sdk::prelude::*;

godwit_sdk::module!(migration, manifest = "module.json");

/// What this module does.
pub fn migration() -> Migration {
    Migration::new()
        .evolve(catalog::evolve)
        .edit("app_meta", app_meta)
        .key("app_meta", &["key"])
        .edit("devices", devices::device)
        .typed("users", users::user)
        .drop_all("sessions")
}

fn app_meta(record: &mut Record, _: &mut Context) -> Result<()> {
    if record.get::<String>("key")? == "version" {
        record.set("value", "1.1.0")?;
    }
    Ok(())
}
