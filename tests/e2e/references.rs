//! Data that broke its references before: a plan shows it, and a migration does not hide it.

use godwit_tests::{Shop, modules};

use super::readable::Refusals;

#[test]
fn references_that_lead_nowhere_are_found_before_anything_is_written() {
    let shop = Shop::new();
    shop.sql("PRAGMA foreign_keys = OFF; UPDATE devices SET owner_id = 77 WHERE id IN (3, 4)");
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    let modules = modules().display().to_string();
    let plan = ["plan", "old.tar", "--to", "1.1.0", "--modules", &modules];
    let migrate = ["migrate", "old.tar", "--to", "1.1.0", "-o", "new.tar", "--modules", &modules];
    let planned = shop.godwit(&plan);
    assert_eq!(planned.status, Some(5), "{}", planned.stdout);
    let found = planned.stdout.split_once("1 violation of the new catalog").unwrap().1.trim_start();
    super::readable::settings().bind(|| insta::assert_snapshot!("violations", found));
    let mut refusals = Refusals::new();
    refusals.case(&shop, "migrate", &migrate, 5);
    refusals.compare("references");
    let allowed = [&migrate[..], &["--allow-dangling"]].concat();
    assert!(shop.godwit(&allowed).succeeded().contains("77"), "said, though allowed");
}
