//! The two ends of the pipeline. What is handed a source cannot write.
//!
//! These traits block: each end bridges to its own driver, so that everything between the ends is
//! plain threads and bounded channels.

use std::collections::BTreeMap;
use std::io::Read;

use crate::{
    Access, Catalog, Chunk, CollectionId, CollectionName, DatabaseName, Fault, SqlConnection, TreeName, TreePath,
};

/// Takes what a source emits; an error ends the reading and is returned by it.
pub type Emit<'a, T> = &'a mut dyn FnMut(T) -> Result<(), Fault>;

/// Takes a tree's entries, each with its content; an error ends the reading and is returned by it.
pub type Visit<'a> = &'a mut dyn FnMut(&TreeEntry, &mut dyn Read) -> Result<(), Fault>;

/// Where records come from: a database, an archive, a fixture directory.
pub trait RecordSource: Send {
    /// The shape of the data, fixed when the source was opened.
    fn catalog(&self) -> &Catalog;

    /// Emits the collection's chunks in order, `sequence` counting from 0. All collections of one
    /// source are read as of one moment.
    fn read(&mut self, collection: &CollectionId, emit: Emit<'_, Chunk>) -> Result<(), Fault>;

    /// About how many bytes of JSON lines the collection holds; for progress bars only.
    fn estimate(&self, collection: &CollectionId) -> Option<u64>;
}

/// Where file trees come from.
pub trait TreeSource: Send {
    /// The trees there are, sorted by name.
    fn trees(&self) -> Vec<TreeName>;

    /// Visits the tree's entries, a directory before what is in it, names sorted by their bytes.
    /// The reader gives a file's content and is empty for everything else.
    fn read_tree(&mut self, tree: &TreeName, visit: Visit<'_>) -> Result<(), Fault>;

    /// Visits one entry of a tree, with its content; answers whether it is there. A source that can go
    /// straight to it does better than this.
    fn read_entry(&mut self, tree: &TreeName, path: &TreePath, visit: Visit<'_>) -> Result<bool, Fault> {
        let mut found = false;
        self.read_tree(tree, &mut |entry, content| match entry.path == *path {
            true => {
                found = true;
                visit(entry, content)
            }
            false => Ok(()),
        })?;
        Ok(found)
    }
}

/// The form in which a target wants its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON lines.
    Lines,
    /// zstd frames.
    Packed,
}

/// What every target does once it has everything: built aside, then visible all at once.
///
/// The order is `prepare`, `commit`, and then `settle`, or `undo` where another part of the run could
/// not commit. A target dropped before `commit` leaves what it was to replace as it was, and
/// nothing beside it.
pub trait Staged {
    /// Finishes and checks the result and makes it durable, still beside the present state.
    fn prepare(&mut self) -> Result<(), Fault>;

    /// Makes the result visible, atomically, keeping the former state.
    fn commit(&mut self) -> Result<(), Fault>;

    /// Lets go of the former state: the whole run has committed.
    fn settle(&mut self) -> Result<(), Fault>;

    /// Brings the former state back.
    fn undo(&mut self) -> Result<(), Fault>;
}

/// Where records go.
pub trait RecordTarget: Staged + Send {
    /// The form in which `write` wants chunks.
    fn form(&self) -> Form;

    /// Lays out an empty result beside the present state. Called once, before any `write`.
    fn begin(&mut self, catalog: &Catalog) -> Result<(), Fault>;

    /// Takes the next chunk; chunks of one collection come in order.
    fn write(&mut self, chunk: Chunk) -> Result<(), Fault>;

    /// Every chunk was written: makes what stands upon the records, such as indexes and views, still
    /// beside the present state. Called once, between the last `write` and `prepare`.
    fn complete(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// The completed result as SQL, inside the run's own transaction, for a module that may touch
    /// these collections of this database and nothing else. None where the target speaks no SQL.
    fn session(
        &mut self,
        database: &DatabaseName,
        access: &BTreeMap<CollectionName, Access>,
    ) -> Result<Option<Box<dyn SqlConnection + '_>>, Fault> {
        let _ = (database, access);
        Ok(None)
    }
}

/// Where file trees go.
pub trait TreeTarget: Staged + Send {
    /// Lays out an empty tree beside the present one.
    fn begin_tree(&mut self, tree: &TreeName) -> Result<(), Fault>;

    /// Takes the next entry of a tree begun, in the order in which [`TreeSource`] gives them.
    fn write_entry(&mut self, tree: &TreeName, entry: &TreeEntry, content: &mut dyn Read) -> Result<(), Fault>;
}

/// Records and file trees together: a live application or an archive.
pub trait Source: RecordSource + TreeSource {}
impl<T: RecordSource + TreeSource> Source for T {}

/// Records and file trees together: a live application or an archive.
pub trait Target: RecordTarget + TreeTarget {}
impl<T: RecordTarget + TreeTarget> Target for T {}

/// What a tree entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file of so many bytes.
    File {
        /// Bytes of content.
        size: u64,
    },
    /// A directory, the root of the tree excepted.
    Directory,
    /// A symbolic link; the target is text only and never followed.
    Link {
        /// Where it points, escaped like a [`TreePath`].
        target: String,
    },
}

/// One file, directory or link of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// Where in the tree.
    pub path: TreePath,
    /// What it is.
    pub kind: EntryKind,
    /// Permission bits, 0o7777 at most.
    pub mode: u32,
    /// Modification time, nanoseconds since 1970-01-01T00:00:00Z.
    pub modified: i128,
}
