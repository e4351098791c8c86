//! A disk that is full: said, nothing left behind, and the target as it was.

use std::path::{Path, PathBuf};
use std::process::Command;

use godwit_tests::{Outcome, Shop, godwit, modules, run, tree, without};

use super::readable::Refusals;

/// A file system of a few MiB, gone with the value.
pub(crate) struct SmallDisk {
    pub(crate) at: PathBuf,
    _parent: tempfile::TempDir,
}

impl SmallDisk {
    /// None where this user may not mount.
    pub(crate) fn mounted(mib: u32) -> Option<Self> {
        let parent = tempfile::Builder::new().prefix("shop").tempdir().unwrap();
        let at = parent.path().to_owned();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"]).arg(&at).output();
        match mount {
            Ok(output) if output.status.success() => Some(Self { at, _parent: parent }),
            _ => None,
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run(Command::new("umount").arg("--lazy").arg(&self.at));
    }
}

/// A shop whose records need some MiB however well they are compressed, and an archive of it.
fn large_shop() -> Shop {
    let shop = Shop::new();
    shop.sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000) \
         INSERT INTO audit_log (action, detail) SELECT 'noise', hex(randomblob(1000)) FROM n",
    );
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    shop
}

/// An installation on a disk that is too small for the shop's data, with data of its own.
fn small_application(disk: &Path, shop: &Shop) -> Shop {
    let small = Shop::new();
    for name in ["godwit.toml", "godwit.lock", "inventory.db", "config"] {
        run(Command::new("cp").arg("-a").arg(small.path(name)).arg(disk)).succeeded();
    }
    assert!(shop.path("old.tar").metadata().unwrap().len() > 5 << 20, "more than the disk takes");
    small
}

#[test]
fn a_full_disk_leaves_everything_as_it_was() {
    let Some(disk) = SmallDisk::mounted(4).or_else(|| without("the right to mount a small file system")) else {
        return;
    };
    let shop = large_shop();
    small_application(&disk.at, &shop);
    let before = tree(&disk.at);
    let mut refusals = Refusals::new();
    let mut case = |name: &str, arguments: &[&str]| {
        let outcome = run(godwit().current_dir(&disk.at).env("TMPDIR", shop.dir()).args(arguments));
        assert_eq!(tree(&disk.at), before, "{name}: nothing changed, nothing left behind");
        refusals.said(name, &outcome, 6);
    };
    let (config, archive, modules) = (shop.arg("godwit.toml"), shop.arg("old.tar"), modules().display().to_string());
    case("backup", &["--config", &config, "backup", "-o", "new.tar"]);
    case("backup into a directory", &["--config", &config, "backup", "-o", "new"]);
    case("migrate", &["migrate", &archive, "--to", "1.1.0", "-o", "new.tar", "--modules", &modules]);
    case("restore", &["restore", &archive, "--empty"]);
    case("export", &["export", &archive, "-o", "records"]);
    refusals.compare("full-disk");
}

/// Runs with files limited to a number of KiB; writing more fails as on a full disk, without any rights needed.
pub(crate) fn limited(shop: &Shop, kib: u32, arguments: &[&str]) -> Outcome {
    let program = godwit();
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kib * 2);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg(program.get_program()).args(arguments).current_dir(shop.dir());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    run(&mut shell)
}

#[test]
fn a_write_that_fails_anywhere_leaves_everything_as_it_was() {
    let (shop, target) = (large_shop(), Shop::new());
    let modules = modules().display().to_string();
    let (before, before_target) = (shop.tree(), target.tree());
    for kib in [1, 8, 64, 1024, 4096] {
        limited(&shop, kib, &["backup", "-o", "new.tar"]).failed(6);
        // A module's memory begins as a file in memory, which the limit is for, too.
        if kib >= 4096 {
            limited(&shop, kib, &["migrate", "old.tar", "--to", "1.1.0", "-o", "new", "--modules", &modules]).failed(6);
        }
        assert_eq!(shop.tree(), before, "{kib} KiB");
        limited(&target, kib, &["restore", &shop.arg("old.tar"), "--empty"]).failed(6);
        assert_eq!(target.tree(), before_target, "{kib} KiB");
    }
}
