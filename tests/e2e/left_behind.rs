//! What a killed run left in the folder for temporary files goes with the next one.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use godwit_tests::{Shop, godwit, modules};

fn entries(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.collect()
}

#[test]
fn the_next_run_removes_what_a_killed_one_staged() {
    let shop = Shop::new();
    shop.sql(&super::while_writing::many_devices(60_000));
    shop.godwit(&["backup", "-o", "old"]).succeeded();
    let temporary = shop.path("temporary");
    fs::create_dir(&temporary).unwrap();
    let modules = modules().display().to_string();
    let plan = || {
        let mut plan = godwit();
        plan.args(["plan", "old", "--to", "1.3.0", "--modules", &modules]);
        plan.current_dir(shop.dir()).env("TMPDIR", &temporary);
        plan
    };
    let mut child = plan().spawn().unwrap();
    let since = Instant::now();
    while entries(&temporary).is_empty() {
        assert!(child.try_wait().unwrap().is_none() && since.elapsed() < Duration::from_mins(1), "nothing was staged");
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(entries(&temporary).len(), 1, "a killed run cannot tidy up");
    godwit_tests::run(&mut plan()).succeeded();
    assert_eq!(entries(&temporary), Vec::<String>::new());
}
