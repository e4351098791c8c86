//! One value from a read-only query: the application's version.

use std::path::Path;

use godwit_model::Fault;

use super::authorize::allows_query;
use super::error::{DatabaseError, SqliteError, engine};
use super::open;
use super::raw::Handle;

pub(crate) fn query_scalar(path: &Path, sql: &str) -> Result<String, Fault> {
    let failed = engine("reading", path);
    let mut connection = open::read_only(path).map_err(&failed)?;
    let handle = connection.lock().map_err(&failed)?;
    // The query is the operator's and so is the file; views that search full-text indexes need this.
    handle.configure(libsqlite3_sys::SQLITE_DBCONFIG_TRUSTED_SCHEMA, true).map_err(&failed)?;
    // Listing tables connects the virtual ones, which prepare more than reading while they connect.
    handle.scalar("SELECT count(*) FROM pragma_table_list").map_err(&failed)?;
    let answer = handle.guarded(&allows_query, || one_value(&handle, sql));
    answer.map_err(|error| match error {
        Answer::Sqlite(error) if error.is_system() => failed(error),
        Answer::Sqlite(error) => wrong(sql, format!("fails: {}", error.message)),
        Answer::Wrong(problem) => wrong(sql, problem.to_owned()),
    })
}

enum Answer {
    Sqlite(SqliteError),
    Wrong(&'static str),
}

impl From<SqliteError> for Answer {
    fn from(error: SqliteError) -> Self {
        Self::Sqlite(error)
    }
}

fn wrong(sql: &str, problem: String) -> Fault {
    Fault::usage(DatabaseError::Query { sql: sql.to_owned(), problem })
}

fn one_value(handle: &Handle<'_>, sql: &str) -> Result<String, Answer> {
    let mut statement = handle.prepare(sql)?;
    match statement.columns() {
        1 if statement.is_read_only() => {}
        1 => return Err(Answer::Wrong("is not read-only")),
        _ => return Err(Answer::Wrong("does not give exactly one column")),
    }
    if !statement.step()? {
        return Err(Answer::Wrong("gives no row"));
    }
    let value = statement.optional_string(0)?;
    match (statement.step()?, value) {
        (true, _) => Err(Answer::Wrong("gives more than one row")),
        (false, None) => Err(Answer::Wrong("gives NULL")),
        (false, Some(value)) => Ok(value),
    }
}
