//! A module at the new database: what it wrote goes with the rest, or nothing does.

mod common;

use std::collections::BTreeMap;

use common::module_sql::*;
use common::*;
use godwit_model::{Access, CollectionName, FaultClass, SqlValue};

#[test]
fn a_session_writes_what_is_granted_and_the_application_does_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let mut target = filled(dir.path());
    {
        let mut connection = on(target.as_mut());
        assert_eq!(connection.execute("UPDATE devices SET name = 'core' WHERE id = 1", &[]).unwrap(), 1);
        connection.execute("INSERT INTO notes VALUES (7, 'needle')", &[]).unwrap();
        connection.execute("INSERT INTO pair VALUES (1, 2)", &[]).unwrap();
        connection.execute("DELETE FROM pair", &[]).unwrap();
        // A statement that fails half-way leaves nothing of itself.
        let failure = connection.execute("UPDATE devices SET name = 'same'", &[]).unwrap_err();
        assert_eq!(failure.code, "SQLITE_CONSTRAINT_UNIQUE");
    }
    {
        let mut again = on(target.as_mut());
        assert_eq!(one(again.as_mut(), "SELECT name FROM devices WHERE id = 1"), text("core"));
    }
    target.prepare().unwrap();
    target.commit().unwrap();
    target.settle().unwrap();
    let path = dir.path().join("to.db");
    assert_eq!(scalar(&path, "SELECT group_concat(name ORDER BY id) FROM devices"), "core,switch,orphan");
    assert_eq!(scalar(&path, "SELECT what FROM audit"), "hunter2core");
    assert_eq!(scalar(&path, "SELECT what FROM seen"), "hunter2");
    assert_eq!(scalar(&path, "SELECT rowid FROM found WHERE found MATCH 'needle'"), "7");
}

#[test]
fn nothing_is_left_of_a_session_when_the_target_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let mut target = filled(dir.path());
    on(target.as_mut()).execute("DELETE FROM devices", &[]).unwrap();
    drop(target);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "only the source");
}

#[test]
fn a_reference_that_a_session_breaks_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let mut target = filled(dir.path());
    on(target.as_mut()).execute("UPDATE devices SET owner = 77 WHERE id = 2", &[]).unwrap();
    let fault = target.prepare().unwrap_err();
    assert_eq!(fault.class(), FaultClass::Module);
    let expected = "after a module changed the target, row 2 of devices refers to a row of users that is not there";
    assert_eq!(fault.to_string(), expected);
}

#[test]
fn a_transaction_undone_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let mut target = filled(dir.path());
    {
        let mut connection = on(target.as_mut());
        connection.execute("DELETE FROM devices WHERE id = 3", &[]).unwrap();
        connection.execute("INSERT OR ROLLBACK INTO devices(id, made) VALUES (1, 'x')", &[]).unwrap_err();
        assert_eq!(connection.execute("SELECT 1", &[]).unwrap_err().code, "25P02");
    }
    let fault = target.prepare().unwrap_err();
    assert_eq!(fault.class(), FaultClass::Module, "{fault}");
}

#[test]
fn a_session_has_its_turn() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from.db");
    make(&from, APPLICATION);
    let mut source = source(&from);
    let mut target = target(&dir.path().join("to.db"));
    assert!(target.session(&main_name(), &access()).is_err());
    target.begin(source.catalog()).unwrap();
    assert!(target.session(&main_name(), &access()).is_err());
    pump(source.as_mut(), target.as_mut()).unwrap();
    target.complete().unwrap();
    assert!(target.complete().is_err());
    let other = godwit_model::DatabaseName::new("other").unwrap();
    assert!(target.session(&other, &access()).unwrap().is_none());
    let unknown = BTreeMap::from([(CollectionName::new("nothing").unwrap(), Access::Read)]);
    assert_eq!(target.session(&main_name(), &unknown).map(drop).unwrap_err().class(), FaultClass::Refused);
    target.session(&main_name(), &access()).unwrap().unwrap();
    target.prepare().unwrap();
}

#[test]
fn text_in_utf_16_is_text() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from.db"), dir.path().join("to.db"));
    make(&from, "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t(a); INSERT INTO t VALUES ('gr\u{fc}n \u{1f7e2}');");
    let mut source = source(&from);
    let mut target = target(&to);
    target.begin(source.catalog()).unwrap();
    pump(source.as_mut(), target.as_mut()).unwrap();
    target.complete().unwrap();
    let access = BTreeMap::from([(CollectionName::new("t").unwrap(), Access::ReadWrite)]);
    let mut connection = target.session(&main_name(), &access).unwrap().unwrap();
    assert_eq!(one(connection.as_mut(), "SELECT a FROM t"), text("gr\u{fc}n \u{1f7e2}"));
    let odd = [text("\u{feff}x\0"), SqlValue::Bytes(vec![0xd8])];
    connection.execute("INSERT INTO t VALUES (?1), (?2)", &odd).unwrap();
    let back = all(connection.as_mut(), "SELECT a FROM t WHERE rowid > 1 ORDER BY rowid").unwrap();
    assert_eq!(back.concat(), odd);
}

#[test]
fn what_led_nowhere_before_is_let_pass() {
    let dir = tempfile::tempdir().unwrap();
    let mut target = filled(dir.path());
    on(target.as_mut()).execute("UPDATE devices SET name = 'still an orphan' WHERE id = 3", &[]).unwrap();
    target.prepare().unwrap();
}
