//! What an operator can get wrong: configuration, addresses, targets. Each is said, and nothing is touched.

use std::fs;
use std::os::unix::fs::symlink;

use godwit_tests::{Shop, modules};

use super::readable::Refusals;

const HEAD: &str = "[application]\nname = \"inventory\"\nversion = \"1.0.0\"\n";

/// The shop with another configuration.
fn configured(text: &str) -> Shop {
    let shop = Shop::new();
    shop.write("godwit.toml", text);
    shop
}

#[test]
fn a_configuration_that_cannot_be_used() {
    let mut refusals = Refusals::new();
    let mut case = |case: &str, text: &str, status: i32| {
        refusals.case(&configured(text), case, &["backup", "-o", "new"], status);
    };
    case("an unknown key", &format!("{HEAD}nmae = \"x\"\n"), 2);
    case("an unknown table", &format!("{HEAD}[datbases.main]\nurl = \"sqlite://inventory.db\"\n"), 2);
    case("no TOML", "application: inventory\n", 2);
    case("no application", "[databases.main]\nurl = \"sqlite://inventory.db\"\n", 2);
    case("nothing to back up", HEAD, 2);
    case("no version", "[application]\nname = \"inventory\"\n[files.config]\npath = \"config\"\n", 2);
    case("a version that is none", &HEAD.replace("1.0.0", "1.0"), 2);
    let database = "[databases.main]\nurl = \"sqlite://inventory.db\"\n";
    let file = HEAD.replace("\"1.0.0\"", "{ file = \"VERSION\" }");
    case("a version file that is not there", &format!("{file}{database}"), 2);
    let query = HEAD.replace("\"1.0.0\"", "{ query = \"select value from app_meta\" }");
    case("a query that gives three versions", &format!("{query}{database}"), 2);
    let write = HEAD.replace("\"1.0.0\"", "{ query = \"delete from app_meta returning value\" }");
    case("a query that writes", &format!("{write}{database}"), 2);
    case("a variable that is not set", &format!("{HEAD}[databases.main]\nurl = \"sqlite://${{NO_SUCH_DB}}\"\n"), 2);
    case("a glob that is none", &format!("{HEAD}{database}exclude = [\"a[\"]\n"), 2);
    case("a name that is none", &format!("{HEAD}[databases.\"../main\"]\nurl = \"sqlite://inventory.db\"\n"), 2);
    refusals.compare("configuration");
}

#[test]
fn no_configuration() {
    let shop = Shop::new();
    fs::remove_file(shop.path("godwit.toml")).unwrap();
    let mut refusals = Refusals::new();
    refusals.case(&shop, "backup", &["backup"], 2);
    refusals.case(&shop, "restore", &["restore", "config", "--config", "elsewhere.toml"], 2);
    refusals.case(&shop, "plan", &["plan", "--to", "1.1.0"], 2);
    refusals.compare("no-configuration");
}

#[test]
fn a_database_that_cannot_be_opened() {
    let mut refusals = Refusals::new();
    let mut case = |case: &str, url: &str, status: i32| {
        let shop = configured(&format!("{HEAD}[databases.main]\nurl = \"{url}\"\n"));
        shop.write("text.db", &"this is a text and no database\n".repeat(100));
        refusals.case(&shop, case, &["backup", "-o", "new"], status);
    };
    case("a file that is not there", "sqlite://missing.db", 6);
    case("a folder that is not there", "sqlite://missing/inventory.db", 6);
    case("a folder", "sqlite://config", 2);
    case("a text", "sqlite://text.db", 6);
    case("another kind of database", "oracle://scott:tiger@db/shop", 2);
    case("no kind", "inventory.db", 2);
    case("no file", "sqlite://", 2);
    refusals.compare("database");
}

#[test]
fn a_file_tree_that_cannot_be_read() {
    let mut refusals = Refusals::new();
    let database = "[databases.main]\nurl = \"sqlite://inventory.db\"\n";
    let missing = configured(&format!("{HEAD}{database}[files.config]\npath = \"missing\"\n"));
    refusals.case(&missing, "a folder that is not there", &["backup", "-o", "new"], 2);
    let file = configured(&format!("{HEAD}{database}[files.config]\npath = \"config/inventory.conf\"\n"));
    refusals.case(&file, "a file", &["backup", "-o", "new"], 2);
    refusals.compare("file-tree");
}

#[test]
fn a_target_that_must_not_be_touched() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    shop.godwit(&["backup", "-o", "old"]).succeeded();
    shop.write("taken.tar", "something else");
    shop.write("note.partial/todo.txt", "not Godwit's");
    symlink("nowhere", shop.path("link.tar")).unwrap();
    let modules = modules().display().to_string();
    let mut refusals = Refusals::new();
    let mut case = |name: &str, arguments: &[&str], status| refusals.case(&shop, name, arguments, status);
    case("a database with tables", &["restore", "old.tar"], 3);
    case("files only, in a folder with files", &["restore", "old.tar", "--scope", "files"], 3);
    case("an archive that is there", &["backup", "-o", "old.tar"], 3);
    case("a directory that is there", &["backup", "-o", "old"], 3);
    case("a file that is there", &["backup", "-o", "taken.tar"], 3);
    case("a link that leads nowhere", &["backup", "-o", "link.tar"], 3);
    case("something of another's in the way", &["backup", "-o", "note"], 3);
    case("no folder for it", &["backup", "-o", "missing/new.tar"], 2);
    case("a name that no archive can have", &["backup", "-o", "new.partial"], 2);
    case("the archive itself", &["migrate", "old.tar", "--to", "1.1.0", "-o", "old.tar", "--modules", &modules], 3);
    case("an export that is there", &["export", "old.tar", "-o", "config"], 3);
    case("a configuration that is there", &["init", &shop.url()], 3);
    case("a scope that is nothing", &["backup", "-o", "new", "--scope", "mian"], 2);
    case("a scope that the archive does not have", &["restore", "old.tar", "--scope", "mian", "--empty"], 2);
    case("a glob that is none", &["backup", "-o", "new", "--exclude", "a["], 2);
    case("a log that cannot be opened", &["backup", "-o", "new", "--log", "missing/log"], 2);
    refusals.compare("targets");
}

#[test]
fn an_archive_for_someone_else() {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    let archive = shop.arg("old.tar");
    let mut refusals = Refusals::new();
    let database = "[databases.main]\nurl = \"sqlite://new.db\"\n";
    let mut case = |name: &str, text: &str, arguments: &[&str]| {
        let target = configured(text);
        refusals.case(&target, name, &[&["restore", &archive], arguments].concat(), 3);
    };
    case("another application", &format!("{}{database}", HEAD.replace("inventory", "warehouse")), &[]);
    case("a file tree that is not configured", &format!("{HEAD}{database}"), &[]);
    case("a database that is not configured", &format!("{HEAD}[files.config]\npath = \"new\"\n"), &["--empty"]);
    refusals.compare("someone-else");
}
