//! What may not be there: real data beside the project, and programs of the machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::built::root;
use crate::program::run;

/// Real data by its name in `../shared/data`; none, with a word on it, where that folder is absent.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = root().join("../shared/data").join(name);
    if path.exists() { Some(path) } else { without(&format!("../shared/data/{name}")) }
}

/// SQLite's own shell.
pub fn sqlite3() -> Option<Command> {
    let mut version = Command::new("sqlite3");
    let found = version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    match found {
        Ok(status) if status.success() => Some(Command::new("sqlite3")),
        _ => without("the program sqlite3"),
    }
}

/// Everything that is in a database, as SQLite's own shell writes it. The file is not written to.
pub fn dump(database: &Path) -> Option<String> {
    let mut shell = sqlite3()?;
    let dump = run(shell.arg("-readonly").arg(database).arg(".dump")).succeeded();
    assert!(dump.ends_with("COMMIT;\n"), "{}: {dump}", database.display());
    Some(dump)
}

/// Says that a test is left out for want of something. In CI nothing is left out.
pub fn without<T>(lacking: &str) -> Option<T> {
    let is_ci = std::env::var_os("CI").is_some_and(|value| value == "true" || value == "1");
    assert!(!is_ci, "{lacking} is not there, and CI leaves nothing out");
    eprintln!("skipped: {lacking} is not there");
    None
}
