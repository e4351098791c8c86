//! The same archive, modules and parameters give the same bytes.

use std::collections::BTreeMap;

use godwit_tests::{Shop, tree};
use serde_json::json;

use crate::range::{Range, filtered, hostile};

pub(crate) const BEHAVIOURS: &[&str] = &["float-bits", "reads-everything"];

const MANY: &str = "WITH RECURSIVE c(x) AS (SELECT 100000 UNION ALL SELECT x + 1 FROM c LIMIT 20000)
    INSERT INTO devices (id, hostname, status, notes) SELECT x, 'made' || x, 'up', printf('%200d', x) FROM c";

fn made(archive: &Shop, workers: &str) -> BTreeMap<String, String> {
    let module = hostile(|manifest| {
        manifest["reads"] = json!(["devices.id", "devices.hostname"]);
        manifest["indexes"] = json!(["devices.id"]);
        manifest["files"] = json!({ "config": "read" });
    });
    let range = Range::new(&module).named("reads-everything").on(archive.path("old.tar"));
    let ended = range.run("migrate", &["--workers", workers, "--parameter", "behaviour=reads-everything"]);
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    tree(&range.path("new"))
}

#[test]
fn one_worker_and_four_make_the_same_archive_with_queries_and_files() {
    let shop = Shop::new();
    shop.sql(MANY);
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    let one = made(&shop, "1");
    assert_eq!(one, made(&shop, "4"));
    assert_eq!(one, made(&shop, "1"));
}

#[test]
fn a_nan_has_the_same_bits_everywhere() {
    let range = Range::new(&hostile(|_| {})).named("float-bits");
    let ended = range.run("migrate", &["--parameter", "behaviour=float-bits"]);
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    insta::assert_snapshot!("float-bits", filtered(&range, &ended));
}
