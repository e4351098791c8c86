PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE values_of_all_kinds (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  whole   INTEGER,
  real    REAL,
  text    TEXT COLLATE NOCASE DEFAULT 'none',
  bytes   BLOB,
  any     NUMERIC,
  flag    BOOLEAN NOT NULL DEFAULT 0,
  doubled INTEGER GENERATED ALWAYS AS (whole * 2) VIRTUAL
);
INSERT INTO values_of_all_kinds VALUES(1,9223372036854775807,0.10000000000000000555,'plain',X'',12.5,1);
INSERT INTO values_of_all_kinds VALUES(2,-9223372036854775808,-1.7976931348623156223e+308,'Tromsø ☂',X'00ff','text in a number''s place',0);
INSERT INTO values_of_all_kinds VALUES(4,0,4.9406564584124654428e-324,'',X'64',3,1);
CREATE TABLE parts (
  part_of INTEGER NOT NULL REFERENCES values_of_all_kinds(id) ON DELETE CASCADE,
  name    TEXT NOT NULL,
  PRIMARY KEY (part_of, name)
) WITHOUT ROWID;
INSERT INTO parts VALUES(1,'one');
INSERT INTO parts VALUES(1,'other');
INSERT INTO parts VALUES(2,'only');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('values_of_all_kinds',4);
CREATE INDEX parts_by_name ON parts(lower(name)) WHERE name <> 'only';
CREATE VIEW named AS SELECT v.id, p.name FROM values_of_all_kinds AS v JOIN parts AS p ON p.part_of = v.id;
CREATE TRIGGER no_more AFTER INSERT ON parts WHEN new.name = 'more'
BEGIN
  DELETE FROM parts WHERE name = 'more';
END;
COMMIT;
