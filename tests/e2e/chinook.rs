//! Data that nobody here made: the Chinook sample shop.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use godwit_tests::{Shop, dump, modules, shared};

/// Every customer with the address, whichever collection it is in.
const BEFORE: &str = "SELECT group_concat(line, char(10)) FROM (SELECT CustomerId || '|' || FirstName || '|' || \
coalesce(Address, '-') || '|' || coalesce(City, '-') || '|' || coalesce(State, '-') || '|' || coalesce(Country, '-') \
|| '|' || coalesce(PostalCode, '-') AS line FROM Customer ORDER BY CustomerId)";

fn after() -> String {
    BEFORE.replace("FROM Customer ORDER", "FROM Customer LEFT JOIN CustomerAddress USING (CustomerId) ORDER")
}

fn chinook() -> Option<Shop> {
    let original = shared("chinook/chinook.sqlite")?;
    let shop = Shop::empty("1.0.0");
    fs::remove_file(shop.path("godwit.toml")).unwrap();
    fs::write(shop.database(), fs::read(original).unwrap()).unwrap();
    fs::set_permissions(shop.database(), fs::Permissions::from_mode(0o640)).unwrap();
    shop.godwit(&["init", "sqlite://inventory.db", "--name", "chinook", "--data-version", "1.0.0"]).succeeded();
    Some(shop)
}

fn fresh(version: &str) -> Shop {
    let shop = Shop::empty(version);
    let config = fs::read_to_string(shop.path("godwit.toml")).unwrap();
    shop.write("godwit.toml", &config.replace("\"inventory\"", "\"chinook\""));
    shop
}

#[test]
fn chinook_comes_back_as_it_was() {
    let Some(shop) = chinook() else { return };
    shop.godwit(&["backup", "-o", "chinook.tar"]).succeeded();
    shop.godwit(&["verify", "chinook.tar", "--deep"]).succeeded();
    let copy = fresh("1.0.0");
    copy.godwit(&["restore", &shop.arg("chinook.tar")]).succeeded();
    assert_eq!(dump(&shop.database()), dump(&copy.database()));
}

#[test]
fn every_customer_of_chinook_keeps_the_address() {
    let Some(shop) = chinook() else { return };
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    let modules = modules().display().to_string();
    shop.godwit(&["migrate", "old.tar", "--to", "1.1.0", "-o", "new.tar", "--modules", &modules]).succeeded();
    let new = fresh("1.1.0");
    new.godwit(&["restore", &shop.arg("new.tar")]).succeeded();
    assert_eq!(new.query(&after()), shop.query(BEFORE));
    for (collection, records) in
        [("Customer", "59"), ("CustomerAddress", "59"), ("InvoiceLine", "2240"), ("Track", "3503")]
    {
        assert_eq!(new.query(&format!("SELECT count(*) FROM {collection}")), records, "{collection}");
    }
}
