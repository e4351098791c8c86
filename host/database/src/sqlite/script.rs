//! SQL by an application's author: how the demo and the tests make an application's database.

use std::path::Path;

use godwit_model::Fault;

use super::error::engine;
use super::open;

pub(crate) fn run_script(path: &Path, sql: &str) -> Result<(), Fault> {
    let failed = engine("writing", path);
    let mut connection = open::application(path).map_err(&failed)?;
    connection.lock().and_then(|handle| handle.run_all(sql)).map_err(&failed)
}
