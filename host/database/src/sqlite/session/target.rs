//! The rules on the target: what is granted, and what the application's own triggers do.
//!
//! A trigger may do to other collections what its definition says, for it is the application's and runs for every
//! writer. So a module that may write a collection can make its triggers run with values of its own choosing, and sees
//! what they copy into what it may read; an operator who grants the collection grants that. SQLite names a trigger to
//! us as it names any named query, and a module can name a query like a trigger: a trigger is believed only
//! if its name does not occur in the module's statement. So is a view that a trigger reads.
//!
//! A view is no collection and is not granted to the module itself. A write without RETURNING that is given to `query`
//! gives one row here, the number of rows it changed (see `open::amender`). References are not enforced statement by
//! statement; the target checks them when it is prepared.

use std::collections::{BTreeMap, BTreeSet};

use godwit_model::{Access, CollectionName, SqlConnection};
use libsqlite3_sys as ffi;

use super::super::error::Result;
use super::super::raw::{Action, Connection, Handle, Session, forbid_local_time};
use super::ModuleConnection;
use super::failure::Teller;
use super::functions;
use super::open::{LIMITS, forbid_clock_and_chance};
use super::rules::{Verdict, call, describe, first, in_main, second};

/// Bytes of one value or row on the target. SQLite cannot be interrupted inside a function, and some take the product of
/// the lengths of their arguments; here it is the run's own process that would wait.
const VALUE_BYTES_MAX: i32 = 1 << 20;

const SCHEMA_TABLES: [&str; 4] = ["sqlite_schema", "sqlite_master", "sqlite_temp_schema", "sqlite_temp_master"];

/// What a module may touch, and what there is besides.
pub(crate) struct Grants {
    access: BTreeMap<String, Access>,
    /// Tables, views and what only looks like a table, in lower case.
    relations: BTreeSet<String>,
    /// Those of SQLite's tables that are functions.
    computing: BTreeSet<String>,
    /// The application's triggers, and the views that they may read.
    own: BTreeSet<String>,
    /// What virtual tables keep their content in, in lower case.
    shadows: BTreeSet<String>,
    teller: Teller,
}

impl Grants {
    /// Reads what the schema has.
    pub(crate) fn of(handle: &Handle<'_>, access: &BTreeMap<CollectionName, Access>) -> Result<Self> {
        let names = |sql| handle.query(sql, &[], |row| row.string(0));
        let lower = |names: Vec<String>| -> BTreeSet<String> {
            names.into_iter().map(|name| name.to_ascii_lowercase()).collect()
        };
        // First of all: it connects virtual tables, which read their settings then.
        let shadows = lower(names("SELECT name FROM pragma_table_list WHERE type = 'shadow'")?);
        let mut relations = lower(names("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")?);
        let computing = ["json_each", "json_tree"].map(String::from).into_iter();
        let computing = computing.filter(|name| !relations.contains(name)).collect();
        relations.extend(lower(names("SELECT name FROM pragma_module_list")?));
        relations.extend(SCHEMA_TABLES.map(String::from));
        let own = names("SELECT name FROM sqlite_schema WHERE type IN ('trigger', 'view')")?;
        // Quotes inside a name are written twice: it would not occur in a statement as it is.
        let own = own.into_iter().filter(|name| !name.is_empty() && !name.contains(['"', '\'', '`', ']'])).collect();
        let access = access.iter().map(|(name, access)| (name.as_str().to_ascii_lowercase(), *access)).collect();
        Ok(Self { access, relations, computing, own, shadows, teller: Teller::default() })
    }

    fn judge(&self, action: &Action<'_>) -> Verdict {
        let leave = match () {
            () if !in_main(action) => false,
            () if action.code == ffi::SQLITE_FUNCTION && functions::is_clock_or_chance(second(action)) => false,
            () if self.is_trigger(action) => by_application(action),
            () if action.running && self.keeps_index(action) => true,
            () => return self.by_module(action),
        };
        if leave { Ok(()) } else { Err(describe(action)) }
    }

    /// What the module's own statement asks for.
    fn by_module(&self, action: &Action<'_>) -> Verdict {
        let access = self.access.get(&first(action).to_ascii_lowercase()).copied();
        match action.code {
            ffi::SQLITE_SELECT | ffi::SQLITE_RECURSIVE => Ok(()),
            ffi::SQLITE_FUNCTION if functions::is_slow(second(action)) => Err(describe(action)),
            ffi::SQLITE_FUNCTION
                if functions::is_match(second(action)) && self.teller.count_match() > functions::MATCHES_MAX =>
            {
                let most = functions::MATCHES_MAX;
                Err(format!("use LIKE or GLOB more than {most} times in one statement"))
            }
            ffi::SQLITE_FUNCTION => call(action),
            ffi::SQLITE_READ if access.is_some() || self.is_part_of_query(action) => Ok(()),
            ffi::SQLITE_INSERT | ffi::SQLITE_UPDATE | ffi::SQLITE_DELETE if access == Some(Access::ReadWrite) => Ok(()),
            _ => Err(describe(action)),
        }
    }

    /// Rows of a named query of which no column is read, or a function in the place of a table.
    fn is_part_of_query(&self, action: &Action<'_>) -> bool {
        let name = first(action).to_ascii_lowercase();
        let is_known = self.relations.contains(&name) || name.starts_with("pragma_");
        self.computing.contains(&name) || (second(action).is_empty() && !is_known)
    }

    /// Whether a trigger of the application asks, or a view that it reads, and not a query that the module named so.
    fn is_trigger(&self, action: &Action<'_>) -> bool {
        let Some(name) = action.accessor.filter(|name| self.own.contains(*name)) else { return false };
        !self.teller.is_in_statement(name)
    }

    /// A virtual table at work: what it compiles while a statement runs.
    fn keeps_index(&self, action: &Action<'_>) -> bool {
        match action.code {
            ffi::SQLITE_SELECT => true,
            ffi::SQLITE_READ | ffi::SQLITE_INSERT | ffi::SQLITE_UPDATE | ffi::SQLITE_DELETE => {
                self.shadows.contains(&first(action).to_ascii_lowercase())
            }
            ffi::SQLITE_PRAGMA => matches!(first(action), "data_version" | "page_size") && action.second.is_none(),
            _ => false,
        }
    }
}

/// What a trigger may do: read and change collections.
fn by_application(action: &Action<'_>) -> bool {
    match action.code {
        ffi::SQLITE_SELECT | ffi::SQLITE_RECURSIVE => true,
        ffi::SQLITE_FUNCTION => functions::is_allowed(second(action)) || second(action).eq_ignore_ascii_case("raise"),
        ffi::SQLITE_READ | ffi::SQLITE_INSERT | ffi::SQLITE_UPDATE | ffi::SQLITE_DELETE => {
            !first(action).to_ascii_lowercase().starts_with("sqlite_")
        }
        _ => false,
    }
}

/// A module's connection on the run's own.
pub(crate) fn on_target(connection: &mut Connection, grants: Grants) -> Result<Box<dyn SqlConnection + '_>> {
    forbid_local_time();
    let handle = connection.lock()?;
    handle.configure(ffi::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    drop(handle);
    let mut limits = LIMITS.to_vec();
    limits.retain(|(limit, _)| *limit != ffi::SQLITE_LIMIT_LIKE_PATTERN_LENGTH);
    limits.push((ffi::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, functions::PATTERN_BYTES_MAX));
    limits.push((ffi::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX));
    let teller = grants.teller.clone();
    let allow = Box::new(move |action: &Action<'_>| grants.teller.judge(grants.judge(action)));
    let mut session = Session::lent(connection, &limits, allow)?;
    forbid_clock_and_chance(&mut session)?;
    Ok(Box::new(ModuleConnection::new(session, teller, true)))
}
