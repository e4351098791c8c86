//! A directory of JSON lines as a source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use godwit_files::{LiveTrees, TreeSpec};
use godwit_model::limits::METADATA_BYTES_MAX;
use godwit_model::{
    Body, Catalog, Chunk, CollectionId, Database, DatabaseName, Emit, Fault, RecordSource, TreeName, TreePath,
    TreeSource, Visit,
};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::EXTENSION;
use super::lines::Lines;
use crate::{FormatsError, layout};

const BUFFER_BYTES: usize = 256 << 10;

/// Reads a directory of JSON lines, also one that people or other programs wrote: every record is
/// checked against the catalog. No link in the directory is followed.
pub struct JsonLinesSource {
    path: PathBuf,
    catalog: Catalog,
    chunk_bytes: usize,
    trees: LiveTrees,
}

impl JsonLinesSource {
    /// Opens a directory; its records will come in chunks of about `chunk_bytes`.
    ///
    /// # Errors
    /// Damaged: no fixture directory, a catalog that does not hold together, a collection without a
    /// file or a file without a collection.
    pub fn open(directory: &Path, chunk_bytes: usize) -> Result<Self, Fault> {
        let catalog = read_catalog(directory)?;
        for (name, database) in &catalog.databases {
            check_files(&directory.join(name.as_str()), database)?;
        }
        let trees = open_trees(&directory.join(layout::TREES))?;
        Ok(Self { path: directory.to_owned(), catalog, chunk_bytes, trees })
    }

    /// What the operator should know about the file trees read so far, though it is no error.
    pub fn warnings(&self) -> Vec<String> {
        self.trees.warnings()
    }

    /// How many bytes of content the tree holds; for progress bars only.
    pub fn bytes_of(&self, tree: &TreeName) -> u64 {
        self.trees.bytes_of(tree)
    }

    fn path_of(&self, collection: &CollectionId) -> PathBuf {
        let folder = self.path.join(collection.database.as_str());
        folder.join(layout::file_name(&collection.name, EXTENSION))
    }
}

impl RecordSource for JsonLinesSource {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn read(&mut self, id: &CollectionId, emit: Emit<'_, Chunk>) -> Result<(), Fault> {
        let collection = self.catalog.collection(id).ok_or_else(|| FormatsError::Unknown(id.clone()))?;
        let path = self.path_of(id);
        let file = BufReader::with_capacity(BUFFER_BYTES, open_file(&path)?);
        let mut sequence = 0;
        Lines::new(file, &path).batches(self.chunk_bytes, |batch| {
            let records = batch.records();
            let body = Body::Lines(batch.check(collection, &path)?);
            emit(Chunk { collection: id.clone(), sequence, records, body })?;
            sequence += 1;
            Ok(())
        })
    }

    fn estimate(&self, collection: &CollectionId) -> Option<u64> {
        Some(self.path_of(collection).symlink_metadata().ok()?.len())
    }
}

impl TreeSource for JsonLinesSource {
    fn trees(&self) -> Vec<TreeName> {
        self.trees.trees()
    }

    fn read_tree(&mut self, tree: &TreeName, visit: Visit<'_>) -> Result<(), Fault> {
        self.trees.read_tree(tree, visit)
    }

    fn read_entry(&mut self, tree: &TreeName, path: &TreePath, visit: Visit<'_>) -> Result<bool, Fault> {
        self.trees.read_entry(tree, path, visit)
    }
}

fn read_catalog(directory: &Path) -> Result<Catalog, FormatsError> {
    let path = directory.join(layout::CATALOG);
    if path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        return Err(FormatsError::NoCatalog { path: directory.to_owned() });
    }
    let mut text = vec![];
    open_file(&path)?
        .take(METADATA_BYTES_MAX + 1)
        .read_to_end(&mut text)
        .map_err(FormatsError::system("read", &path))?;
    if text.len() as u64 > METADATA_BYTES_MAX {
        return Err(FormatsError::file(&path, format!("is larger than {METADATA_BYTES_MAX} bytes")));
    }
    let catalog: Catalog =
        serde_json::from_slice(&text).map_err(|source| FormatsError::CatalogSyntax { path: path.clone(), source })?;
    for (name, database) in &catalog.databases {
        check_database(name, database, &path)?;
    }
    Ok(catalog)
}

fn check_database(name: &DatabaseName, database: &Database, path: &Path) -> Result<(), FormatsError> {
    if name.as_str() == layout::TREES {
        return Err(FormatsError::Reserved);
    }
    database.check().map_err(|source| FormatsError::Catalog { path: path.to_owned(), source })
}

/// Every collection has its file, and every file of records its collection.
fn check_files(folder: &Path, database: &Database) -> Result<(), FormatsError> {
    let expected: BTreeSet<_> =
        database.collections.iter().map(|collection| layout::file_name(&collection.name, EXTENSION)).collect();
    if let Some(missing) = expected.iter().find(|name| folder.join(name).symlink_metadata().is_err()) {
        let problem = "is missing; a collection without records has an empty file";
        return Err(FormatsError::file(&folder.join(missing), problem));
    }
    for entry in list(folder)? {
        let is_records = entry.extension().is_some_and(|extension| extension == EXTENSION);
        let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if is_records && !expected.contains(name) {
            return Err(FormatsError::file(
                &entry,
                "belongs to no collection of catalog.json: describe it there, or remove it",
            ));
        }
    }
    Ok(())
}

fn open_trees(folder: &Path) -> Result<LiveTrees, Fault> {
    let mut trees = BTreeMap::new();
    for path in list(folder)? {
        let is_directory = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        match path.file_name().and_then(|name| name.to_str()).map(TreeName::new) {
            Some(Ok(name)) if is_directory => trees.insert(name, TreeSpec::whole(path)),
            _ => return Err(FormatsError::file(&path, "is not the folder of a file tree: remove it").into()),
        };
    }
    LiveTrees::open(trees)
}

/// What is in a folder that is no link; nothing where there is none.
fn list(folder: &Path) -> Result<Vec<PathBuf>, FormatsError> {
    match folder.symlink_metadata() {
        Err(_) => return Ok(vec![]),
        Ok(metadata) if !metadata.is_dir() => return Err(FormatsError::file(folder, "is not a folder")),
        Ok(_) => {}
    }
    let entries = fs::read_dir(folder).map_err(FormatsError::system("list", folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>();
    paths.map_err(FormatsError::system("list", folder))
}

/// Opens a regular file that is no link, and without waiting for one that is something else.
fn open_file(path: &Path) -> Result<File, FormatsError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(CWD, path, flags, Mode::empty()) {
        Err(Errno::LOOP) => return Err(FormatsError::file(path, "is a link, and links are not followed")),
        file => File::from(file.map_err(FormatsError::system("open", path))?),
    };
    let stat = rustix::fs::fstat(&file).map_err(FormatsError::system("examine", path))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(file),
        _ => Err(FormatsError::file(path, "is not a regular file")),
    }
}
