//! The three connections that a module may have, on real data.

use std::collections::BTreeMap;
use std::path::Path;

use godwit_database::{open_input, open_scratch, stage_input};
use godwit_model::{Access, CollectionName, Reads, RecordTarget, SqlConnection, SqlFailure, SqlRow, SqlValue};

use super::*;

/// An application's database, with what a module could be after.
pub(crate) const APPLICATION: &str = "
    CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO users VALUES (1, 'Ada'), (2, 'Grace');
    CREATE TABLE devices(id INTEGER PRIMARY KEY, name TEXT UNIQUE, owner INTEGER REFERENCES users(id), made DEFAULT CURRENT_TIMESTAMP);
    INSERT INTO devices VALUES (1, 'router', 1, 'x'), (2, 'switch', 2, 'x'), (3, 'orphan', 99, 'x');
    CREATE TABLE passwords(id INTEGER PRIMARY KEY, hash TEXT);
    INSERT INTO passwords VALUES (1, 'hunter2');
    CREATE TABLE pair(a, b);
    CREATE TABLE hidden_pair(a, b);
    INSERT INTO hidden_pair VALUES ('hunter2', 1);
    CREATE TABLE audit(what);
    CREATE TRIGGER keeps_audit AFTER UPDATE ON devices BEGIN INSERT INTO audit SELECT hash || new.name FROM passwords; END;
    CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT);
    CREATE VIRTUAL TABLE found USING fts5(body, content='notes', content_rowid='id');
    CREATE TRIGGER notes_found AFTER INSERT ON notes BEGIN INSERT INTO found(rowid, body) VALUES (new.id, new.body); END;
    CREATE VIEW secrets AS SELECT * FROM passwords;
    CREATE VIEW people AS SELECT * FROM users;
    CREATE TABLE seen(what);
    CREATE TRIGGER sees AFTER DELETE ON pair BEGIN INSERT INTO seen SELECT hash FROM secrets; END;
    CREATE TABLE json_tree(path);
    CREATE TABLE lucky(a, b);
    CREATE TRIGGER by_chance AFTER INSERT ON lucky BEGIN UPDATE lucky SET b = random(); END;";

pub(crate) fn reads(part: &[(&str, &[&str])]) -> Reads {
    let columns = |columns: &[&str]| columns.iter().map(|column| (*column).to_owned()).collect();
    let collections = part.iter().map(|(name, c)| (CollectionName::new(*name).unwrap(), columns(c))).collect();
    Reads { collections, ..Reads::default() }
}

pub(crate) fn stage(from: &Path, to: &Path, reads: &Reads) {
    let mut source = source(from);
    let mut target = stage_input(to, &main_name(), reads).unwrap();
    target.begin(source.catalog()).unwrap();
    pump(source.as_mut(), target.as_mut()).unwrap();
    target.complete().unwrap();
    target.prepare().unwrap();
    target.commit().unwrap();
    target.settle().unwrap();
}

pub(crate) fn input(dir: &Path) -> Box<dyn SqlConnection> {
    let (from, to) = (dir.join("application.db"), dir.join("in?put %.db"));
    make(&from, APPLICATION);
    stage(&from, &to, &reads(&[("users", &["id", "name"]), ("devices", &["id", "name"])]));
    open_input(&to).unwrap()
}

pub(crate) fn scratch() -> Box<dyn SqlConnection> {
    let mut scratch = open_scratch(16 << 20).unwrap();
    scratch.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, name)", &[]).unwrap();
    scratch.execute("CREATE TABLE devices(id INTEGER PRIMARY KEY, name UNIQUE, owner, made)", &[]).unwrap();
    scratch.execute("INSERT INTO users VALUES (1, 'Ada'), (2, 'Grace')", &[]).unwrap();
    scratch
}

/// A target that holds what the application has, complete.
pub(crate) fn filled(dir: &Path) -> Box<dyn RecordTarget> {
    let (from, to) = (dir.join("from.db"), dir.join("to.db"));
    make(&from, APPLICATION);
    let mut source = source(&from);
    let mut target = target(&to);
    target.begin(source.catalog()).unwrap();
    pump(source.as_mut(), target.as_mut()).unwrap();
    target.complete().unwrap();
    target
}

pub(crate) fn access() -> BTreeMap<CollectionName, Access> {
    let names = [
        ("users", Access::Read),
        ("devices", Access::ReadWrite),
        ("pair", Access::ReadWrite),
        ("notes", Access::ReadWrite),
        ("lucky", Access::ReadWrite),
    ];
    names.into_iter().map(|(name, access)| (CollectionName::new(name).unwrap(), access)).collect()
}

pub(crate) fn on(target: &mut dyn RecordTarget) -> Box<dyn SqlConnection + '_> {
    target.session(&main_name(), &access()).unwrap().unwrap()
}

pub(crate) fn all(connection: &mut dyn SqlConnection, sql: &str) -> Result<Vec<SqlRow>, SqlFailure> {
    let cursor = connection.query(sql, &[])?;
    let mut rows = vec![];
    let result = loop {
        match connection.next(cursor, 100) {
            Ok(more) if more.is_empty() => break Ok(rows),
            Ok(more) => rows.extend(more),
            Err(failure) => break Err(failure),
        }
    };
    connection.close(cursor);
    result
}

pub(crate) fn one(connection: &mut dyn SqlConnection, sql: &str) -> SqlValue {
    all(connection, sql).unwrap_or_else(|failure| panic!("{failure}: {sql}")).swap_remove(0).swap_remove(0)
}

pub(crate) fn text(text: &str) -> SqlValue {
    SqlValue::Text(text.to_owned())
}
