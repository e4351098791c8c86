//! What a module may do to a tree.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use godwit_model::limits::TREE_PATH_BYTES_MAX;
use godwit_model::{FileChange, FileFailure};

use super::path::{parts, split};
use super::spending::Spending;
use super::state::{TreeState, reach};
use super::tree::{Body, Content, Directory, FileBody, Node};
use crate::limits;
use crate::scratch::ScratchFile;

const FILE_MODE: u32 = 0o644;
const DIRECTORY_MODE: u32 = 0o755;
/// What a module may set. The other bits lend rights, or take them.
const MODE_MAX: u32 = 0o777;
const SET_ID: u32 = 0o6000;

type Answer<T = ()> = Result<T, FileFailure>;

impl TreeState {
    /// Changes the tree, or leaves it as it is and says why not.
    ///
    /// What is written or made gets the time of the run, and so does a directory that gets or loses a
    /// name; new files have mode 0644, new directories 0755. A mode with set-user, set-group or
    /// sticky bits is over the limit; a file that has the first two loses them when it is written, as on
    /// any file system. The root has no entry and cannot be changed ([`FileFailure::InvalidPath`]), only
    /// what is in it.
    pub fn change(&mut self, path: &str, change: &FileChange<'_>, spending: &Spending) -> Answer {
        let parts = parts(path)?;
        match *change {
            FileChange::Write { offset, bytes } => self.write(&parts, offset, bytes, spending),
            FileChange::Truncate(size) => self.truncate(&parts, size, spending),
            FileChange::SetMode(mode) => self.set_mode(&parts, mode),
            FileChange::MakeDirectory => self.make_directory(&parts, spending),
            FileChange::Rename(to) => self.rename(&parts, to),
            FileChange::Remove => self.remove(&parts),
        }?;
        self.changed = true;
        Ok(())
    }

    fn write(&mut self, parts: &[&str], offset: u64, bytes: &[u8], spending: &Spending) -> Answer {
        let before = self.root.find(parts)?.map_or(Ok(0), |node| node.file().map(|file| file.size))?;
        let length = bytes.len() as u64;
        let end = offset.checked_add(length).ok_or(FileFailure::Limit)?;
        let (size, gap) = match length {
            0 => (before, 0),
            _ => (before.max(end), offset.saturating_sub(before)),
        };
        let edit = Edit { keep: before, size, adds: gap.saturating_add(length) };
        self.edit(parts, &edit, spending, |file| file.write_all_at(bytes, offset))
    }

    fn truncate(&mut self, parts: &[&str], size: u64, spending: &Spending) -> Answer {
        let before = self.root.get(parts)?.file()?.size;
        let keep = before.min(size);
        let edit = Edit { keep, size, adds: size - keep };
        self.edit(parts, &edit, spending, |file| file.set_len(size))
    }

    /// Content that another state holds, or the source, is copied first.
    fn edit(
        &mut self,
        parts: &[&str],
        edit: &Edit,
        spending: &Spending,
        act: impl FnOnce(&File) -> io::Result<()>,
    ) -> Answer {
        let own = match self.root.find(parts)? {
            Some(_) => own_content(Directory::get_mut(&mut self.root, parts)?),
            None => None,
        };
        let copied = if own.is_some() { 0 } else { edit.keep };
        spending.take(u64::from(own.is_none()), copied.saturating_add(edit.adds))?;
        let own = own.map_or_else(|| self.copy(parts, edit.keep), Ok)?;
        let file = self.base.or_trouble(own.open())?;
        self.base.or_trouble(act(&file).map_err(own.failed("write")))?;
        self.put_content(parts, edit.size, own)
    }

    /// The beginning of a file's content in a new file of ours; of one that is not there yet, nothing.
    fn copy(&self, parts: &[&str], keep: u64) -> Answer<Arc<ScratchFile>> {
        let own = self.base.new_file()?;
        if let Some(node) = self.root.find(parts)?
            && keep > 0
        {
            let from = self.open(node)?;
            let mut to = self.base.or_trouble(own.open())?;
            let copied = io::copy(&mut from.take(keep), &mut to).and_then(|length| match length == keep {
                true => Ok(()),
                false => Err(io::ErrorKind::UnexpectedEof.into()),
            });
            self.base.or_trouble(copied.map_err(own.failed("write")))?;
        }
        Ok(Arc::new(own))
    }

    fn put_content(&mut self, parts: &[&str], size: u64, own: Arc<ScratchFile>) -> Answer {
        let modified = self.base.moment().into();
        let body = Body::File(FileBody { size, content: Content::Own(own) });
        if self.root.find(parts)?.is_some() {
            let node = Directory::get_mut(&mut self.root, parts)?;
            *node = Node { body, mode: node.mode & !SET_ID, modified };
            return Ok(());
        }
        self.insert(parts, Node { body, mode: FILE_MODE, modified })
    }

    fn set_mode(&mut self, parts: &[&str], mode: u32) -> Answer {
        match &self.root.get(parts)?.body {
            Body::Link(_) => Err(FileFailure::NotAFile),
            Body::File(_) | Body::Directory(_) if mode > MODE_MAX => Err(FileFailure::Limit),
            Body::File(_) | Body::Directory(_) => {
                Directory::get_mut(&mut self.root, parts)?.mode = mode;
                Ok(())
            }
        }
    }

    fn make_directory(&mut self, parts: &[&str], spending: &Spending) -> Answer {
        if self.root.find(parts)?.is_some() {
            return Err(FileFailure::AlreadyExists);
        }
        spending.take(1, 0)?;
        let (mode, modified) = (DIRECTORY_MODE, self.base.moment().into());
        self.insert(parts, Node { body: Body::Directory(Arc::default()), mode, modified })
    }

    fn rename(&mut self, from: &[&str], to: &str) -> Answer {
        let to = parts(to)?;
        let node = self.root.get(from)?;
        if to.len() > from.len() && to.starts_with(from) {
            return Err(FileFailure::InvalidPath);
        }
        if self.root.find(&to)?.is_some() {
            return Err(FileFailure::AlreadyExists);
        }
        check_reach(node, from, &to)?;
        let node = self.take(from)?;
        self.insert(&to, node)
    }

    fn remove(&mut self, parts: &[&str]) -> Answer {
        match &self.root.get(parts)?.body {
            Body::Directory(directory) if !directory.entries.is_empty() => Err(FileFailure::NotEmpty),
            _ => self.take(parts).map(drop),
        }
    }

    fn insert(&mut self, parts: &[&str], node: Node) -> Answer {
        let (parents, name) = split(parts)?;
        Directory::names_mut(&mut self.root, parents, self.base.moment().into())?.insert(name.into(), node);
        Ok(())
    }

    fn take(&mut self, parts: &[&str]) -> Answer<Node> {
        let (parents, name) = split(parts)?;
        let names = Directory::names_mut(&mut self.root, parents, self.base.moment().into())?;
        names.remove(name).ok_or(FileFailure::NotFound)
    }
}

/// What becomes of a file's content.
struct Edit {
    /// Bytes of the former content that stay.
    keep: u64,
    /// Bytes afterwards.
    size: u64,
    /// Bytes that the module is charged for beyond what must be copied.
    adds: u64,
}

/// The content, where it is ours and no other state has it.
fn own_content(node: &Node) -> Option<Arc<ScratchFile>> {
    match &node.body {
        // Its directories were made ours just now: then only other states' own nodes can share it.
        Body::File(FileBody { content: Content::Own(own), .. }) if Arc::strong_count(own) == 1 => Some(own.clone()),
        _ => None,
    }
}

/// Whether all that is in a directory still has a path that can be, under its new one.
fn check_reach(node: &Node, from: &[&str], to: &[&str]) -> Answer {
    let length = |parts: &[&str]| parts.iter().map(|part| part.len() + 1).sum::<usize>() - 1;
    if length(to) <= length(from) && to.len() <= from.len() {
        return Ok(());
    }
    let (bytes, depth) = reach(node);
    if length(to) + bytes > TREE_PATH_BYTES_MAX || to.len() + depth > limits::DEPTH_MAX {
        return Err(FileFailure::InvalidPath);
    }
    Ok(())
}
