//! Writing an archive.

mod folder;
mod lock;
mod pack;
mod records;
mod stage;
mod trees;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use godwit_model::limits::{COMPRESSION_LEVEL, METADATA_BYTES_MAX, MODULE_BYTES_MAX, RECORD_FILE_BYTES};
use godwit_model::{
    Catalog, Chunk, CollectionId, DatabaseName, Digest, EngineKind, Fault, Form, RecordTarget, Staged, TreeEntry,
    TreeName, TreeTarget,
};

use crate::error::ArchiveError;
use crate::limits::LISTING_BYTES_MAX;
use crate::{FORMAT, Header, Manifest, layout, sums};
use records::CollectionWriter;
use stage::Stage;
use trees::TreeWriter;

/// How an archive is written.
#[derive(Debug, Clone, Copy)]
pub struct WriterOptions {
    /// zstd level for chunks that come uncompressed and for files of trees.
    pub level: i32,
    /// Compressed bytes after which a collection starts a new record file.
    pub record_file_bytes: u64,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { level: COMPRESSION_LEVEL, record_file_bytes: RECORD_FILE_BYTES }
    }
}

/// Writes an archive: aside, in `<name>.partial`, until `commit` gives it its name.
///
/// A `.partial` that a dead run left behind is removed and built anew; one that a living run
/// writes is refused as locked (`<name>.partial.lock` tells which). Dropped before `commit`, the writer
/// removes what it wrote. The same calls make the same bytes: no clock is read, no user is asked for.
///
/// A name ending in `.tar` makes one file. It is packed in `prepare` from the directory built before, each file
/// of which is removed once packed, so that the disk never holds more than the archive and one of its files.
pub struct ArchiveWriter {
    stage: Stage,
    header: Header,
    options: WriterOptions,
    catalog: Catalog,
    collections: BTreeMap<CollectionId, CollectionWriter>,
    trees: BTreeMap<TreeName, TreeWriter>,
    finished: Option<(Manifest, Digest)>,
}

impl ArchiveWriter {
    /// Refuses a path where [`create`](Self::create) would refuse to make an archive; writes nothing.
    pub fn check_path(path: &Path) -> Result<(), Fault> {
        stage::check_new(path).map(drop)
    }

    /// Starts an archive that does not exist yet.
    ///
    /// # Errors
    /// [`ArchiveError::Exists`] and [`ArchiveError::InTheWay`] (refused), [`ArchiveError::Busy`] (locked), or the
    /// file system's.
    pub fn create(path: &Path, header: Header, options: WriterOptions) -> Result<Self, Fault> {
        header.check().map_err(ArchiveError::Unfit)?;
        let stage = Stage::create(path)?;
        let catalog = Catalog::default();
        let (collections, trees) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { stage, header, options, catalog, collections, trees, finished: None })
    }

    /// Stores a module that was applied; storing it again changes nothing. Every module of the
    /// header's lineage must be stored before `prepare`.
    pub fn add_module(&mut self, bytes: &[u8]) -> Result<Digest, Fault> {
        let digest = Digest::of(bytes);
        let path = layout::module(digest);
        if bytes.len() as u64 > MODULE_BYTES_MAX {
            return Err(unfit(format!("a module has {} bytes, the limit is {MODULE_BYTES_MAX}", bytes.len())));
        }
        if !self.stage.folder.sums.contains_key(&path) {
            self.stage.folder.put(&path, bytes)?;
        }
        Ok(digest)
    }

    /// What was written, once `prepare` has succeeded.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.finished.as_ref().map(|(manifest, _)| manifest)
    }

    /// The archive's id, once `prepare` has succeeded.
    pub fn id(&self) -> Option<Digest> {
        self.finished.as_ref().map(|(_, id)| *id)
    }

    /// The header, to be completed until `prepare` with what only now is known.
    pub fn header_mut(&mut self) -> &mut Header {
        &mut self.header
    }

    fn check_lineage(&self) -> Result<(), Fault> {
        let stored = |digest| self.stage.folder.sums.contains_key(&layout::module(digest));
        match self.header.lineage.iter().find(|step| !stored(step.digest)) {
            None => Ok(()),
            Some(step) => Err(unfit(format!("module {} of its lineage was not stored with it", step.module))),
        }
    }

    fn write_metadata(&mut self) -> Result<(), Fault> {
        let mut catalog = serde_json::to_vec_pretty(&self.catalog).map_err(Fault::system)?;
        catalog.push(b'\n');
        within("catalog.json", catalog.len(), METADATA_BYTES_MAX)?;
        self.stage.folder.put(layout::CATALOG, &catalog)?;
        self.stage.folder.put(layout::VERSION, self.header.version_text().as_bytes())
    }

    fn finish_collections(&mut self) -> Result<Vec<crate::CollectionTotals>, Fault> {
        let Self { stage, catalog, collections, .. } = self;
        let finish = |(id, _)| {
            let writer: &mut CollectionWriter = collections.get_mut(&id).expect("begin made one for each");
            writer.finish(&id, &mut stage.folder)
        };
        catalog.collections().map(finish).collect()
    }

    fn finish_trees(&mut self) -> Result<Vec<crate::TreeTotals>, Fault> {
        let Self { stage, trees, .. } = self;
        trees.values_mut().map(|writer| writer.finish(&mut stage.folder)).collect()
    }

    /// `SHA256SUMS`, then everything durable, then the manifest as the last file.
    fn seal(&mut self, mut manifest: Manifest) -> Result<(), Fault> {
        let listing = sums::to_text(&self.stage.folder.sums);
        within(layout::SUMS, listing.len(), LISTING_BYTES_MAX)?;
        manifest.sha256sums = Digest::of(listing.as_bytes());
        self.stage.folder.put_unlisted(layout::SUMS, listing.as_bytes())?;
        self.stage.folder.sync_folders()?;
        let sealed = manifest.seal();
        within(layout::MANIFEST, sealed.len(), METADATA_BYTES_MAX)?;
        self.stage.folder.put_unlisted(layout::MANIFEST, &sealed)?;
        self.stage.make_ready()?;
        self.finished = Some((manifest, Digest::of(&sealed)));
        Ok(())
    }

    fn sources(&self) -> BTreeMap<DatabaseName, EngineKind> {
        self.catalog.databases.iter().map(|(name, database)| (name.clone(), database.engine)).collect()
    }

    fn check_open(&self) -> Result<(), Fault> {
        match self.finished {
            None => Ok(()),
            Some(_) => Err(unfit("it is complete already".to_owned())),
        }
    }
}

impl RecordTarget for ArchiveWriter {
    fn form(&self) -> Form {
        Form::Packed
    }

    fn begin(&mut self, catalog: &Catalog) -> Result<(), Fault> {
        self.check_open()?;
        if !self.catalog.databases.is_empty() {
            return Err(unfit("it was begun twice".to_owned()));
        }
        for database in catalog.databases.values() {
            database.check().map_err(Fault::system)?;
        }
        for (id, _) in catalog.collections() {
            let writer = CollectionWriter::begin(&id, self.options, &mut self.stage.folder)?;
            self.collections.insert(id, writer);
        }
        self.catalog = catalog.clone();
        Ok(())
    }

    fn write(&mut self, chunk: Chunk) -> Result<(), Fault> {
        self.check_open()?;
        match self.collections.get_mut(&chunk.collection) {
            Some(writer) => writer.write(chunk, &mut self.stage.folder),
            None => Err(unfit(format!("its catalog has no collection {}", chunk.collection))),
        }
    }
}

impl TreeTarget for ArchiveWriter {
    fn begin_tree(&mut self, tree: &TreeName) -> Result<(), Fault> {
        self.check_open()?;
        if self.trees.contains_key(tree) {
            return Err(unfit(format!("the tree {tree} was begun twice")));
        }
        let writer = TreeWriter::begin(tree, self.options.level, &mut self.stage.folder)?;
        self.trees.insert(tree.clone(), writer);
        Ok(())
    }

    fn write_entry(&mut self, tree: &TreeName, entry: &TreeEntry, content: &mut dyn Read) -> Result<(), Fault> {
        self.check_open()?;
        match self.trees.get_mut(tree) {
            Some(writer) => writer.write(entry, content, &mut self.stage.folder),
            None => Err(unfit(format!("the tree {tree} was not begun"))),
        }
    }
}

impl Staged for ArchiveWriter {
    fn prepare(&mut self) -> Result<(), Fault> {
        self.check_open()?;
        self.header.check().map_err(ArchiveError::Unfit)?;
        self.check_lineage()?;
        let (collections, trees) = (self.finish_collections()?, self.finish_trees()?);
        self.write_metadata()?;
        let (header, sources) = (self.header.clone(), self.sources());
        self.seal(Manifest { format: FORMAT, header, sources, collections, trees, sha256sums: Digest::of(b"") })
    }

    fn commit(&mut self) -> Result<(), Fault> {
        match self.finished {
            Some(_) => self.stage.publish(),
            None => Err(unfit("it is not complete yet".to_owned())),
        }
    }

    fn settle(&mut self) -> Result<(), Fault> {
        self.stage.settle()
    }

    fn undo(&mut self) -> Result<(), Fault> {
        self.stage.withdraw()
    }
}

fn unfit(problem: String) -> Fault {
    ArchiveError::Unfit(problem).into()
}

/// Refuses to write what the reader would refuse to read.
fn within(what: &str, bytes: usize, limit: u64) -> Result<(), Fault> {
    if bytes as u64 > limit {
        Err(unfit(format!("{what} would have {bytes} bytes, the limit is {limit}")))
    } else {
        Ok(())
    }
}
