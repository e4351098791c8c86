//! Programs that the tests compare with: installed where that can be done, else those tests say that they skip.

use std::process::Command;

use godwit_toolchain::install_packages;

use crate::run::{Failure, say};
use crate::test::is_installed;

/// SQLite's own shell, zstd and minisign, each with what makes it tell its version; Debian's packages have the
/// programs' names.
const TOOLS: [(&str, &str); 3] = [("sqlite3", "--version"), ("zstd", "--version"), ("minisign", "-v")];

/// Installs what is missing, saying so.
pub(crate) fn provide() -> Result<(), Failure> {
    let is_missing = |(tool, version): &(&str, &str)| !is_installed(Command::new(tool).arg(version));
    let missing: Vec<_> = TOOLS.into_iter().filter(is_missing).map(|(tool, _)| tool).collect();
    if !missing.is_empty() && !install_packages(&missing, &mut |line| say(line))? {
        say(&format!("not installed: {}; the tests that compare with them are skipped", missing.join(", ")));
    }
    Ok(())
}
