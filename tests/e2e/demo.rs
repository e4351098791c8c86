//! The demo runs to its end.

use godwit_tests::{godwit, modules, run};

#[test]
fn the_demo_runs_in_an_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    let demo = || run(godwit().arg("demo").current_dir(folder.path()).env("GODWIT_MODULES", modules()));
    let told = demo().succeeded();
    for part in ["$ godwit", "state         not approved", "1.0.0 -> 1.2.0", "restored", "dev-000001"] {
        assert!(told.contains(part), "no {part} in\n{told}");
    }
    assert!(demo().failed(3).contains("name another"), "a folder that is there is left alone");
}
