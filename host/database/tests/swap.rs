//! The new file takes the old one's place at once or not at all, and can give it back.

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use common::*;
use godwit_database::{Replace, open_target};
use godwit_model::{FaultClass, RecordTarget, Staged};

const OLD: &str = "CREATE TABLE old_state(a); INSERT INTO old_state VALUES (1);";

/// A new state to restore, and a directory with or without a live database.
struct Place {
    from: PathBuf,
    app: PathBuf,
    live: PathBuf,
    _dir: tempfile::TempDir,
}

impl Place {
    fn new(live_sql: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (from, app) = (dir.path().join("from.db"), dir.path().join("app"));
        fs::create_dir(&app).unwrap();
        make(&from, "CREATE TABLE new_state(a); INSERT INTO new_state VALUES (1), (2);");
        let live = app.join("live.db");
        if let Some(sql) = live_sql {
            make(&live, sql);
        }
        Self { from, app, live, _dir: dir }
    }

    fn prepared(&self) -> Box<dyn RecordTarget> {
        let mut source = source(&self.from);
        let mut target = target(&self.live);
        target.begin(source.catalog()).unwrap();
        pump(source.as_mut(), target.as_mut()).unwrap();
        target.prepare().unwrap();
        target
    }

    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(&self.app).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    fn tables(&self) -> String {
        scalar(&self.live, "SELECT group_concat(name) FROM sqlite_schema")
    }
}

#[test]
fn a_commit_is_seen_at_once_and_settled() {
    let place = Place::new(Some(OLD));
    let mut target = place.prepared();
    assert_eq!(place.tables(), "old_state");
    target.commit().unwrap();
    assert_eq!(place.tables(), "new_state");
    assert_eq!(place.files(), [".live.db.godwit-old", "live.db"]);
    target.settle().unwrap();
    assert_eq!(place.files(), ["live.db"]);
}

#[test]
fn a_commit_is_undone() {
    for mode in ["DELETE", "WAL"] {
        let place = Place::new(Some(&format!("PRAGMA journal_mode = {mode}; {OLD}")));
        let before = fs::metadata(&place.live).unwrap().ino();
        let mut target = place.prepared();
        target.commit().unwrap();
        // The application came up on the new state and left a WAL.
        let mut application = connect(&place.live);
        run(&mut application, "PRAGMA journal_mode = WAL; INSERT INTO new_state VALUES (3)");
        close(application);
        target.undo().unwrap();
        assert_eq!(place.files(), ["live.db"], "{mode}");
        assert_eq!(place.tables(), "old_state", "{mode}");
        assert_eq!(fs::metadata(&place.live).unwrap().ino(), before);
        assert_eq!(content(&place.live).0.databases[&main_name()].settings["journal_mode"], mode.to_lowercase());
    }
}

#[test]
fn a_first_restore_is_undone_to_nothing() {
    let place = Place::new(None);
    let mut target = place.prepared();
    target.commit().unwrap();
    assert_eq!(place.tables(), "new_state");
    target.undo().unwrap();
    assert_eq!(place.files(), Vec::<String>::new());
}

#[test]
fn dropped_before_commit_nothing_is_left() {
    let place = Place::new(Some(OLD));
    drop(place.prepared());
    assert_eq!(place.files(), ["live.db"]);
    let mut half = target(&place.live);
    half.begin(source(&place.from).catalog()).unwrap();
    assert_eq!(place.files(), [".live.db.godwit-new", "live.db"]);
    drop(half);
    assert_eq!((place.tables().as_str(), place.files()), ("old_state", vec!["live.db".to_owned()]));
}

#[test]
fn a_live_wal_is_folded_in_and_never_applied_to_the_new_file() {
    let place = Place::new(Some(&format!("PRAGMA journal_mode = WAL; {OLD}")));
    // What a crashed application leaves: a WAL with content beside the file.
    let mut application = connect(&place.live);
    run(&mut application, "PRAGMA wal_autocheckpoint = 0; INSERT INTO old_state VALUES ('only in the WAL')");
    let (wal, file) = (fs::read(place.app.join("live.db-wal")).unwrap(), fs::read(&place.live).unwrap());
    close(application);
    fs::write(&place.live, file).unwrap();
    fs::write(place.app.join("live.db-wal"), wal).unwrap();
    let mut target = place.prepared();
    target.commit().unwrap();
    assert_eq!(place.files(), [".live.db.godwit-old", "live.db"]);
    assert_eq!(scalar(&place.live, "SELECT count(*) FROM new_state"), "2");
    target.undo().unwrap();
    assert_eq!(scalar(&place.live, "SELECT count(*) FROM old_state"), "2");
}

#[test]
fn a_stray_wal_without_its_database_is_not_applied() {
    let place = Place::new(None);
    let donor = place.app.join("donor.db");
    make(&donor, "PRAGMA journal_mode = WAL; CREATE TABLE x(a)");
    let mut connection = connect(&donor);
    run(&mut connection, "INSERT INTO x VALUES (1)");
    fs::copy(place.app.join("donor.db-wal"), place.app.join("live.db-wal")).unwrap();
    close(connection);
    fs::remove_file(donor).unwrap();
    let mut target = place.prepared();
    target.commit().unwrap();
    assert_eq!(place.files(), ["live.db"]);
    assert_eq!(place.tables(), "new_state");
}

#[test]
fn a_live_file_in_use_is_not_replaced() {
    for (mode, use_it) in
        [("WAL", "SELECT * FROM old_state"), ("DELETE", "BEGIN IMMEDIATE; INSERT INTO old_state VALUES (2)")]
    {
        let place = Place::new(Some(&format!("PRAGMA journal_mode = {mode}; {OLD}")));
        let mut target = place.prepared();
        let mut application = connect(&place.live);
        run(&mut application, use_it);
        let fault = target.commit().unwrap_err();
        assert_eq!(fault.class(), FaultClass::Locked, "{mode}: {fault}");
        assert!(fault.to_string().contains("stop the application"), "{fault}");
        close(application);
        assert_eq!(place.tables(), "old_state");
        target.commit().unwrap();
        target.settle().unwrap();
        assert_eq!((place.tables().as_str(), place.files()), ("new_state", vec!["live.db".to_owned()]));
    }
}

#[test]
fn an_idle_connection_is_told_that_its_file_has_moved() {
    let place = Place::new(Some(OLD));
    let mut application = connect(&place.live);
    run(&mut application, "SELECT * FROM old_state");
    let mut target = place.prepared();
    target.commit().unwrap();
    let write = wait(sqlx::raw_sql("INSERT INTO old_state VALUES (2)").execute(&mut application));
    assert!(write.unwrap_err().to_string().contains("readonly"), "no write is lost in silence");
    target.settle().unwrap();
}

#[test]
fn leftovers_of_a_killed_run_are_replaced() {
    let place = Place::new(Some(OLD));
    fs::write(place.app.join(".live.db.godwit-new"), b"half a database").unwrap();
    fs::write(place.app.join(".live.db.godwit-new-journal"), b"half a journal").unwrap();
    // Killed between linking and renaming: the same file under both names.
    fs::hard_link(&place.live, place.app.join(".live.db.godwit-old")).unwrap();
    let mut target = place.prepared();
    target.commit().unwrap();
    drop(target);
    // Killed between commit and settle: the live file is the new one.
    assert_eq!(place.files(), [".live.db.godwit-old", "live.db"]);
    let mut again = place.prepared();
    again.commit().unwrap();
    again.settle().unwrap();
    assert_eq!((place.tables().as_str(), place.files()), ("new_state", vec!["live.db".to_owned()]));
}

#[test]
fn a_former_state_without_a_sound_live_file_is_not_overwritten() {
    let place = Place::new(Some(OLD));
    let former = place.app.join(".live.db.godwit-old");
    fs::copy(&place.live, &former).unwrap();
    for damage in [true, false] {
        if damage {
            fs::write(&place.live, b"this is not a database at all, but long enough".repeat(40)).unwrap();
        } else {
            fs::remove_file(&place.live).unwrap();
        }
        let Err(fault) = open_target(&main_name(), &url(&place.live), Replace::Always) else { panic!("{damage}") };
        assert_eq!(fault.class(), FaultClass::Refused);
        assert!(fault.to_string().contains("godwit-old"), "{fault}");
        assert!(former.exists());
    }
}

#[test]
fn a_damaged_live_file_can_be_replaced_and_comes_back_as_it_was() {
    let place = Place::new(None);
    let damaged = b"this is not a database at all, but long enough".repeat(40);
    fs::write(&place.live, &damaged).unwrap();
    fs::write(place.app.join("live.db-wal"), b"perhaps of use").unwrap();
    let mut target = place.prepared();
    target.commit().unwrap();
    assert_eq!(place.tables(), "new_state");
    target.undo().unwrap();
    assert_eq!(fs::read(&place.live).unwrap(), damaged);
    assert_eq!(fs::read(place.app.join("live.db-wal")).unwrap(), b"perhaps of use");
}

#[test]
fn a_second_run_is_refused_while_the_first_builds() {
    let place = Place::new(Some(OLD));
    let mut first = target(&place.live);
    first.begin(source(&place.from).catalog()).unwrap();
    let fault = target(&place.live).begin(source(&place.from).catalog()).unwrap_err();
    assert_eq!(fault.class(), FaultClass::Locked, "{fault}");
    drop(first);
    target(&place.live).begin(source(&place.from).catalog()).unwrap();
}

#[test]
fn a_target_with_tables_is_refused_unless_it_may_be_replaced() {
    let never = |place: &Place| open_target(&main_name(), &url(&place.live), Replace::Never).map(drop);
    let fault = never(&Place::new(Some(OLD))).unwrap_err();
    assert_eq!(fault.class(), FaultClass::Refused);
    assert!(fault.to_string().contains("old_state"), "{fault}");
    assert!(never(&Place::new(Some("PRAGMA user_version = 1"))).is_ok());
    assert!(never(&Place::new(None)).is_ok());
}

#[test]
fn the_mode_of_the_live_file_is_kept_and_a_new_one_is_private() {
    let mode = |place: &Place| fs::metadata(&place.live).unwrap().mode() & 0o7777;
    let place = Place::new(Some(OLD));
    fs::set_permissions(&place.live, fs::Permissions::from_mode(0o640)).unwrap();
    place.prepared().commit().unwrap();
    assert_eq!(mode(&place), 0o640);
    let place = Place::new(None);
    place.prepared().commit().unwrap();
    assert_eq!(mode(&place), 0o600);
}

#[test]
fn a_link_stays_a_link_to_the_new_file() {
    let place = Place::new(Some(OLD));
    let link = place.app.parent().unwrap().join("link.db");
    std::os::unix::fs::symlink(&place.live, &link).unwrap();
    copy(&place.from, &link);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(place.tables(), "new_state");
}

#[test]
fn steps_out_of_turn_are_errors() {
    let place = Place::new(None);
    let mut target = target(&place.live);
    for step in [Staged::prepare, Staged::commit, Staged::settle, Staged::undo] {
        assert!(step(target.as_mut()).is_err());
    }
    target.begin(source(&place.from).catalog()).unwrap();
    assert!(target.commit().is_err() && target.begin(source(&place.from).catalog()).is_err());
}
