//! What `evolve` must not make of a catalog.

use godwit_sdk::bindings::godwit::migration::catalog::Kind;
use godwit_sdk::bindings::{Catalog, Failure};
use godwit_sdk::{Collection, Column, Object};

use crate::Behaviour::{self, Evolve};
use crate::failure;

pub(crate) const BEHAVIOURS: &[(&str, Behaviour)] = &[
    ("changes-undeclared", Evolve(|catalog| changed(catalog, "users", |users| users.columns.push(Column::text("x"))))),
    ("creates-undeclared", Evolve(|catalog| created(catalog, "racks"))),
    ("drops-undeclared", Evolve(drops_undeclared)),
    ("same-collection-twice", Evolve(|catalog| created(catalog, "devices"))),
    ("duplicate-column", Evolve(|catalog| with_column(catalog, "serial"))),
    ("no-columns", Evolve(|catalog| changed(catalog, "devices", |devices| devices.columns.clear()))),
    ("key-on-missing-column", Evolve(|catalog| with_key(catalog, "colour"))),
    ("control-characters-in-missing-key", Evolve(|catalog| with_key(catalog, "\u{1b}[2J"))),
    ("nul-in-name", Evolve(|catalog| with_column(catalog, "a\0b"))),
    ("control-characters-in-column", Evolve(|catalog| with_column(catalog, "\u{1b}[2J\nerror: x"))),
    ("long-name", Evolve(|catalog| created(catalog, &"x".repeat(1 << 20)))),
    ("other-engine", Evolve(other_engine)),
    ("object-of-unknown-kind", Evolve(|catalog| with(catalog, "procedure", "p", "CREATE PROCEDURE p() BEGIN END"))),
    ("object-that-is-no-create", Evolve(|catalog| with(catalog, "view", "v", "DELETE FROM devices"))),
    ("object-of-another-name", Evolve(|catalog| with(catalog, "view", "v", "CREATE VIEW w AS SELECT 1"))),
    ("object-for-another-kind", Evolve(|catalog| with(catalog, "view", "v", "CREATE TABLE v (a)"))),
    ("two-statements", Evolve(|catalog| with(catalog, "view", "v", "CREATE VIEW v AS SELECT 1; DROP TABLE users"))),
    ("attach", Evolve(|catalog| with(catalog, "view", "v", "ATTACH 'stolen.db' AS stolen"))),
    ("vacuum-into", Evolve(|catalog| with(catalog, "view", "v", "VACUUM INTO 'stolen.db'"))),
    ("pragma", Evolve(|catalog| with(catalog, "trigger", "t", "PRAGMA writable_schema = ON"))),
    ("table-from-select", Evolve(|catalog| defined(catalog, "CREATE TABLE devices AS SELECT 1 AS id"))),
    ("definition-of-another-table", Evolve(|catalog| defined(catalog, "CREATE TABLE users2 (id INTEGER)"))),
    ("definition-with-other-columns", Evolve(|catalog| defined(catalog, "CREATE TABLE devices (id INTEGER)"))),
    (
        "view-that-loads-code",
        Evolve(|catalog| with(catalog, "index", "i", "CREATE INDEX i ON devices(load_extension('x'))")),
    ),
    (
        "forbidden-virtual-table",
        Evolve(|catalog| with(catalog, "virtual-table", "d", "CREATE VIRTUAL TABLE d USING dbstat")),
    ),
    ("endless-view", Evolve(endless_view)),
    ("laughing-views", Evolve(laughing_views)),
    ("column-that-a-view-uses", Evolve(|catalog| without_column(catalog, "status"))),
    ("column-that-a-trigger-uses", Evolve(|catalog| without_column(catalog, "hostname"))),
    ("many-collections", Evolve(many_collections)),
    ("many-columns", Evolve(many_columns)),
    (
        "huge-definition",
        Evolve(|catalog| with(catalog, "view", "v", &format!("CREATE VIEW v AS SELECT '{}'", "x".repeat(4 << 20)))),
    ),
    ("failing-evolve", Evolve(|_| Err(failure("the catalog is not what 1.0 has")))),
];

type Evolved = Result<Catalog, Failure>;

fn changed(mut catalog: Catalog, name: &str, change: impl FnOnce(&mut Collection)) -> Evolved {
    let found = catalog.collections.iter_mut().find(|collection| collection.name == name);
    let collection = found.ok_or_else(|| failure(format!("there is no {name}")))?;
    collection.definition = None;
    change(collection);
    Ok(catalog)
}

fn with_column(catalog: Catalog, name: &str) -> Evolved {
    changed(catalog, "devices", |devices| devices.columns.push(Column::text(name).nullable()))
}

fn without_column(catalog: Catalog, name: &str) -> Evolved {
    changed(catalog, "devices", |devices| devices.columns.retain(|column| column.name != name))
}

fn with_key(catalog: Catalog, column: &str) -> Evolved {
    changed(catalog, "devices", |devices| devices.primary_key = vec![column.to_owned()])
}

fn defined(catalog: Catalog, definition: &str) -> Evolved {
    changed(catalog, "devices", |devices| devices.definition = Some(definition.to_owned()))
}

fn created(mut catalog: Catalog, name: &str) -> Evolved {
    catalog.collections.push(Collection::new(name).column(Column::int64("id")));
    Ok(catalog)
}

fn drops_undeclared(mut catalog: Catalog) -> Evolved {
    catalog.collections.retain(|collection| collection.name != "audit_log");
    Ok(catalog)
}

fn other_engine(mut catalog: Catalog) -> Evolved {
    "post\u{1b}[31mgres".clone_into(&mut catalog.engine);
    Ok(catalog)
}

fn with(mut catalog: Catalog, kind: &str, name: &str, definition: &str) -> Evolved {
    let collection = matches!(kind, "index" | "trigger").then(|| "devices".to_owned());
    catalog.objects.push(Object {
        kind: kind.to_owned(),
        name: name.to_owned(),
        collection,
        definition: definition.to_owned(),
    });
    Ok(catalog)
}

/// It may be defined, since defining runs nothing; whoever reads it has himself to blame.
fn endless_view(catalog: Catalog) -> Evolved {
    let endless =
        "CREATE VIEW v AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c";
    with(catalog, "view", "v", endless)
}

/// Each view names the one before it four times: the last one stands for 4^9 tables.
fn laughing_views(mut catalog: Catalog) -> Evolved {
    for i in 1..=9 {
        let below = if i == 1 { "devices".to_owned() } else { format!("laugh{}", i - 1) };
        let parts = vec![format!("SELECT (SELECT count(*) FROM {below}) AS id"); 4].join(" UNION ALL ");
        catalog = with(catalog, "view", &format!("laugh{i}"), &format!("CREATE VIEW laugh{i} AS {parts}"))?;
    }
    Ok(catalog)
}

fn many_collections(mut catalog: Catalog) -> Evolved {
    for i in 0..60_000 {
        catalog.collections.push(Collection::new(&format!("c{i}")).column(Column::int64("i")));
    }
    Ok(catalog)
}

fn many_columns(catalog: Catalog) -> Evolved {
    let columns: Vec<_> =
        (0..100_000).map(|i| Column { kind: Kind::Int64, ..Column::text(&format!("c{i}")) }).collect();
    changed(catalog, "devices", |devices| {
        devices.primary_key = columns.iter().rev().map(|column| column.name.clone()).collect();
        devices.columns = columns;
    })
}
