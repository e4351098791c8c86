//! Scripts run to their end.

mod common;

use common::*;
use godwit_database::run_script;

#[test]
fn stray_semicolons_and_comments_do_not_end_a_script() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    run_script(
        &url(&path),
        "CREATE TABLE t(a);; -- then\n;INSERT INTO t VALUES (1); /* and */ INSERT INTO t VALUES (2);\n",
    )
    .unwrap();
    assert_eq!(scalar(&path, "SELECT count(*) FROM t"), "2");
    assert!(run_script(&url(&path), "INSERT INTO t VALUES (3); SELEKT").is_err());
}
