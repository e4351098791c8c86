//! How the catalog changes.

use godwit_sdk::prelude::*;

pub(crate) fn evolve(catalog: &mut Catalog) -> Result<()> {
    catalog.collection("devices")?.set_kind("id", Kind::Text)?.replace_column("price", exact("price_eur"))?;
    catalog.collection("device_tags")?.set_kind("device_id", Kind::Text)?;
    catalog
        .collection("links")?
        .set_kind("device_a", Kind::Text)?
        .set_kind("device_b", Kind::Text)?
        .replace_column("length_value", exact("length_m"))?
        .drop_column("length_unit")?;
    catalog.replace_object(
        "device_overview",
        "CREATE VIEW device_overview AS
  SELECT d.id, d.name, d.kind, d.status, d.price_eur, trim(u.first_name || ' ' || coalesce(u.last_name, '')) AS owner
  FROM devices AS d LEFT JOIN users AS u ON u.id = d.owner_id",
    )
}

/// A decimal column, in SQLite a TEXT: as a NUMERIC it would be a float again.
fn exact(name: &str) -> Column {
    Column::decimal(name).nullable().native_type("TEXT")
}
