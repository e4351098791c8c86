//! The module against the catalog of Chinook, run natively.

use chinook_1_0_to_1_1::{MANIFEST, migration};
use godwit_sdk::prelude::*;
use godwit_sdk::testing::Harness;

fn catalog_1_0() -> Catalog {
    let text = |name: &str, native_type: &str| Column::text(name).native_type(native_type);
    let customer = Collection::new("Customer")
        .column(Column::int64("CustomerId").native_type("INTEGER"))
        .column(text("FirstName", "NVARCHAR(40)"))
        .column(text("LastName", "NVARCHAR(20)"))
        .column(text("Company", "NVARCHAR(80)").nullable())
        .column(text("Address", "NVARCHAR(70)").nullable())
        .column(text("City", "NVARCHAR(40)").nullable())
        .column(text("State", "NVARCHAR(40)").nullable())
        .column(text("Country", "NVARCHAR(40)").nullable())
        .column(text("PostalCode", "NVARCHAR(10)").nullable())
        .column(text("Phone", "NVARCHAR(24)").nullable())
        .column(text("Email", "NVARCHAR(60)"))
        .primary_key(&["CustomerId"]);
    let invoice = Collection::new("Invoice")
        .column(Column::int64("InvoiceId"))
        .column(Column::int64("CustomerId"))
        .reference(Reference::new(&["CustomerId"], "Customer", &["CustomerId"]))
        .definition("CREATE TABLE [Invoice] (…)");
    Catalog::new("sqlite").with(customer).with(invoice)
}

fn harness() -> Harness {
    let mut harness = Harness::new(migration()).manifest(MANIFEST);
    harness.evolve(&catalog_1_0()).unwrap();
    harness
}

fn customer(id: &str, address: &str, country: &str) -> String {
    format!(
        "{{\"CustomerId\":{id},\"FirstName\":\"Luís\",\"LastName\":\"Gonçalves\",\"Company\":null,\"Address\":{address},\"City\":null,\
         \"State\":null,\"Country\":{country},\"PostalCode\":null,\"Phone\":\"+55 (12) 3923-5555\",\"Email\":\"luisg@example.com\"}}\n"
    )
}

#[test]
fn the_columns_move_with_their_types() {
    let catalog = harness().evolve(&catalog_1_0()).unwrap();
    let columns =
        |at: usize| catalog.collections[at].columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>();
    assert_eq!(columns(0), ["CustomerId", "FirstName", "LastName", "Company", "Phone", "Email"]);
    assert_eq!(columns(2), ["CustomerId", "Address", "City", "State", "Country", "PostalCode"]);
    assert_eq!(catalog.collections[2].columns[5].native_type.as_deref(), Some("NVARCHAR(10)"));
    assert!(catalog.collections[1].definition.is_some(), "invoices stay as they are");
}

#[test]
fn a_customer_is_split_from_the_address() {
    let lines = customer("1", "\"Av. Brigadeiro \\\"Faria\\\" Lima\"", "\"Brazil\"") + &customer("2", "null", "null");
    let output = harness().transform_lines("Customer", &lines).unwrap();
    let split = |id: u32| {
        format!(
            "{{\"CustomerId\":{id},\"FirstName\":\"Luís\",\"LastName\":\"Gonçalves\",\"Company\":null,\
             \"Phone\":\"+55 (12) 3923-5555\",\"Email\":\"luisg@example.com\"}}\n"
        )
    };
    assert_eq!(output.lines("Customer"), split(1) + &split(2));
    assert_eq!(
        output.lines("CustomerAddress"),
        "{\"CustomerId\":1,\"Address\":\"Av. Brigadeiro \\\"Faria\\\" Lima\",\"City\":null,\"State\":null,\"Country\":\"Brazil\",\"PostalCode\":null}\n"
    );
}

#[test]
fn a_wrong_address_is_named_by_customer_and_field() {
    let lines = customer("1", "null", "null") + &customer("59", "17", "null");
    let error = harness().transform_lines("Customer", &lines).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Customer, record 1 (key 59), field Address: invalid type: integer `17`, expected a string"
    );
}
