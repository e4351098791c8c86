//! Programs that the tests compare with: installed where that can be done, else those tests say that they skip.

use std::process::Command;

use godwit_toolchain::install_packages;

use crate::run::{Failure, say};
use crate::test::is_installed;

/// SQLite's own shell and zstd; Debian's packages have the programs' names.
const TOOLS: [&str; 2] = ["sqlite3", "zstd"];

/// Installs what is missing, saying so.
pub(crate) fn provide() -> Result<(), Failure> {
    let missing: Vec<_> = TOOLS.into_iter().filter(|tool| !is_installed(Command::new(tool).arg("--version"))).collect();
    if !missing.is_empty() && !install_packages(&missing, &mut |line| say(line))? {
        say(&format!("not installed: {}; the tests that compare with them are skipped", missing.join(", ")));
    }
    Ok(())
}
