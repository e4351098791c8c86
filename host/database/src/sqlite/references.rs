//! References that lead nowhere. Real databases hold some; what counts is whether there are more than before.

use std::collections::BTreeMap;

use libsqlite3_sys as ffi;

use super::error::{Result, SqliteError};
use super::outline;
use super::raw::Handle;
use super::words::quote;

/// Row, as its table and rowid, what it refers to, and by which of its references.
type Violation = (String, Option<i64>, String, i64);

/// The references of a database that lead nowhere. Rows without a rowid are counted.
pub(super) struct Violations(BTreeMap<Violation, u64>);

impl Violations {
    /// Looks at every table that is a collection.
    pub(super) fn find(handle: &Handle<'_>) -> Result<Self> {
        let mut found = BTreeMap::new();
        for entry in outline::entries(handle)?.iter().filter(|entry| entry.is_collection()) {
            let rows = match check(handle, &entry.name) {
                Ok(rows) => rows,
                // It refers to what cannot be referred to: no row of it can be checked, now or later.
                Err(error) if error.code & 0xff == ffi::SQLITE_ERROR => continue,
                Err(error) => return Err(error),
            };
            for row in rows {
                *found.entry(row).or_default() += 1;
            }
        }
        Ok(Self(found))
    }

    /// One that was not there before, in words.
    pub(super) fn beyond(&self, before: &Self) -> Option<String> {
        let is_new = |(row, count): &(&Violation, &u64)| **count > before.0.get(*row).copied().unwrap_or(0);
        let ((table, rowid, parent, _), _) = self.0.iter().find(is_new)?;
        let row = rowid.map_or_else(|| "a row".to_owned(), |rowid| format!("row {rowid}"));
        Some(format!("{row} of {table} refers to a row of {parent} that is not there"))
    }
}

fn check(handle: &Handle<'_>, table: &str) -> Result<Vec<Violation>, SqliteError> {
    handle.query(&format!("PRAGMA main.foreign_key_check({})", quote(table)), &[], |row| {
        let rowid = row.optional_string(1)?.map(|_| row.integer(1));
        Ok((row.string(0)?, rowid, row.string(2)?, row.integer(3)))
    })
}
