-- The inventory application, version 1.0.0.

CREATE TABLE app_meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE users (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  full_name  TEXT NOT NULL,
  email      TEXT UNIQUE,
  role       TEXT NOT NULL,
  street     TEXT,
  city       TEXT,
  created_at TEXT NOT NULL
);

-- status: up, down, spare, broken or retired; location: site/rack/unit, as in DC1/R12/U7
CREATE TABLE devices (
  id       INTEGER PRIMARY KEY,
  hostname TEXT NOT NULL UNIQUE,
  status   TEXT NOT NULL,
  price    REAL,
  location TEXT,
  owner_id INTEGER REFERENCES users(id),
  notes    TEXT,
  serial   TEXT
);

-- length_unit: m, cm, ft or in
CREATE TABLE links (
  id           INTEGER PRIMARY KEY,
  device_a     INTEGER NOT NULL REFERENCES devices(id),
  device_b     INTEGER NOT NULL REFERENCES devices(id),
  speed_mbit   INTEGER,
  cable        TEXT,
  length_value REAL,
  length_unit  TEXT
);

CREATE TABLE tags (
  id     INTEGER PRIMARY KEY,
  name   TEXT NOT NULL UNIQUE,
  colour TEXT
);

CREATE TABLE device_tags (
  device_id INTEGER NOT NULL REFERENCES devices(id) ON DELETE CASCADE,
  tag_id    INTEGER NOT NULL REFERENCES tags(id) ON DELETE CASCADE,
  PRIMARY KEY (device_id, tag_id)
) WITHOUT ROWID;

CREATE TABLE audit_log (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  at     TEXT,
  actor  TEXT,
  action TEXT NOT NULL,
  detail TEXT
);

CREATE TABLE sessions (
  token      TEXT PRIMARY KEY,
  user_id    INTEGER REFERENCES users(id),
  expires_at TEXT
);

CREATE INDEX devices_in_use ON devices(status) WHERE status <> 'spare';
CREATE INDEX devices_by_hostname ON devices(lower(hostname));
CREATE INDEX users_by_city ON users(city);
CREATE INDEX sessions_by_user ON sessions(user_id);
CREATE INDEX audit_log_by_time ON audit_log(at);

CREATE VIEW device_overview AS
  SELECT d.id, d.hostname, d.status, d.price, u.full_name AS owner
  FROM devices AS d LEFT JOIN users AS u ON u.id = d.owner_id;

CREATE VIEW tag_usage AS
  SELECT t.name, count(dt.device_id) AS devices
  FROM tags AS t LEFT JOIN device_tags AS dt ON dt.tag_id = t.id
  GROUP BY t.id;

CREATE TRIGGER devices_status_log AFTER UPDATE OF status ON devices
BEGIN
  INSERT INTO audit_log (at, actor, action, detail)
  VALUES (datetime('now'), 'trigger', 'status', new.hostname || ': ' || old.status || ' to ' || new.status);
END;

CREATE TRIGGER users_end_sessions AFTER DELETE ON users
BEGIN
  DELETE FROM sessions WHERE user_id = old.id;
END;
