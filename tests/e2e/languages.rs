//! The same step in other languages gives the same bytes.

use std::collections::BTreeMap;
use std::path::Path;

use godwit_tests::{Shop, example, modules, other_modules};

/// The module in Rust that the others are held against.
const STEP: &str = "inventory-1.0-to-1.1";

fn migrate(shop: &Shop, modules: &Path, to: &str, more: &[&str]) {
    let modules = modules.display().to_string();
    shop.approve(&modules);
    let arguments = ["migrate", "old", "--to", "1.1.0", "-o", to, "--modules", &modules];
    shop.godwit(&[&arguments[..], more].concat()).succeeded();
}

/// An archive's records, and its catalog: what it is besides tells which module made it.
fn data(shop: &Shop, archive: &str) -> BTreeMap<String, String> {
    let mut tree = godwit_tests::tree(&shop.path(archive));
    tree.retain(|path, _| path.starts_with("records/") || path.ends_with("catalog.json"));
    assert!(tree.len() > 10, "{tree:?}");
    tree
}

/// Text that has to be escaped, integers that no float holds, and names with white space of all kinds.
const AWKWARD: &str = "
    UPDATE devices SET owner_id = NULL WHERE id = 1;
    UPDATE devices SET notes = char(0x2028, 0xfeff, 0x1f600, 9, 34, 92, 47, 1, 127), price = 1e308 WHERE id = 2;
    INSERT INTO users (id, full_name, role, city, created_at) VALUES
      (9007199254740993, char(0x85, 0x20) || 'Ada' || char(0x3000, 0x20) || 'King' || char(0xfeff), 'x', '\"', ''),
      (-9223372036854775808, char(0x1c) || ' Mononym ', char(0), NULL, char(0x2029));
    INSERT INTO devices (id, hostname, status, location, owner_id) VALUES
      (9223372036854775807, '', 'retired', char(34) || '/' || char(92) || '/U+007', 9007199254740993);";

#[test]
fn every_language_gives_the_same_bytes() {
    let shop = Shop::new();
    shop.sql(AWKWARD);
    shop.godwit(&["backup", "-o", "old"]).succeeded();
    let rust = shop.path("rust-modules");
    std::fs::create_dir(&rust).unwrap();
    std::fs::copy(modules().join(format!("{STEP}.wasm")), rust.join("module.wasm")).unwrap();
    migrate(&shop, &rust, "rust", &[]);
    let expected = data(&shop, "rust");
    for (name, folder) in other_modules() {
        migrate(&shop, folder, name, &[]);
        assert_eq!(data(&shop, name), expected, "{name}");
    }
}

#[test]
fn every_language_gives_the_same_bytes_on_one_worker_and_on_four() {
    let shop = Shop::new();
    shop.sql(&super::while_writing::many_devices(30_000));
    shop.godwit(&["backup", "-o", "old"]).succeeded();
    for (name, folder) in other_modules() {
        for (to, workers) in [("one", "1"), ("four", "4"), ("again", "4")] {
            migrate(&shop, folder, &format!("{name}-{to}"), &["--workers", workers]);
        }
        let tree = |to: &str| godwit_tests::tree(&shop.path(&format!("{name}-{to}")));
        assert_eq!(tree("one"), tree("four"), "{name}");
        assert_eq!(tree("four"), tree("again"), "{name}");
    }
}

/// The cases are those of the module in Rust, messages of errors among them.
#[test]
fn every_language_passes_the_golden_cases() {
    let shop = Shop::empty("1.0.0");
    let cases = example(STEP).display().to_string();
    for (name, folder) in other_modules() {
        let module = folder.join(format!("{name}.wasm")).display().to_string();
        let outcome = shop.godwit(&["module", "test", &cases, "--module", &module]);
        assert_eq!(outcome.status, Some(0), "{name}: {}\n{}", outcome.stdout, outcome.stderr);
    }
}

#[test]
fn no_language_imports_more_than_it_needs() {
    let shop = Shop::empty("1.0.0");
    let allowed = ["catalog", "types", "log", "parameters"].map(|name| format!("godwit:migration/{name}@0.1.0"));
    for (name, folder) in other_modules() {
        let module = folder.join(format!("{name}.wasm")).display().to_string();
        let outline = shop.godwit(&["module", "inspect", &module, "--output", "json"]).json();
        let imports = outline["module"]["imports"].as_array().unwrap();
        let more: Vec<_> = imports.iter().filter(|import| !allowed.iter().any(|name| *import == name)).collect();
        assert!(!imports.is_empty() && more.is_empty(), "{name}: {more:?}");
    }
}

#[test]
fn what_cannot_be_packed_is_told_with_what_to_do() {
    let shop = Shop::empty("1.0.0");
    let module = modules().join(format!("{STEP}.wasm")).display().to_string();
    let manifest = example(STEP).join("module.json").display().to_string();
    let pack = |file: &str| shop.godwit(&["module", "pack", file, "--manifest", &manifest, "-o", "packed.wasm"]);
    assert!(pack(&module).failed(5).contains("it has a manifest already"));
    assert!(pack(&manifest).failed(5).contains("it is not valid WebAssembly"));
    assert!(pack("absent.wasm").failed(2).contains("absent.wasm"));
    assert!(!shop.path("packed.wasm").exists());
}
