//! Whether records fit the catalog: their fields, and `null` only where it may be.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::bindings::Chunk;
use crate::{Catalog, Collection, Error, Result};

pub(super) fn check(catalog: &Catalog, chunk: &Chunk) -> Result<()> {
    let name = &chunk.collection;
    let Some(collection) = catalog.collections.iter().find(|collection| collection.name == *name) else {
        return Err(Error::new("the evolved catalog has no such collection").in_collection(name));
    };
    let lines = chunk.records.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    for (record, line) in (0..).zip(lines) {
        check_record(collection, line).map_err(|error| error.at_record(record, None).in_collection(name))?;
    }
    Ok(())
}

fn check_record(collection: &Collection, line: &[u8]) -> Result<()> {
    let record: Map<String, Value> = serde_json::from_slice(line)?;
    for column in collection.columns.iter().filter(|column| !column.generated) {
        match record.get(&column.name) {
            None => return Err(Error::field(&column.name, "is missing")),
            Some(Value::Null) if !column.nullable => {
                return Err(Error::field(&column.name, "is null, which the column does not allow"));
            }
            Some(_) => {}
        }
    }
    let is_column = |name: &&String| collection.columns.iter().any(|column| column.name == **name && !column.generated);
    match record.keys().find(|name| !is_column(name)) {
        Some(stray) => Err(Error::field(stray, "is no column of the evolved collection")),
        None => Ok(()),
    }
}

/// A name that occurs twice.
pub(super) fn name_twice(catalog: &Catalog) -> Option<String> {
    let mut names = BTreeSet::new();
    let twice = catalog.collections.iter().find(|collection| !names.insert(&collection.name));
    twice.map(|collection| format!("collection {}", collection.name)).or_else(|| {
        catalog.collections.iter().find_map(|collection| {
            let mut names = BTreeSet::new();
            let twice = collection.columns.iter().find(|column| !names.insert(&column.name));
            twice.map(|column| format!("column {}.{}", collection.name, column.name))
        })
    })
}
