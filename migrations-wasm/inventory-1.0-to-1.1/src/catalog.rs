//! How the catalog changes.

use godwit_sdk::prelude::*;

pub(crate) fn evolve(catalog: &mut Catalog) -> Result<()> {
    evolve_devices(catalog)?;
    evolve_users(catalog)?;
    catalog.drop_collection("sessions")?;
    // A trigger of users that names sessions: it does not go with them by itself.
    catalog.drop_object("users_end_sessions")?;
    catalog.replace_object(
        "device_overview",
        "CREATE VIEW device_overview AS
  SELECT d.id, d.name, d.kind, d.status, d.price, trim(u.first_name || ' ' || coalesce(u.last_name, '')) AS owner
  FROM devices AS d LEFT JOIN users AS u ON u.id = d.owner_id",
    )
}

fn evolve_devices(catalog: &mut Catalog) -> Result<()> {
    catalog
        .collection("devices")?
        .rename_column("hostname", "name")?
        .add_column_after("name", Column::text("kind").default_value("other"))?
        .set_kind("location", Kind::Json)?;
    catalog
        .replace_object("devices_in_use", "CREATE INDEX devices_in_use ON devices(status) WHERE status <> 'stock'")?;
    catalog.drop_object("devices_by_hostname")?;
    catalog.add_object(Object::index(
        "devices_by_name",
        "devices",
        "CREATE INDEX devices_by_name ON devices(lower(name))",
    ))?;
    catalog.replace_object(
        "devices_status_log",
        "CREATE TRIGGER devices_status_log AFTER UPDATE OF status ON devices
BEGIN
  INSERT INTO audit_log (at, actor, action, detail)
  VALUES (datetime('now'), 'trigger', 'status', new.name || ': ' || old.status || ' to ' || new.status);
END",
    )
}

fn evolve_users(catalog: &mut Catalog) -> Result<()> {
    catalog
        .collection("users")?
        .replace_column("full_name", Column::text("first_name"))?
        .add_column_after("first_name", Column::text("last_name").nullable())?
        .drop_column("street")?
        .drop_column("city")?;
    catalog.create(
        Collection::new("addresses")
            .column(Column::int64("id"))
            .column(Column::int64("user_id"))
            .column(Column::text("street").nullable())
            .column(Column::text("city").nullable())
            .primary_key(&["id"])
            .reference(Reference::new(&["user_id"], "users", &["id"]).on_delete("CASCADE")),
    )?;
    catalog.drop_object("users_by_city")?;
    catalog.add_object(Object::index(
        "addresses_by_city",
        "addresses",
        "CREATE INDEX addresses_by_city ON addresses(city)",
    ))
}
