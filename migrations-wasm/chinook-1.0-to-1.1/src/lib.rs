//! Takes the data of the Chinook sample shop from 1.0 to 1.1: the five columns of a customer's
//! address move to the new collection `CustomerAddress`. Everything else passes untouched.
#![forbid(unsafe_code)]

use godwit_sdk::prelude::*;
use serde::Serialize;

godwit_sdk::module!(migration, manifest = "module.json");

/// What this module does.
pub fn migration() -> Migration {
    Migration::new().evolve(evolve).edit("Customer", customer).key("Customer", &["CustomerId"])
}

/// Columns that move, in their order.
const MOVED: [&str; 5] = ["Address", "City", "State", "Country", "PostalCode"];

fn evolve(catalog: &mut Catalog) -> Result<()> {
    let mut customer = catalog.collection("Customer")?;
    let id = customer.get().columns.iter().find(|column| column.name == "CustomerId").cloned();
    let id = id.ok_or_else(|| Error::new("Customer has no column CustomerId"))?;
    let mut address = Collection::new("CustomerAddress")
        .column(id)
        .primary_key(&["CustomerId"])
        .reference(Reference::new(&["CustomerId"], "Customer", &["CustomerId"]).on_delete("CASCADE"));
    for name in MOVED {
        address.columns.push(customer.take_column(name)?);
    }
    catalog.create(address)
}

/// New in 1.1: one for each customer of whose address anything is known.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CustomerAddress {
    customer_id: i64,
    address: Option<String>,
    city: Option<String>,
    state: Option<String>,
    country: Option<String>,
    postal_code: Option<String>,
}

fn customer(record: &mut Record, cx: &mut Context) -> Result<()> {
    let address = CustomerAddress {
        customer_id: record.get("CustomerId")?,
        address: record.take("Address")?,
        city: record.take("City")?,
        state: record.take("State")?,
        country: record.take("Country")?,
        postal_code: record.take("PostalCode")?,
    };
    if address.is_known() { cx.emit("CustomerAddress", &address) } else { Ok(()) }
}

impl CustomerAddress {
    fn is_known(&self) -> bool {
        [&self.address, &self.city, &self.state, &self.country, &self.postal_code].into_iter().any(Option::is_some)
    }
}
