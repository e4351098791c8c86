"""How the catalog changes."""

from godwit import (
    add_column_after,
    change,
    column,
    drop_collection,
    drop_object,
    index,
    integer_column,
    rename_column,
    replace_object,
    text_column,
)
from wit_world.imports.catalog import Collection, DefaultValue_Value, Kind, Reference


def evolve(catalog):
    evolve_devices(catalog)
    evolve_users(catalog)
    drop_collection(catalog, "sessions")
    # A trigger of users that names sessions: it does not go with them by itself.
    drop_object(catalog, "users_end_sessions")
    replace_object(
        catalog,
        "device_overview",
        """CREATE VIEW device_overview AS
  SELECT d.id, d.name, d.kind, d.status, d.price, trim(u.first_name || ' ' || coalesce(u.last_name, '')) AS owner
  FROM devices AS d LEFT JOIN users AS u ON u.id = d.owner_id""",
    )


def evolve_devices(catalog):
    devices = change(catalog, "devices")
    rename_column(catalog, devices, "hostname", "name")
    add_column_after(devices, "name", text_column("kind", default=DefaultValue_Value('"other"')))
    location = column(devices, "location")
    location.kind, location.native_type = Kind.JSON, None
    replace_object(catalog, "devices_in_use", "CREATE INDEX devices_in_use ON devices(status) WHERE status <> 'stock'")
    drop_object(catalog, "devices_by_hostname")
    catalog.objects.append(
        index("devices_by_name", "devices", "CREATE INDEX devices_by_name ON devices(lower(name))")
    )
    replace_object(
        catalog,
        "devices_status_log",
        """CREATE TRIGGER devices_status_log AFTER UPDATE OF status ON devices
BEGIN
  INSERT INTO audit_log (at, actor, action, detail)
  VALUES (datetime('now'), 'trigger', 'status', new.name || ': ' || old.status || ' to ' || new.status);
END""",
    )


def evolve_users(catalog):
    users = change(catalog, "users")
    at = users.columns.index(column(users, "full_name"))
    users.columns[at : at + 1] = [text_column("first_name"), text_column("last_name", nullable=True)]
    users.columns.remove(column(users, "street"))
    users.columns.remove(column(users, "city"))
    catalog.collections.append(addresses())
    drop_object(catalog, "users_by_city")
    catalog.objects.append(
        index("addresses_by_city", "addresses", "CREATE INDEX addresses_by_city ON addresses(city)")
    )


def addresses():
    return Collection(
        name="addresses",
        columns=[
            integer_column("id"),
            integer_column("user_id"),
            text_column("street", nullable=True),
            text_column("city", nullable=True),
        ],
        primary_key=["id"],
        unique=[],
        references=[Reference(["user_id"], "users", ["id"], "NO ACTION", "CASCADE")],
        definition=None,
        options=[],
    )
