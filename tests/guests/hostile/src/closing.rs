//! What can go wrong after the last record.

use godwit_sdk::bindings::{Chunk, Failure};

use crate::Behaviour::{self, Finish, Verify};
use crate::failure;

pub(crate) const BEHAVIOURS: &[(&str, Behaviour)] = &[
    ("failing-finish", Finish(|| Err(failure("one device has no rack")))),
    ("finish-emits", Finish(|| emitted("devices"))),
    ("finish-emits-undeclared", Finish(|| emitted("users"))),
    ("failing-verify", Verify(|| Err(failure("12 devices became 11")))),
];

fn emitted(collection: &str) -> Result<Vec<Chunk>, Failure> {
    let device = "{\"id\":777,\"hostname\":\"late\",\"status\":\"up\",\"price\":null,\"location\":null,\"owner_id\":null,\"notes\":null,\"serial\":null}\n";
    Ok(vec![Chunk { collection: collection.to_owned(), first: 0, records: device.into() }])
}
