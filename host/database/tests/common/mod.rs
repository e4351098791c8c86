//! Databases made for a test, copied through source and target, and compared.

#![allow(dead_code)] // each test file uses a part

pub(crate) mod module_sql;

use std::path::{Path, PathBuf};
use std::process::Command;

use godwit_database::{Options, Replace, open_source, open_target};
use godwit_model::{Body, Catalog, CollectionId, DatabaseName, Fault, RecordSource, RecordTarget};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

pub(crate) fn main_name() -> DatabaseName {
    DatabaseName::new("main").unwrap()
}

pub(crate) fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A connection as an application would have it; foreign keys are not enforced.
pub(crate) fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).foreign_keys(false);
    wait(options.connect()).unwrap()
}

pub(crate) fn run(connection: &mut SqliteConnection, sql: &str) {
    wait(sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection)).unwrap_or_else(|error| panic!("{error}: {sql}"));
}

pub(crate) fn close(connection: SqliteConnection) {
    wait(connection.close()).unwrap();
}

/// Makes a database from SQL.
pub(crate) fn make(path: &Path, sql: &str) {
    let mut connection = connect(path);
    run(&mut connection, sql);
    close(connection);
}

pub(crate) fn scalar(path: &Path, sql: &str) -> String {
    godwit_database::query_scalar(&url(path), sql).unwrap()
}

pub(crate) fn source(path: &Path) -> Box<dyn RecordSource> {
    open_source(&main_name(), &url(path), &Options::default()).unwrap()
}

pub(crate) fn target(path: &Path) -> Box<dyn RecordTarget> {
    open_target(&main_name(), &url(path), Replace::Always).unwrap()
}

/// Reads everything and writes it to a target that was begun with this catalog.
pub(crate) fn pump(source: &mut dyn RecordSource, target: &mut dyn RecordTarget) -> Result<(), Fault> {
    let ids: Vec<_> = source.catalog().collections().map(|(id, _)| id).collect();
    ids.iter().try_for_each(|id| source.read(id, &mut |chunk| target.write(chunk)))
}

/// Source to target without an archive between.
pub(crate) fn copy_with(from: &Path, to: &Path, options: &Options) -> Result<(), Fault> {
    let mut source = open_source(&main_name(), &url(from), options)?;
    let mut target = open_target(&main_name(), &url(to), Replace::Always)?;
    target.begin(source.catalog())?;
    pump(source.as_mut(), target.as_mut())?;
    target.prepare()?;
    target.commit()?;
    target.settle()
}

pub(crate) fn copy(from: &Path, to: &Path) {
    copy_with(from, to, &Options { chunk_bytes: 4096, exclude: vec![] }).unwrap();
}

/// Everything that Godwit sees in a database.
pub(crate) fn content(path: &Path) -> (Catalog, Vec<(CollectionId, String)>) {
    let mut source = source(path);
    let catalog = source.catalog().clone();
    let read = |(id, _): (CollectionId, &_)| {
        let mut lines = vec![];
        let take = &mut |chunk: godwit_model::Chunk| {
            let Body::Lines(more) = chunk.body else { panic!("a source gives lines") };
            assert_eq!(godwit_model::records::count(&more), chunk.records);
            lines.extend(more);
            Ok(())
        };
        source.read(&id, take).unwrap();
        (id, String::from_utf8(lines).unwrap())
    };
    let records = catalog.collections().map(read).collect();
    (catalog, records)
}

/// The shell's dump; none where there is no shell.
pub(crate) fn dump(path: &Path) -> Option<Vec<u8>> {
    let output = match Command::new("sqlite3").arg("-readonly").arg(path).arg(".dump").output() {
        Ok(output) => output,
        Err(_) if std::env::var_os("CI").is_none() => {
            eprintln!("skipped: the comparison of dumps, for want of the sqlite3 shell");
            return None;
        }
        Err(error) => panic!("CI needs the sqlite3 shell: {error}"),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

pub(crate) fn assert_same(one: &Path, other: &Path) {
    let (left, right) = (content(one), content(other));
    // Places in the order of creation move together when something was dropped in between.
    assert_eq!(without_order(left.0), without_order(right.0));
    assert_eq!(left.1, right.1);
    let (left, right) = (dump(one), dump(other));
    if left != right {
        let text = |dump: Option<Vec<u8>>| String::from_utf8_lossy(&dump.unwrap()).into_owned();
        panic!("the dumps differ:\n{}\n--- and ---\n{}", text(left), text(right));
    }
}

fn without_order(mut catalog: Catalog) -> Catalog {
    for database in catalog.databases.values_mut() {
        database.collections.iter_mut().for_each(|collection| collection.order = None);
        database.objects.iter_mut().for_each(|object| object.order = None);
    }
    catalog
}

/// Makes a database from SQL, copies it, and compares.
pub(crate) fn assert_copies(sql: &str) -> (tempfile::TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from.db"), dir.path().join("to.db"));
    make(&from, sql);
    copy(&from, &to);
    assert_same(&from, &to);
    (dir, from, to)
}
