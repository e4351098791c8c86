//! Takes the data of the inventory application from 1.2 to 1.3.
//!
//! - `devices` has `link_count`, which is counted from `links` (capability `database`, connection `input`).
//! - The configuration's `listen = HOST:PORT` becomes `host = HOST` and `port = PORT`, and its folder
//!   `sites` is now `sites.d` (capability `files`).
//! - `app_meta` tells the new version. Everything else passes untouched.
//!
//! Restored into a live application, the counts are compared with the links there before anyone sees
//! them (connection `target`).
#![forbid(unsafe_code)]

mod configuration;

use godwit_sdk::prelude::*;

godwit_sdk::module!(migration, manifest = "module.json");

/// What this module does.
pub fn migration() -> Migration {
    Migration::new()
        .evolve(evolve)
        .edit("app_meta", app_meta)
        .key("app_meta", &["key"])
        .edit("devices", device)
        .finish(configuration::bring_up_to_date)
        .verify(verify)
}

fn evolve(catalog: &mut Catalog) -> Result<()> {
    catalog.collection("devices")?.add_column(Column::int64("link_count").default_value(0))?;
    Ok(())
}

fn app_meta(record: &mut Record, _: &mut Context) -> Result<()> {
    if record.get::<String>("key")? == "version" {
        record.set("value", "1.3.0")?;
    }
    Ok(())
}

/// A link of a device with itself is one link.
const LINKS_OF_DEVICE: &str = "SELECT count(*) FROM links WHERE device_a = ?1 OR device_b = ?1";

fn device(record: &mut Record, cx: &mut Context) -> Result<()> {
    let id: String = record.get("id")?;
    let links: i64 = cx.input()?.value(LINKS_OF_DEVICE, (id.as_str(),))?;
    record.set("link_count", links)
}

const MISCOUNTED: &str = "SELECT count(*) FROM devices AS d WHERE link_count <>
  (SELECT count(*) FROM links WHERE device_a = d.id OR device_b = d.id)";

fn verify(cx: &mut Context) -> Result<()> {
    let Some(target) = cx.target()? else { return Ok(()) };
    match target.value::<u64>(MISCOUNTED, ())? {
        0 => Ok(()),
        count => Err(Error::new(format!("{count} devices have another number of links than they say"))),
    }
}
