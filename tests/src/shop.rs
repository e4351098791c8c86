//! A sample application: an inventory in SQLite and a folder of configuration.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::program::{Outcome, run};
use crate::{godwit, modules, tree};

const SCHEMA: &str = include_str!("../../migrations-wasm/inventory-1.0-to-1.1/schema-1.0.sql");
const SAMPLE: &str = include_str!("../../migrations-wasm/inventory-1.0-to-1.1/sample-1.0.sql");

/// An installation of the application in a folder of its own, gone with the value:
/// `inventory.db`, `config/`, `godwit.toml`, and `godwit.lock`, which approves the example modules.
pub struct Shop {
    dir: TempDir,
}

impl Shop {
    /// The application at 1.0.0 with its sample data.
    pub fn new() -> Self {
        let shop = Self::empty("1.0.0");
        shop.sql("PRAGMA journal_mode = WAL");
        shop.sql(SCHEMA);
        shop.sql(SAMPLE);
        shop.make_files();
        shop
    }

    /// A fresh installation at a version, with neither database nor files yet.
    pub fn empty(version: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("shop").tempdir().expect("there is room for temporary files");
        let shop = Self { dir };
        shop.write("godwit.toml", &configuration(version));
        shop.write("godwit.lock", approvals());
        shop
    }

    fn make_files(&self) {
        self.write("config/inventory.conf", "listen = 127.0.0.1:8080\ntheme = plain\n");
        self.write("config/sites/dc1.conf", &"racks = 12\n".repeat(1000));
        self.write("config/secret.key", "not for everyone\n");
        fs::set_permissions(self.path("config/secret.key"), fs::Permissions::from_mode(0o600))
            .and_then(|()| symlink("sites/dc1.conf", self.path("config/default.conf")))
            .expect("a new folder can be filled");
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// A path in its folder, for a command line.
    pub fn arg(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Its database file.
    pub fn database(&self) -> PathBuf {
        self.path("inventory.db")
    }

    /// Its database's URL.
    pub fn url(&self) -> String {
        format!("sqlite://{}", self.database().display())
    }

    /// Writes a file, and the folders that it needs.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        let folder = path.parent().expect("a path in a folder has a parent");
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Runs SQL statements as the application would.
    #[track_caller]
    pub fn sql(&self, script: &str) {
        godwit_database::run_script(&self.url(), script).unwrap_or_else(|fault| panic!("{fault}"));
    }

    /// The one value that a query gives.
    #[track_caller]
    pub fn query(&self, sql: &str) -> String {
        godwit_database::query_scalar(&self.url(), sql).unwrap_or_else(|fault| panic!("{fault}"))
    }

    /// Approves all modules in a directory.
    #[track_caller]
    pub fn approve(&self, modules: &str) {
        self.godwit(&[&["grants", "--modules", modules], &APPROVE[..]].concat()).succeeded();
    }

    /// Runs the program in its folder.
    pub fn godwit(&self, arguments: &[&str]) -> Outcome {
        run(godwit().current_dir(self.dir()).args(arguments))
    }

    /// What is in its folder; equal before and after: nothing changed, nothing left behind.
    pub fn tree(&self) -> std::collections::BTreeMap<String, String> {
        tree(self.dir())
    }
}

impl Default for Shop {
    fn default() -> Self {
        Self::new()
    }
}

const APPROVE: [&str; 2] = ["--approve", "--allow-unsigned"];

/// A lock file that approves the example modules, as the program writes it.
fn approvals() -> &'static str {
    static APPROVALS: OnceLock<String> = OnceLock::new();
    APPROVALS.get_or_init(|| {
        let dir = tempfile::tempdir().expect("there is room for temporary files");
        let mut grants = godwit();
        run(grants.current_dir(dir.path()).arg("grants").args(APPROVE).arg("--modules").arg(modules())).succeeded();
        fs::read_to_string(dir.path().join("godwit.lock")).expect("what was approved is written down")
    })
}

fn configuration(version: &str) -> String {
    format!(
        "[application]\nname = \"inventory\"\nversion = \"{version}\"\n\n\
         [databases.main]\nurl = \"sqlite://inventory.db\"\n\n[files.config]\npath = \"config\"\n"
    )
}
