//! SQL over the connections that the manifest declares.
//!
//! A [`Context`](crate::Context) opens them; `wit/migration.wit` says what each of them is.
//!
//! ```
//! use godwit_sdk::prelude::*;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Rack { name: String, height: Option<u32> }
//!
//! // A device gets the name of its rack in place of its number. In `module.json`:
//! // "reads": ["racks.id", "racks.name", "racks.height"], "indexes": ["racks.id"]
//! fn device(record: &mut Record, cx: &mut Context) -> Result<()> {
//!     let id: i64 = record.take("rack_id")?;
//!     let rack: Option<Rack> = cx.input()?.row("select name, height from racks where id = ?", (id,))?;
//!     let rack = rack.ok_or_else(|| Error::field("rack_id", format!("there is no rack {id}")))?;
//!     record.set("rack", rack.name)?;
//!     record.set("rack_height", rack.height)
//! }
//!
//! // Several rows; and what a live target is held to.
//! fn verify(cx: &mut Context) -> Result<()> {
//!     let Some(target) = cx.target()? else { return Ok(()) };
//!     for row in target.rows::<(String, u64)>("select rack, count(*) from devices group by rack", ())? {
//!         let (rack, devices) = row?;
//!         cx.info(format!("{devices} devices in {rack}"));
//!     }
//!     Ok(())
//! }
//!
//! // A native test writes the answers itself; a golden case (`cases/<name>/`) asks a real database.
//! use godwit_sdk::database::Value;
//! use godwit_sdk::testing::{Answer, Harness};
//!
//! let migration = Migration::new().edit("devices", device).verify(verify);
//! let mut harness = Harness::new(migration).answer(|connection, _, values| match (connection, values) {
//!     ("input", [Value::Integer(7)]) => Ok(Answer::columns(&["name", "height"]).row(("R7", 42))),
//!     ("input", _) => Ok(Answer::columns(&["name", "height"])),
//!     _ => Ok(Answer::columns(&["rack", "count"]).row(("R7", 1))),
//! });
//! let devices = harness.transform_lines("devices", "{\"id\":1,\"rack_id\":7}\n")?;
//! assert_eq!(devices.lines("devices"), "{\"id\":1,\"rack\":\"R7\",\"rack_height\":42}\n");
//! let error = harness.transform_lines("devices", "{\"id\":2,\"rack_id\":8}\n").unwrap_err();
//! assert_eq!(error.to_string(), "devices, record 0 (key 2), field rack_id: there is no rack 8");
//! harness.verify()?;
//! assert_eq!(harness.log()[0].1, "1 devices in R7");
//! # Ok::<(), Error>(())
//! ```
//!
//! | | declared as | what it is | answers in |
//! |---|---|---|---|
//! | [`input`](crate::Context::input) | `"reads"` | the declared columns as they are before this module, read-only, in SQLite | transformations, `finish`, `verify` |
//! | [`scratch`](crate::Context::scratch) | `"scratch": true`, `"ordered": true` | an SQLite database of one's own, gone after the run | transformations, `finish`, `verify` |
//! | [`target`](crate::Context::target) | `"target"` | the live target, in its own SQL | `verify`, where there is a live target |
//!
//! # What a row is read as
//!
//! Any type that serde can deserialize: a struct takes the columns by their names, a tuple by their
//! places, and anything else the one value of a row of one column. Within a row
//!
//! - an integer is read by any integer type that it fits, and by `bool` where it is 0 or 1;
//! - a text is read by `String`, [`Decimal`](crate::Decimal), [`Float`](crate::Float) and an enum of
//!   plain names, and as the JSON document that it is by [`Json`](crate::Json), a struct, a map or a `Vec`;
//! - bytes are read by [`Bytes`](crate::Bytes) and `Vec<u8>`;
//! - NULL is read by `Option`.
//!
//! # What is handed to a statement
//!
//! A tuple or an array of values, one for each `?`: `(id, "up", None::<i64>)`, `[id]`, and `()` where
//! there is none. See [`IntoValue`] for the types. No statement needs to be put together from pieces.

mod cell;
mod failure;
mod params;
mod row;
mod rows;

use std::rc::Rc;

use serde::de::DeserializeOwned;

pub use crate::bindings::godwit::migration::database::Value;
#[cfg(target_family = "wasm")]
use crate::bindings::godwit::migration::database::{Connection as Handle, Rows as Cursor};
#[cfg(not(target_family = "wasm"))]
use crate::native::database::{Connection as Handle, Cursor};
use crate::opened::Opened;
use crate::{Error, Result};

use self::failure::Statement;
use self::rows::Fetch;

pub(crate) use self::failure::NO_ANSWER;
pub use self::params::{IntoValue, Params};
pub use self::rows::Rows;

/// One of the connections that a [`Context`](crate::Context) opens. A clone is the same connection.
#[derive(Clone)]
pub struct Connection(Rc<Open>);

struct Open {
    name: &'static str,
    handle: Handle,
}

impl Connection {
    pub(crate) fn of(opened: &mut Opened, name: &'static str) -> Result<Self> {
        let open = || match Handle::open(name) {
            Ok(handle) => Ok(Open { name, handle }),
            Err(failure) => Err(failure::of_opening(name, failure)),
        };
        opened.get(name, open).map(Self)
    }

    /// Runs a statement; answers the number of rows that it changed.
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<u64> {
        let statement = self.statement(sql);
        let answer = params.with(|values| self.0.handle.execute(sql, values));
        answer.map_err(|error| statement.wrong(&error))?.map_err(|failure| statement.failed(failure))
    }

    /// The rows of a query, read from the host in batches as they are asked for. They come in no order but
    /// the one that the query asks for.
    pub fn rows<'q, T: DeserializeOwned>(&self, sql: &'q str, params: impl Params) -> Result<Rows<'q, T>> {
        self.fetch(sql, params, rows::BATCH).map(Rows::new)
    }

    /// The one row of a query; none where it has none.
    ///
    /// # Errors
    /// It has several: which of them comes first is chance, and a migration leaves nothing to it.
    pub fn row<T: DeserializeOwned>(&self, sql: &str, params: impl Params) -> Result<Option<T>> {
        let mut fetch = self.fetch(sql, params, rows::ONE_AND_ANOTHER)?;
        fetch.only()?.map(|values| fetch.read(values)).transpose()
    }

    /// The one value of a query's one row.
    ///
    /// # Errors
    /// It has no row, several rows or several columns. Where there may be no row, [`Connection::row`] tells.
    pub fn value<T: DeserializeOwned>(&self, sql: &str, params: impl Params) -> Result<T> {
        let mut fetch = self.fetch(sql, params, rows::ONE_AND_ANOTHER)?;
        match fetch.only()? {
            Some(values) => fetch.read_value(values),
            None => Err(fetch.statement.wrong(&Error::new("has no row; where there may be none, ask with `row`"))),
        }
    }

    fn fetch<'q>(&self, sql: &'q str, params: impl Params, batch: u32) -> Result<Fetch<'q>> {
        let statement = self.statement(sql);
        let answer = params.with(|values| self.0.handle.query(sql, values));
        let answer = answer.map_err(|error| statement.wrong(&error))?;
        answer.map(|cursor| Fetch::new(statement, cursor, batch)).map_err(|failure| statement.failed(failure))
    }

    fn statement<'q>(&self, sql: &'q str) -> Statement<'q> {
        Statement { connection: self.0.name, sql }
    }
}
