//! Archives of every format so far must restore for ever.
//!
//! `golden/NAME.tar` is an archive as it was written once, `golden/NAME.sql` what SQLite's shell said of the
//! database that it was taken from. Neither is ever made anew: a new format adds a pair.

use std::fs;
use std::path::Path;

use godwit_tests::{Shop, dump};

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

#[test]
fn format_1_restores() {
    let archive = golden("format-1.tar").display().to_string();
    let shop = Shop::empty("1.0.0");
    shop.godwit(&["verify", &archive, "--deep"]).succeeded();
    shop.godwit(&["restore", &archive]).succeeded();
    assert_eq!(fs::read_to_string(shop.path("config/inventory.conf")).unwrap(), "theme = plain\n");
    assert_eq!(fs::read_link(shop.path("config/default.conf")).unwrap(), Path::new("inventory.conf"));
    assert_eq!(shop.query("SELECT quote(bytes) FROM values_of_all_kinds WHERE id = 2"), "X'00FF'");
    if let Some(dump) = dump(&shop.database()) {
        assert_eq!(dump, fs::read_to_string(golden("format-1.sql")).unwrap());
    }
}
