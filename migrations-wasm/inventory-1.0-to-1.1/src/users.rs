//! Users, in the typed style: most of the record changes.

use godwit_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// A user of 1.0.
#[derive(Deserialize)]
pub(crate) struct OldUser {
    id: i64,
    full_name: String,
    email: Option<String>,
    role: String,
    street: Option<String>,
    city: Option<String>,
    created_at: String,
}

/// A user of 1.1.
#[derive(Serialize)]
pub(crate) struct User {
    id: i64,
    first_name: String,
    last_name: Option<String>,
    email: Option<String>,
    role: String,
    created_at: String,
}

/// New in 1.1. A user of 1.0 has one at most, so it takes the user's number.
#[derive(Serialize)]
struct Address {
    id: i64,
    user_id: i64,
    street: Option<String>,
    city: Option<String>,
}

pub(crate) fn user(old: OldUser, cx: &mut Context) -> Result<User> {
    let OldUser { id, full_name, email, role, street, city, created_at } = old;
    if street.is_some() || city.is_some() {
        cx.emit("addresses", &Address { id, user_id: id, street, city })?;
    }
    let (first_name, last_name) = split_name(&full_name);
    Ok(User { id, first_name, last_name, email, role, created_at })
}

/// The last word is the last name; a single word is a first name.
fn split_name(full: &str) -> (String, Option<String>) {
    match full.trim().rsplit_once(' ') {
        Some((first, last)) => (first.trim_end().to_owned(), Some(last.to_owned())),
        None => (full.trim().to_owned(), None),
    }
}
