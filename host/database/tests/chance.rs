//! SQLite's own dice are the process's, so this has a process of its own.

use godwit_database::open_scratch;
use godwit_model::SqlValue;

#[test]
fn a_rowid_after_the_highest_is_the_same_in_every_run() {
    let choose = || {
        let mut scratch = open_scratch(1 << 20).unwrap();
        scratch.execute("CREATE TABLE t(id INTEGER PRIMARY KEY)", &[]).unwrap();
        scratch.execute("INSERT INTO t VALUES (9223372036854775807)", &[]).unwrap();
        let chosen = scratch.query("INSERT INTO t(id) VALUES (NULL), (NULL) RETURNING id", &[]).unwrap();
        scratch.next(chosen, 9).unwrap()
    };
    let first = choose();
    assert!(first[0] != first[1] && matches!(first[0][..], [SqlValue::Integer(_)]));
    assert_eq!(first, choose());
}
