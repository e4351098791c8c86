//! An archive that is a directory. No link inside it is ever followed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use godwit_model::Fault;
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use super::{Store, Stored};
use crate::error::{Damage, Reading, Trouble, failed};
use crate::layout;

/// See the file's top.
pub(crate) struct DirStore {
    path: PathBuf,
    root: OwnedFd,
}

impl DirStore {
    /// Opens the directory. The archive's own name may be a link: the operator chose it.
    pub(crate) fn open(path: &Path) -> Result<Self, Fault> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(path, flags, Mode::empty()).map_err(failed("open", path))?;
        Ok(Self { path: path.to_owned(), root })
    }

    fn step(&self, from: Option<&OwnedFd>, part: &str, kind: OFlags, path: &str) -> Reading<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | kind;
        openat(from.unwrap_or(&self.root), part, flags, Mode::empty()).map_err(|error| match error {
            Errno::NOENT => Damage::Missing.of(path),
            Errno::LOOP | Errno::NOTDIR | Errno::NXIO => Damage::NotPlain.of(path),
            _ => failed("open", &self.path.join(path))(error).into(),
        })
    }

    fn walk(&self, folder: &str, files: &mut BTreeMap<String, u64>, folders: &mut Vec<String>) -> Reading<()> {
        let absolute = self.path.join(folder);
        for entry in fs::read_dir(&absolute).map_err(failed("list", &absolute))? {
            let entry = entry.map_err(failed("list", &absolute))?;
            let path = inside(folder, &entry)?;
            let about = entry.metadata().map_err(failed("examine", &entry.path()))?;
            match about.file_type() {
                kind if kind.is_dir() => folders.push(path),
                kind if kind.is_file() => drop(files.insert(path, about.len())),
                _ => return Err(Damage::NotPlain.of(&path)),
            }
        }
        Ok(())
    }
}

fn inside(folder: &str, entry: &fs::DirEntry) -> Reading<String> {
    let name = entry.file_name();
    let path = Path::new(folder).join(&name);
    match path.to_str() {
        Some(path) if layout::is_inside(path) => Ok(path.to_owned()),
        _ => Err(Damage::Extra.of(&format!("{:?}", path.to_string_lossy()))),
    }
}

impl Store for DirStore {
    fn files(&self) -> Reading<BTreeMap<String, u64>> {
        let (mut files, mut folders) = (BTreeMap::new(), vec![String::new()]);
        while let Some(folder) = folders.pop() {
            self.walk(&folder, &mut files, &mut folders)?;
        }
        Ok(files)
    }

    fn open(&self, path: &str) -> Reading<Stored> {
        if !layout::is_inside(path) {
            return Err(Damage::Path(path.to_owned()).of(path));
        }
        let mut parts: Vec<_> = path.split('/').collect();
        let name = parts.pop().unwrap_or_default();
        let mut folder = None;
        for part in parts {
            folder = Some(self.step(folder.as_ref(), part, OFlags::DIRECTORY, path)?);
        }
        // NONBLOCK: a pipe in the place of a file must not make us wait.
        let file = File::from(self.step(folder.as_ref(), name, OFlags::NONBLOCK, path)?);
        let about = file.metadata().map_err(failed("examine", &self.path.join(path)))?;
        if about.is_file() {
            Ok(Stored { path: path.to_owned(), length: about.len(), file: Arc::new(file), start: 0 })
        } else {
            Err::<_, Trouble>(Damage::NotPlain.of(path))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), b"secret").unwrap();
        fs::create_dir(folder.path().join("archive")).unwrap();
        let store = DirStore::open(&folder.path().join("archive")).unwrap();
        let absolute = folder.path().join("secret").to_str().unwrap().to_owned();
        for path in ["../secret", "../archive/../secret", "", ".", absolute.as_str()] {
            let trouble = store.open(path).err().expect("nothing outside may be opened");
            assert!(matches!(trouble, Trouble::Damaged { damage: Damage::Path(_), .. }), "{path}: {trouble:?}");
        }
    }
}
