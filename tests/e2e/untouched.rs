//! What no module touches is passed on as it is.

use std::fs;

use godwit_tests::{Shop, modules};

#[test]
fn an_untouched_collection_is_copied_compressed() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old"]).succeeded();
    shop.godwit(&["migrate", "old", "--to", "1.1.0", "-o", "new", "--modules", &modules().display().to_string()])
        .succeeded();
    let chunk = |archive: &str, collection: &str| {
        fs::read(shop.path(&format!("{archive}/records/main/{collection}/00000.jsonl.zst"))).unwrap()
    };
    for collection in ["tags", "links", "audit_log", "device_tags"] {
        assert_eq!(chunk("old", collection), chunk("new", collection), "{collection}");
    }
    assert_ne!(chunk("old", "devices"), chunk("new", "devices"));
}
