// How the catalog changes.

#include "godwit.h"

static bool evolve_devices(catalog *in) {
  collection *devices = change(in, TEXT("devices"));
  if (devices == NULL || !rename_column(in, devices, TEXT("hostname"), TEXT("name"))) return false;
  column kinds[] = {
    *find_column(devices, TEXT("name")),
    { .name = TEXT("kind"), .kind = KIND_TEXT, .default_value = { true, { DEFAULT_VALUE, TEXT("\"other\"") } } },
  };
  column *location = find_column(devices, TEXT("location"));
  if (location == NULL) return false;
  location->kind = KIND_JSON;
  location->native_type = NONE;
  return replace_column(devices, TEXT("name"), kinds, 2)
    && replace_object(in, TEXT("devices_in_use"),
      TEXT("CREATE INDEX devices_in_use ON devices(status) WHERE status <> 'stock'"))
    && drop_object(in, TEXT("devices_by_hostname"))
    && add_index(in, TEXT("devices_by_name"), TEXT("devices"),
      TEXT("CREATE INDEX devices_by_name ON devices(lower(name))"))
    && replace_object(in, TEXT("devices_status_log"), TEXT(
"CREATE TRIGGER devices_status_log AFTER UPDATE OF status ON devices\n"
"BEGIN\n"
"  INSERT INTO audit_log (at, actor, action, detail)\n"
"  VALUES (datetime('now'), 'trigger', 'status', new.name || ': ' || old.status || ' to ' || new.status);\n"
"END"));
}

static collection addresses(void) {
  static column columns[] = {
    { .name = TEXT("id"), .kind = KIND_INT64 },
    { .name = TEXT("user_id"), .kind = KIND_INT64 },
    { .name = TEXT("street"), .kind = KIND_TEXT, .nullable = true },
    { .name = TEXT("city"), .kind = KIND_TEXT, .nullable = true },
  };
  static text id = TEXT("id"), user_id = TEXT("user_id");
  static reference user = {
    .columns = { &user_id, 1 }, .collection = TEXT("users"), .foreign_columns = { &id, 1 },
    .on_update = TEXT("NO ACTION"), .on_delete = TEXT("CASCADE"),
  };
  return (collection){
    .name = TEXT("addresses"), .columns = { columns, 4 }, .primary_key = { &id, 1 }, .references = { &user, 1 },
  };
}

static bool evolve_users(catalog *in) {
  column names[] = {
    { .name = TEXT("first_name"), .kind = KIND_TEXT },
    { .name = TEXT("last_name"), .kind = KIND_TEXT, .nullable = true },
  };
  collection *users = change(in, TEXT("users"));
  return users != NULL
    && replace_column(users, TEXT("full_name"), names, 2)
    && replace_column(users, TEXT("street"), NULL, 0)
    && replace_column(users, TEXT("city"), NULL, 0)
    && create_collection(in, addresses())
    && drop_object(in, TEXT("users_by_city"))
    && add_index(in, TEXT("addresses_by_city"), TEXT("addresses"),
      TEXT("CREATE INDEX addresses_by_city ON addresses(city)"));
}

bool evolve_catalog(catalog *in) {
  return evolve_devices(in)
    && evolve_users(in)
    && drop_collection(in, TEXT("sessions"))
    // A trigger of users that names sessions: it does not go with them by itself.
    && drop_object(in, TEXT("users_end_sessions"))
    && replace_object(in, TEXT("device_overview"), TEXT(
"CREATE VIEW device_overview AS\n"
"  SELECT d.id, d.name, d.kind, d.status, d.price, trim(u.first_name || ' ' || coalesce(u.last_name, '')) AS owner\n"
"  FROM devices AS d LEFT JOIN users AS u ON u.id = d.owner_id"));
}
