//! The limit on memory holds for the process, so it has a process of its own.

use godwit_database::{limit_memory, open_scratch};

#[test]
fn what_needs_too_much_memory_fails_and_the_rest_goes_on() {
    let mut scratch = open_scratch(1 << 30).unwrap();
    limit_memory(32 << 20);
    let sorted = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) \
                  SELECT count(*) FROM (SELECT i, zeroblob(1000) AS b FROM n ORDER BY b, i LIMIT -1 OFFSET 1)";
    assert_eq!(scratch.execute(sorted, &[]).unwrap_err().code, "SQLITE_NOMEM");
    scratch.execute("CREATE TABLE t(a)", &[]).unwrap();
    assert_eq!(scratch.execute("INSERT INTO t VALUES (1)", &[]).unwrap(), 1);
}
