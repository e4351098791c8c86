//! Reading an archive.

mod content;
mod lookup;
mod records;
mod trees;
mod verify;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use godwit_model::limits::{METADATA_BYTES_MAX, MODULE_BYTES_MAX};
use godwit_model::{Catalog, CollectionId, DatabaseName, Digest, EngineKind, Fault};

use crate::error::{ArchiveError, Damage, Reading, Trouble};
use crate::found::{self, Found};
use crate::limits::LISTING_BYTES_MAX;
use crate::manifest::Unusable;
use crate::store::{DirStore, Store, TarStore};
use crate::sums::{self, Sums};
use crate::{CollectionTotals, Manifest, TreeTotals, layout};

pub use verify::{Depth, Progress, Verified};

/// An archive, open for reading.
///
/// Opening checks the manifest, the list of digests, the catalog and the version. Everything else is checked when it
/// is read; [`Archive::verify`] checks all of it.
pub struct Archive {
    path: PathBuf,
    store: Box<dyn Store>,
    contents: Contents,
    /// The tree last asked for single entries.
    lookup: Option<lookup::Lookup>,
}

/// What opening reads.
struct Contents {
    manifest: Manifest,
    id: Digest,
    sums: Sums,
    catalog: Catalog,
}

impl Archive {
    /// Opens a directory or a tar file.
    ///
    /// # Errors
    /// [`ArchiveError::Nothing`] (usage), [`ArchiveError::Newer`] (refused), [`ArchiveError::Unfinished`],
    /// [`ArchiveError::NoArchive`] and [`ArchiveError::Damaged`] (damaged), or the file system's.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Fault> {
        let path = path.as_ref().to_owned();
        let found = found::look(&path)?;
        if found != Found::Archive {
            return Err(found::complain(&path, found).into());
        }
        let store = open_store(&path).map_err(|trouble| trouble.at(&path))?;
        match Contents::read(store.as_ref()) {
            Ok(contents) => Ok(Self { path, store, contents, lookup: None }),
            Err(Trouble::Damaged { file, damage: Damage::Missing }) if file == layout::MANIFEST => {
                Err(ArchiveError::Unfinished(path).into())
            }
            Err(trouble) => Err(trouble.at(&path)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.contents.manifest
    }

    /// The shape of its data.
    pub fn catalog(&self) -> &Catalog {
        &self.contents.catalog
    }

    /// The digest of its manifest.
    pub fn id(&self) -> Digest {
        self.contents.id
    }

    /// The modules that it carries, sorted by digest.
    pub fn modules(&self) -> Vec<Digest> {
        self.contents.sums.keys().filter_map(|path| layout::module_digest(path)).collect()
    }

    /// One of these modules.
    pub fn module(&self, digest: Digest) -> Result<Vec<u8>, Fault> {
        let path = layout::module(digest);
        if !self.contents.sums.contains_key(&path) {
            return Err(self.no_such_part(format!("module {digest}")));
        }
        let bytes = self.read_listed(&path, MODULE_BYTES_MAX).and_then(|bytes| check_digest(&path, bytes, digest));
        self.explain(bytes)
    }

    fn read_listed(&self, path: &str, limit: u64) -> Reading<Vec<u8>> {
        read_listed(self.store.as_ref(), &self.contents.sums, path, limit)
    }

    fn explain<T>(&self, result: Reading<T>) -> Result<T, Fault> {
        result.map_err(|trouble| trouble.at(&self.path))
    }

    fn no_such_part(&self, what: String) -> Fault {
        ArchiveError::NoSuchPart { archive: self.path.clone(), what }.into()
    }

    fn collection_totals(&self, id: &CollectionId) -> Result<&CollectionTotals, Fault> {
        let mut all = self.manifest().collections.iter();
        all.find(|totals| totals.id == *id).ok_or_else(|| self.no_such_part(format!("collection {id}")))
    }

    fn tree_totals(&self, name: &godwit_model::TreeName) -> Result<&TreeTotals, Fault> {
        let mut all = self.manifest().trees.iter();
        all.find(|totals| totals.name == *name).ok_or_else(|| self.no_such_part(format!("file tree {name}")))
    }
}

fn open_store(path: &Path) -> Reading<Box<dyn Store>> {
    Ok(if path.is_dir() { Box::new(DirStore::open(path)?) } else { Box::new(TarStore::open(path)?) })
}

impl Contents {
    /// The manifest vouches for `SHA256SUMS`, and that for everything else.
    fn read(store: &dyn Store) -> Reading<Self> {
        let sealed = store.open(layout::MANIFEST)?.read_whole(METADATA_BYTES_MAX)?;
        let manifest = Manifest::unseal(&sealed).map_err(|unusable| match unusable {
            Unusable::Newer(format) => Trouble::Newer(format),
            Unusable::Damaged(damage) => damage.of(layout::MANIFEST),
        })?;
        let listing = store.open(layout::SUMS)?.read_whole(LISTING_BYTES_MAX)?;
        let listing = check_digest(layout::SUMS, listing, manifest.sha256sums)?;
        let sums = sums::parse(&listing).map_err(|damage| damage.of(layout::SUMS))?;
        let catalog = read_catalog(store, &sums)?;
        check_version(store, &sums, &manifest)?;
        check_agreement(&manifest, &catalog).map_err(|damage| damage.of(layout::MANIFEST))?;
        Ok(Self { id: Digest::of(&sealed), manifest, sums, catalog })
    }
}

fn read_catalog(store: &dyn Store, sums: &Sums) -> Reading<Catalog> {
    let bytes = read_listed(store, sums, layout::CATALOG, METADATA_BYTES_MAX)?;
    let malformed = |why: String| Damage::Malformed(why).of(layout::CATALOG);
    let catalog: Catalog = serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
    for database in catalog.databases.values() {
        database.check().map_err(|error| malformed(error.to_string()))?;
    }
    Ok(catalog)
}

fn check_version(store: &dyn Store, sums: &Sums, manifest: &Manifest) -> Reading<()> {
    let text = manifest.header.version_text();
    if read_listed(store, sums, layout::VERSION, METADATA_BYTES_MAX)? == text.as_bytes() {
        Ok(())
    } else {
        let why = format!("manifest.json says {}", text.trim_end());
        Err(Damage::Contradiction(why).of(layout::VERSION))
    }
}

/// The manifest lists the catalog's collections in their order, its engines, and trees sorted by name.
fn check_agreement(manifest: &Manifest, catalog: &Catalog) -> Result<(), Damage> {
    let engines: BTreeMap<&DatabaseName, EngineKind> =
        catalog.databases.iter().map(|(name, database)| (name, database.engine)).collect();
    let contradiction = |what: &str| Err(Damage::Contradiction(what.to_owned()));
    match () {
        () if !catalog
            .collections()
            .map(|(id, _)| id)
            .eq(manifest.collections.iter().map(|totals| totals.id.clone())) =>
        {
            contradiction("its collections are not those of catalog.json")
        }
        () if !manifest.sources.iter().map(|(name, engine)| (name, *engine)).eq(engines) => {
            contradiction("its sources are not the databases of catalog.json")
        }
        () if !manifest.trees.is_sorted_by(|a, b| a.name < b.name) => {
            contradiction("its file trees are not sorted by name")
        }
        () => Ok(()),
    }
}

/// A file that `SHA256SUMS` lists, checked.
fn read_listed(store: &dyn Store, sums: &Sums, path: &str, limit: u64) -> Reading<Vec<u8>> {
    let recorded = *sums.get(path).ok_or_else(|| unlisted(path))?;
    check_digest(path, store.open(path)?.read_whole(limit)?, recorded)
}

fn unlisted(path: &str) -> Trouble {
    Damage::Contradiction(format!("{} does not list it", layout::SUMS)).of(path)
}

fn check_digest(path: &str, bytes: Vec<u8>, recorded: Digest) -> Reading<Vec<u8>> {
    same_digest(path, Digest::of(&bytes), recorded).map(|()| bytes)
}

fn same_digest(path: &str, found: Digest, recorded: Digest) -> Reading<()> {
    if found == recorded { Ok(()) } else { Err(Damage::Digest { recorded, found }.of(path)) }
}
