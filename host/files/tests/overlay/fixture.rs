//! A live tree under copy-on-write.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use godwit_files::{Base, LiveTrees, OverlayTrees, Replace, ScratchFolder, Spending, TreeLimits, TreeSpec, TreeState};
use godwit_model::{EntryKind, FileChange, FileFailure, Staged, TreeSource, TreeTarget};
use tempfile::TempDir;

use crate::common::{self, chmod, tree};

pub(crate) const MOMENT: i64 = 1_700_000_000_000_000_000;
/// When the files of the source were last modified.
pub(crate) const BEFORE: i64 = 1_000_000_000_000_000_000;

pub(crate) struct Home {
    pub(crate) folder: TempDir,
    pub(crate) base: Base,
}

impl Home {
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn state(&self) -> TreeState {
        TreeState::of(&self.base, &tree()).unwrap()
    }

    /// The private folder.
    pub(crate) fn scratch(&self) -> PathBuf {
        fs::read_dir(self.at("scratch")).unwrap().next().unwrap().unwrap().path()
    }

    /// Writes a state to a live tree and reads that.
    pub(crate) fn materialise(&self, state: &TreeState) -> common::Listed {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("data");
        write_out(&self.base, state, &root);
        common::read(&root)
    }
}

pub(crate) fn write_out(base: &Base, state: &TreeState, root: &Path) {
    let mut source = OverlayTrees::new(base.clone(), BTreeMap::from([(tree(), state.clone())]));
    let mut target = common::target(root, Replace::Never).unwrap();
    target.begin_tree(&tree()).unwrap();
    source.read_tree(&tree(), &mut |entry, content| target.write_entry(&tree(), entry, content)).unwrap();
    target.prepare().unwrap();
    target.commit().unwrap();
    target.settle().unwrap();
}

/// Base on a live tree that `make` fills.
pub(crate) fn home(make: impl FnOnce(&Path)) -> Home {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("live")).unwrap();
    fs::create_dir(folder.path().join("scratch")).unwrap();
    make(&folder.path().join("live"));
    let trees = LiveTrees::open([(tree(), TreeSpec::whole(folder.path().join("live")))].into()).unwrap();
    let scratch = ScratchFolder::open(&folder.path().join("scratch")).unwrap();
    let base = Base::new(Box::new(trees), &scratch, MOMENT);
    Home { folder, base }
}

/// `app.conf`, `dir/a`, `dir/sub/b`, `empty/`, and links that point out.
pub(crate) fn usual() -> Home {
    home(|live| {
        fs::create_dir_all(live.join("dir/sub")).unwrap();
        fs::create_dir(live.join("empty")).unwrap();
        fs::write(live.join("app.conf"), "port = 80\n").unwrap();
        fs::write(live.join("dir/a"), "aaaa").unwrap();
        fs::write(live.join("dir/sub/b"), "bb").unwrap();
        symlink("/etc", live.join("etc")).unwrap();
        symlink("dir/a", live.join("to-a")).unwrap();
        chmod(&live.join("dir/a"), 0o6755);
        for path in ["app.conf", "dir/a", "dir/sub/b", "dir", "dir/sub", "empty"] {
            let then = SystemTime::UNIX_EPOCH + Duration::from_nanos(BEFORE.unsigned_abs());
            File::open(live.join(path)).unwrap().set_modified(then).unwrap();
        }
    })
}

pub(crate) fn spending() -> Spending {
    Spending::new(TreeLimits::default())
}

pub(crate) fn write(state: &mut TreeState, path: &str, offset: u64, bytes: &[u8]) -> Result<(), FileFailure> {
    change(state, path, FileChange::Write { offset, bytes })
}

#[allow(clippy::needless_pass_by_value)] // wishes are written where they are made
pub(crate) fn change(state: &mut TreeState, path: &str, change: FileChange<'_>) -> Result<(), FileFailure> {
    state.change(path, &change, &spending())
}

/// The whole content of a file.
pub(crate) fn content(state: &TreeState, path: &str) -> Vec<u8> {
    let mut bytes = vec![];
    loop {
        let piece = state.read(path, bytes.len() as u64, u32::MAX).unwrap();
        if piece.is_empty() {
            return bytes;
        }
        bytes.extend(piece);
    }
}

/// Everything that can be seen of a state.
pub(crate) fn see(state: &TreeState) -> BTreeMap<String, String> {
    let (mut seen, mut folders) = (BTreeMap::new(), vec![String::new()]);
    while let Some(folder) = folders.pop() {
        for name in state.list(&folder).unwrap() {
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            let stat = state.stat(&path).unwrap();
            let bytes = state.read(&path, 0, 100).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            seen.insert(path.clone(), format!("{stat:?} {bytes:?}"));
            if stat.kind == godwit_model::FileKind::Directory {
                folders.push(path);
            }
        }
    }
    seen
}

pub(crate) fn is_file(kind: &EntryKind) -> bool {
    matches!(kind, EntryKind::File { .. })
}
