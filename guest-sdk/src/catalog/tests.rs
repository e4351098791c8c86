use super::*;
use crate::native;

fn catalog() -> Catalog {
    let users = Collection::new("users")
        .column(Column::int64("id"))
        .column(Column::text("email").nullable())
        .primary_key(&["id"])
        .unique(&["email"])
        .definition("CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT UNIQUE CHECK (email <> ''))");
    let devices = Collection::new("devices")
        .column(Column::int64("id"))
        .column(Column::int64("owner"))
        .reference(Reference::new(&["owner"], "users", &["id"]).on_delete("CASCADE"))
        .definition("CREATE TABLE devices(id INTEGER, owner INTEGER REFERENCES users(id) ON DELETE CASCADE)");
    Catalog::new("sqlite")
        .with(users)
        .with(devices)
        .with_object(Object::index("devices_owner", "devices", "CREATE INDEX devices_owner ON devices(owner)"))
        .with_object(Object::view("owners", "CREATE VIEW owners AS SELECT owner FROM devices"))
}

fn columns(catalog: &Catalog, at: usize) -> Vec<&str> {
    catalog.collections[at].columns.iter().map(|column| column.name.as_str()).collect()
}

#[test]
fn a_renamed_column_is_followed_by_keys_and_references() {
    let mut catalog = catalog();
    catalog.collection("users").unwrap().rename_column("id", "number").unwrap().rename_column("email", "mail").unwrap();
    assert_eq!(columns(&catalog, 0), ["number", "mail"]);
    assert_eq!(catalog.collections[0].primary_key, ["number"]);
    assert_eq!(catalog.collections[0].unique, [["mail"]]);
    assert_eq!(catalog.collections[1].references[0].foreign_columns, ["number"]);
    assert!(catalog.collections.iter().all(|collection| collection.definition.is_none()));
}

#[test]
fn an_unrelated_collection_keeps_its_definition() {
    let mut catalog = catalog();
    catalog.collection("users").unwrap().rename_column("email", "mail").unwrap();
    assert!(catalog.collections[0].definition.is_none());
    assert!(catalog.collections[1].definition.is_some());
}

#[test]
fn columns_are_added_in_place_changed_and_dropped() {
    let mut catalog = catalog();
    let mut users = catalog.collection("users").unwrap();
    users.add_column_after("id", Column::json("data").default_value(serde_json::json!({}))).unwrap();
    users.add_column(Column::boolean("active").default_value(true)).unwrap();
    users.replace_column("email", Column::text("mail")).unwrap();
    users.set_kind("mail", Kind::Any).unwrap().set_nullable("mail", true).unwrap();
    users.drop_column("data").unwrap();
    assert_eq!(users.get().columns[2].default, Some(DefaultValue::Value("true".into())));
    assert_eq!((users.get().columns[1].kind, users.get().columns[1].nullable), (Kind::Any, true));
    assert_eq!(columns(&catalog, 0), ["id", "mail", "active"]);
}

#[test]
fn a_column_in_use_is_not_dropped() {
    let mut catalog = catalog();
    let mut drop = |collection: &str, column: &str| {
        catalog.collection(collection).unwrap().drop_column(column).map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(drop("users", "id"), "users.id is used by the primary key; change that first");
    assert_eq!(drop("users", "email"), "users.email is used by a unique key; change that first");
    assert_eq!(drop("devices", "owner"), "devices.owner is used by the reference to users; change that first");
    catalog.collection("users").unwrap().set_primary_key(&[]).unwrap();
    let error = catalog.collection("users").unwrap().drop_column("id").map(|_| ()).unwrap_err();
    assert_eq!(error.message(), "users.id is used by a reference of devices; change that first");
}

#[test]
fn a_dropped_collection_takes_its_indexes_with_it() {
    let mut catalog = catalog();
    catalog.drop_collection("devices").unwrap();
    assert!(!catalog.has("devices"));
    assert!(catalog.object("devices_owner").is_err());
    assert!(catalog.object("owners").is_ok());
}

#[test]
fn a_renamed_collection_is_followed_by_references_and_objects() {
    let mut catalog = catalog();
    catalog.rename_collection("users", "people").unwrap();
    catalog.rename_collection("devices", "machines").unwrap();
    assert_eq!(catalog.collections[1].references[0].collection, "people");
    assert_eq!(catalog.object("devices_owner").unwrap().collection.as_deref(), Some("machines"));
    assert!(catalog.collections.iter().all(|collection| collection.definition.is_none()));
}

#[test]
fn mistakes_list_what_there_is() {
    let mut catalog = catalog();
    let message = catalog.collection("user").map(|_| ()).unwrap_err().to_string();
    assert_eq!(message, "there is no collection user; there is users, devices");
    let message = catalog.collection("users").unwrap().drop_column("mail").map(|_| ()).unwrap_err().to_string();
    assert_eq!(message, "there is no column of users named mail; there is id, email");
    assert_eq!(
        catalog.drop_object("x").unwrap_err().to_string(),
        "there is no object x; there is devices_owner, owners"
    );
    assert!(catalog.create(Collection::new("users")).is_err());
    assert!(catalog.rename_collection("users", "devices").is_err());
    assert!(catalog.add_object(Object::view("owners", "CREATE VIEW …")).is_err());
    let mut users = catalog.collection("users").unwrap();
    assert!(users.add_column(Column::text("email")).is_err());
    assert!(users.rename_column("email", "id").is_err());
    assert!(users.drop_unique(&["id"]).is_err());
    assert!(users.drop_reference(&["id"]).is_err());
    assert!(users.set_primary_key(&["nope"]).is_err());
    assert!(users.add_reference(Reference::new(&["nope"], "devices", &["id"])).is_err());
}

#[test]
fn a_mistake_leaves_the_definition() {
    let mut catalog = catalog();
    let _ = catalog.collection("users").unwrap().drop_reference(&["id"]).map(|_| ());
    let _ = catalog.collection("users").unwrap().set_primary_key(&["nope"]).map(|_| ());
    assert!(catalog.collections[0].definition.is_some());
}

#[test]
fn a_clause_that_gets_lost_is_told() {
    let before = catalog();
    let mut after = before.clone();
    after.collection("users").unwrap().add_column(Column::text("x").nullable()).unwrap();
    after.collection("devices").unwrap().add_column(Column::text("x").nullable()).unwrap();
    let mut backend = native::Backend::default();
    native::with(&mut backend, native::Call::Evolve, || warn_of_lost_clauses(&before, &after));
    let log = backend.log;
    assert_eq!(log.len(), 1);
    assert!(log[0].1.starts_with("users changes and its new definition will be without the CHECK"), "{}", log[0].1);
}
