// How the catalog changes.

import {
  change,
  column,
  columnOf,
  dropCollection,
  dropObject,
  renameColumn,
  replaceColumn,
  replaceObject,
} from './godwit.js';

export function evolveCatalog(catalog) {
  evolveDevices(catalog);
  evolveUsers(catalog);
  dropCollection(catalog, 'sessions');
  // A trigger of users that names sessions: it does not go with them by itself.
  dropObject(catalog, 'users_end_sessions');
  replaceObject(
    catalog,
    'device_overview',
    `CREATE VIEW device_overview AS
  SELECT d.id, d.name, d.kind, d.status, d.price, trim(u.first_name || ' ' || coalesce(u.last_name, '')) AS owner
  FROM devices AS d LEFT JOIN users AS u ON u.id = d.owner_id`,
  );
}

function evolveDevices(catalog) {
  const devices = change(catalog, 'devices');
  renameColumn(catalog, devices, 'hostname', 'name');
  const kind = column('kind', 'text', { default: { tag: 'value', val: '"other"' } });
  replaceColumn(devices, 'name', columnOf(devices, 'name'), kind);
  Object.assign(columnOf(devices, 'location'), { kind: 'json', nativeType: undefined });
  replaceObject(catalog, 'devices_in_use', "CREATE INDEX devices_in_use ON devices(status) WHERE status <> 'stock'");
  dropObject(catalog, 'devices_by_hostname');
  catalog.objects.push({
    kind: 'index',
    name: 'devices_by_name',
    collection: 'devices',
    definition: 'CREATE INDEX devices_by_name ON devices(lower(name))',
  });
  replaceObject(
    catalog,
    'devices_status_log',
    `CREATE TRIGGER devices_status_log AFTER UPDATE OF status ON devices
BEGIN
  INSERT INTO audit_log (at, actor, action, detail)
  VALUES (datetime('now'), 'trigger', 'status', new.name || ': ' || old.status || ' to ' || new.status);
END`,
  );
}

function evolveUsers(catalog) {
  const users = change(catalog, 'users');
  replaceColumn(users, 'full_name', column('first_name', 'text'), column('last_name', 'text', { nullable: true }));
  replaceColumn(users, 'street');
  replaceColumn(users, 'city');
  catalog.collections.push(addresses());
  dropObject(catalog, 'users_by_city');
  catalog.objects.push({
    kind: 'index',
    name: 'addresses_by_city',
    collection: 'addresses',
    definition: 'CREATE INDEX addresses_by_city ON addresses(city)',
  });
}

function addresses() {
  return {
    name: 'addresses',
    columns: [
      column('id', 'int64'),
      column('user_id', 'int64'),
      column('street', 'text', { nullable: true }),
      column('city', 'text', { nullable: true }),
    ],
    primaryKey: ['id'],
    unique: [],
    references: [
      {
        columns: ['user_id'],
        collection: 'users',
        foreignColumns: ['id'],
        onUpdate: 'NO ACTION',
        onDelete: 'CASCADE',
      },
    ],
    options: [],
  };
}
