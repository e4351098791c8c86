//! A directory of JSON lines as a target.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use godwit_files::TreeBuilder;
use godwit_model::{Catalog, Chunk, CollectionId, Fault, Form, RecordTarget, Staged, TreeEntry, TreeName, TreeTarget};

use super::EXTENSION;
use crate::staging::{Staging, place};
use crate::{FormatsError, layout};

/// Writes a directory of JSON lines, as `<directory>.partial` until its commit; folders with mode
/// 0700 and files with mode 0600.
pub struct JsonLinesDirectory {
    staging: Staging,
    collections: BTreeMap<CollectionId, Written>,
    current: Option<(CollectionId, File)>,
    trees: BTreeMap<TreeName, TreeBuilder>,
}

struct Written {
    path: PathBuf,
    /// The number of the chunk due.
    next: u64,
}

impl JsonLinesDirectory {
    /// Refuses a path where [`create`](Self::create) would refuse to begin; writes nothing.
    pub fn check_path(directory: &Path) -> Result<(), Fault> {
        Ok(place(directory).map(drop)?)
    }

    /// Begins a new directory.
    ///
    /// # Errors
    /// Refused: it exists. Locked: another run is writing it. Usage: its parent does not exist.
    pub fn create(directory: &Path) -> Result<Self, Fault> {
        let staging = Staging::create(directory, layout::CATALOG)?;
        let target = Self { staging, collections: BTreeMap::new(), current: None, trees: BTreeMap::new() };
        target.write_catalog(&Catalog::default())?;
        Ok(target)
    }

    /// What the operator should know about the file trees written, though it is no error.
    pub fn warnings(&self) -> Vec<String> {
        self.trees.values().flat_map(TreeBuilder::warnings).cloned().collect()
    }

    fn write_catalog(&self, catalog: &Catalog) -> Result<(), FormatsError> {
        let path = self.staging.path().join(layout::CATALOG);
        let mut text = serde_json::to_vec_pretty(catalog)
            .map_err(|error| FormatsError::system("write", &path)(std::io::Error::from(error)))?;
        text.push(b'\n');
        let written = private().write(true).create(true).truncate(true).open(&path);
        written.and_then(|mut file| file.write_all(&text)).map_err(FormatsError::system("write", &path))
    }

    fn file(&mut self, collection: &CollectionId) -> Result<(&mut File, &Path), FormatsError> {
        let written = self.collections.get(collection).ok_or_else(|| FormatsError::Unknown(collection.clone()))?;
        if self.current.as_ref().is_none_or(|(current, _)| current != collection) {
            let file =
                private().append(true).open(&written.path).map_err(FormatsError::system("open", &written.path))?;
            self.current = Some((collection.clone(), file));
        }
        let (_, file) = self.current.as_mut().expect("it was opened just now");
        Ok((file, &written.path))
    }

    fn expect(&mut self, chunk: &Chunk) -> Result<(), FormatsError> {
        let Chunk { collection, sequence, .. } = chunk;
        let written = self.collections.get_mut(collection).ok_or_else(|| FormatsError::Unknown(collection.clone()))?;
        if *sequence != written.next {
            let (collection, sequence, expected) = (collection.clone(), *sequence, written.next);
            return Err(FormatsError::Order { collection, sequence, expected });
        }
        written.next += 1;
        Ok(())
    }
}

impl RecordTarget for JsonLinesDirectory {
    fn form(&self) -> Form {
        Form::Lines
    }

    fn begin(&mut self, catalog: &Catalog) -> Result<(), Fault> {
        self.write_catalog(catalog)?;
        for database in catalog.databases.keys() {
            if database.as_str() == layout::TREES {
                return Err(FormatsError::Reserved.into());
            }
            create_directory(&self.staging.path().join(database.as_str()))?;
        }
        for (id, collection) in catalog.collections() {
            let folder = self.staging.path().join(id.database.as_str());
            let path = folder.join(layout::file_name(&collection.name, EXTENSION));
            private().write(true).create_new(true).open(&path).map_err(FormatsError::system("create", &path))?;
            self.collections.insert(id, Written { path, next: 0 });
        }
        Ok(())
    }

    fn write(&mut self, chunk: Chunk) -> Result<(), Fault> {
        self.expect(&chunk)?;
        let Chunk { collection, body, .. } = chunk;
        let lines = body.into_lines()?;
        let (file, path) = self.file(&collection)?;
        Ok(file.write_all(&lines).map_err(FormatsError::system("write", path))?)
    }
}

impl TreeTarget for JsonLinesDirectory {
    fn begin_tree(&mut self, tree: &TreeName) -> Result<(), Fault> {
        let folder = self.staging.path().join(layout::TREES);
        if self.trees.is_empty() {
            create_directory(&folder)?;
        }
        let root = folder.join(tree.as_str());
        create_directory(&root)?;
        self.trees.insert(tree.clone(), TreeBuilder::new(&root)?);
        Ok(())
    }

    fn write_entry(&mut self, tree: &TreeName, entry: &TreeEntry, content: &mut dyn Read) -> Result<(), Fault> {
        match self.trees.get_mut(tree) {
            Some(builder) => builder.write_entry(entry, content),
            None => Err(godwit_files::FilesError::Unknown(tree.clone()).into()),
        }
    }
}

impl Staged for JsonLinesDirectory {
    fn prepare(&mut self) -> Result<(), Fault> {
        self.current = None;
        self.trees.values_mut().try_for_each(TreeBuilder::finish)?;
        Ok(self.staging.sync()?)
    }

    fn commit(&mut self) -> Result<(), Fault> {
        Ok(self.staging.commit()?)
    }

    /// There was no former state.
    fn settle(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn undo(&mut self) -> Result<(), Fault> {
        Ok(self.staging.undo()?)
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

fn create_directory(path: &Path) -> Result<(), FormatsError> {
    DirBuilder::new().mode(0o700).create(path).map_err(FormatsError::system("create", path))
}
