//! The run is killed, or the power goes: the target is the old one or the new one, and the next run works.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use godwit_tests::{Shop, godwit, modules, run, sqlite3};

use super::while_writing::many_devices;

const RECORDS: u64 = 20_000;

/// `GODWIT_TEST_KILLS` asks for more of them, at other moments.
fn kills() -> u64 {
    std::env::var("GODWIT_TEST_KILLS").map_or(10, |number| number.parse().expect("GODWIT_TEST_KILLS is a number"))
}

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn command(shop: &Shop, arguments: &[&str]) -> Command {
    let mut command = godwit();
    command.current_dir(shop.dir()).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Kills a run at moments all over the time that it takes; after each, `check` is asked.
fn killed(shop: &Shop, seed: u64, arguments: &[&str], mut check: impl FnMut()) {
    let began = Instant::now();
    assert!(command(shop, arguments).status().unwrap().success(), "{arguments:?}");
    let whole = u64::try_from(began.elapsed().as_micros()).unwrap();
    let mut numbers = Numbers(seed);
    for _ in 0..kills() {
        check();
        let mut child = command(shop, arguments).spawn().unwrap();
        sleep(Duration::from_micros(numbers.below(whole)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    check();
}

#[test]
fn a_killed_backup_is_whole_or_not_there() {
    let shop = Shop::new();
    shop.sql(&many_devices(RECORDS));
    for name in ["new.tar", "new"] {
        let whole = shop.path(name);
        killed(&shop, 7, &["backup", "-o", name], || {
            if whole.exists() {
                shop.godwit(&["verify", name]).succeeded();
                let removed = if whole.is_dir() { fs::remove_dir_all(&whole) } else { fs::remove_file(&whole) };
                removed.unwrap();
            }
        });
        shop.godwit(&["backup", "-o", name]).succeeded();
        shop.godwit(&["verify", name, "--deep"]).succeeded();
        assert!(!shop.path(&format!("{name}.partial")).exists(), "what was left behind is cleared away");
    }
}

#[test]
fn a_killed_migration_is_whole_or_not_there() {
    let shop = Shop::new();
    shop.sql(&many_devices(RECORDS));
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    let old = fs::read(shop.path("old.tar")).unwrap();
    let modules = modules().display().to_string();
    let arguments = ["migrate", "old.tar", "--to", "1.2.0", "-o", "new.tar", "--modules", &modules];
    let mut whole: Option<Vec<u8>> = None;
    killed(&shop, 11, &arguments, || {
        if let Ok(made) = fs::read(shop.path("new.tar")) {
            assert!(whole.get_or_insert_with(|| made.clone()) == &made, "whole, to the byte");
            fs::remove_file(shop.path("new.tar")).unwrap();
        }
    });
    shop.godwit(&arguments).succeeded();
    assert!(whole == fs::read(shop.path("new.tar")).ok() && old == fs::read(shop.path("old.tar")).unwrap());
}

/// What the database holds, and the files, once SQLite has recovered as it does for any application.
fn state(shop: &Shop) -> (String, String) {
    let records = "SELECT count(*) || ' ' || sum(length(hostname)) || ' ' || max(status) FROM devices";
    if let Some(mut shell) = sqlite3() {
        let check = shell.arg(shop.database()).arg("PRAGMA integrity_check");
        assert_eq!(run(check).succeeded(), "ok\n");
    }
    (shop.query(records), fs::read_to_string(shop.path("config/inventory.conf")).unwrap())
}

/// A file tree's former state is never removed by another run: which of the two to keep is the operator's choice.
fn choose(shop: &Shop) {
    let former = shop.path(".config.godwit-old");
    if former.exists() {
        let said = shop.godwit(&["restore", "old.tar", "--empty"]).failed(3);
        assert!(said.contains("keep the right one") && said.contains(".config.godwit-old"), "{said}");
        assert!(former.join("inventory.conf").exists(), "whole, too");
        fs::remove_dir_all(former).unwrap();
    }
}

#[test]
fn a_killed_restore_leaves_the_old_or_the_new() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "new.tar"]).succeeded();
    let new = state(&shop);
    shop.sql(&many_devices(RECORDS));
    shop.sql("UPDATE devices SET status = 'zzz'");
    shop.write("config/inventory.conf", "changed = since\n");
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    let old = state(&shop);
    let (mut seen, mut round) = ((0, 0), 0);
    killed(&shop, 13, &["restore", "new.tar", "--empty"], || {
        round += 1;
        // Every third time the next run comes before anything else has opened the database.
        if round % 3 != 0 {
            let now = state(&shop);
            assert!(now.0 == old.0 || now.0 == new.0, "{now:?}");
            assert!(now.1 == old.1 || now.1 == new.1, "{now:?}");
            seen = if now == old { (seen.0 + 1, seen.1) } else { (seen.0, seen.1 + 1) };
        }
        choose(&shop);
        shop.godwit(&["restore", "old.tar", "--empty"]).succeeded();
        assert_eq!(state(&shop), old);
    });
    assert!(seen.0 > 0 && seen.1 > 0, "old and new were both seen: {seen:?}");
    let names: Vec<_> = shop.tree().into_keys().filter(|path| !path.contains('/')).collect();
    assert_eq!(
        names,
        ["config", "godwit.lock", "godwit.toml", "inventory.db", "new.tar", "old.tar"],
        "nothing is left behind"
    );
}
