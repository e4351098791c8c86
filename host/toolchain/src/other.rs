//! Modules in other languages: a folder with a script that calls the language's own tools.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::environment::{clean, not_started};
use crate::{ToolchainError, pack, write_component};

/// The script in a module's folder. It is given the file to make: a core file or a component.
const SCRIPT: &str = "build.sh";

/// The status with which a script says that its tools are not there; what to install is on its
/// standard error stream. `EX_UNAVAILABLE` of `sysexits.h`.
const UNAVAILABLE: i32 = 69;

/// A folder in which a module's source is, in a language that has a script of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherModule {
    dir: PathBuf,
}

/// What came of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packed {
    /// The module, in a folder of its own: each of them leads on from the same version as another.
    Module {
        /// Its file.
        path: PathBuf,
        /// Whether the file was written, and did not hold these bytes already.
        written: bool,
    },
    /// The tools are not there, and this is what to install.
    Lacking(String),
}

impl OtherModule {
    /// All in a folder, sorted by their names.
    pub fn all(parent: &Path) -> Result<Vec<Self>, ToolchainError> {
        let list = || fs::read_dir(parent)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
        let mut dirs = list().map_err(file("list", parent))?;
        dirs.retain(|dir| dir.join(SCRIPT).is_file());
        dirs.sort();
        Ok(dirs.into_iter().map(|dir| Self { dir }).collect())
    }

    /// The name of its folder.
    pub fn name(&self) -> String {
        self.dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Builds it into `<target>/modules-other/NAME/NAME.wasm`. Installs nothing.
    ///
    /// What the script makes is kept, and made anew once a file of the source is newer: the tools of some
    /// languages make other bytes each time.
    pub fn build(&self, target_dir: &Path) -> Result<Packed, ToolchainError> {
        let name = self.name();
        let folder = target_dir.join("modules-other").join(&name);
        let made = folder.join(name.clone() + ".made");
        if !self.is_fresh(&made)?
            && let Some(lacking) = self.run(&made)?
        {
            return Ok(Packed::Lacking(lacking));
        }
        let path = folder.join(name + ".wasm");
        let written = write_component(&path, &self.pack(&made)?)?;
        Ok(Packed::Module { path, written })
    }

    fn pack(&self, made: &Path) -> Result<Vec<u8>, ToolchainError> {
        let read = |path: &Path| fs::read(path).map_err(file("read", path));
        pack(&read(made)?, &read(&self.dir.join("module.json"))?)
            .map_err(|source| ToolchainError::Component { core: made.to_owned(), source })
    }

    fn is_fresh(&self, made: &Path) -> Result<bool, ToolchainError> {
        let Ok(made) = fs::metadata(made).and_then(|about| about.modified()) else { return Ok(false) };
        let newest = || -> io::Result<SystemTime> {
            let about = fs::read_dir(&self.dir)?.map(|entry| entry?.metadata()).collect::<io::Result<Vec<_>>>()?;
            let times = about.iter().filter(|about| about.is_file()).map(fs::Metadata::modified);
            Ok(times.collect::<io::Result<Vec<_>>>()?.into_iter().max().unwrap_or(SystemTime::UNIX_EPOCH))
        };
        Ok(newest().map_err(file("list", &self.dir))? <= made)
    }

    /// What is lacking, if anything is. The file is put in place once it is whole.
    fn run(&self, made: &Path) -> Result<Option<String>, ToolchainError> {
        let made = std::path::absolute(made).map_err(file("find", made))?;
        let partial = made.with_extension(format!("{}.partial", std::process::id()));
        let folder = made.parent().unwrap_or(&made);
        fs::create_dir_all(folder).map_err(file("make", folder))?;
        let mut script = clean("sh");
        script.arg(SCRIPT).arg(&partial).current_dir(&self.dir);
        let output = script.output().map_err(|source| not_started(&script, source))?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        match output.status.code() {
            Some(0) => fs::rename(&partial, &made).map(|()| None).map_err(file("write", &made)),
            Some(UNAVAILABLE) => Ok(Some(said)),
            _ => Err(ToolchainError::Script { dir: self.dir.clone(), said }),
        }
    }
}

fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ToolchainError {
    let path = path.to_owned();
    move |source| ToolchainError::File { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module whose script is this.
    fn module(script: &str) -> (tempfile::TempDir, OtherModule) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("modules/acme")).unwrap();
        fs::write(dir.path().join("modules/acme/build.sh"), script).unwrap();
        fs::write(dir.path().join("modules/acme/module.json"), "{}").unwrap();
        let found = OtherModule::all(&dir.path().join("modules")).unwrap();
        assert_eq!(found.len(), 1);
        (dir, found.into_iter().next().unwrap())
    }

    #[test]
    fn tools_that_are_not_there_are_told() {
        let (dir, module) = module("echo 'install the compiler of acme' >&2; exit 69");
        let packed = module.build(dir.path()).unwrap();
        assert_eq!(packed, Packed::Lacking("install the compiler of acme".to_owned()));
        assert_eq!(module.name(), "acme");
    }

    #[test]
    fn a_script_that_fails_is_an_error_with_what_it_said() {
        let (dir, module) = module("echo 'syntax error' >&2; exit 1");
        let error = module.build(dir.path()).unwrap_err().to_string();
        assert!(error.contains("acme") && error.contains("syntax error"), "{error}");
    }

    #[test]
    fn what_is_fresh_is_not_built_again() {
        let (dir, module) = module("echo run >> ../../runs; printf '\\0asm\\001\\0\\0\\0' > \"$1\"");
        for _ in 0..2 {
            let error = module.build(dir.path()).unwrap_err();
            assert!(matches!(error, ToolchainError::Component { .. }), "an empty file has no exports: {error}");
        }
        assert_eq!(fs::read_to_string(dir.path().join("runs")).unwrap(), "run\n");
    }

    #[test]
    fn nothing_partial_is_taken_for_what_was_made() {
        let (dir, module) = module("printf '\\0asm' > \"$1\"; exit 1");
        module.build(dir.path()).unwrap_err();
        assert!(!dir.path().join("modules-other/acme/acme.made").exists());
    }
}
