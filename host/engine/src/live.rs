//! A live application as one source and one target: all its databases and file trees together.

use std::collections::BTreeMap;
use std::io::Read;

use godwit_database::{Options, Replace};
use godwit_files::{LiveTrees, StagedTrees, TreeSpec};
use godwit_model::{
    Access, Catalog, Chunk, CollectionId, CollectionName, DatabaseName, Emit, Fault, Form, RecordSource, RecordTarget,
    SqlConnection, Staged, TreeEntry, TreeName, TreePath, TreeSource, TreeTarget, Visit, limits,
};

use crate::{Config, EngineError, Scope};

/// A live application, read.
pub(crate) struct LiveSource {
    databases: BTreeMap<DatabaseName, Box<dyn RecordSource>>,
    catalog: Catalog,
    trees: LiveTrees,
}

impl LiveSource {
    /// Opens what the scope names. `exclude` adds globs to every database and tree.
    pub(crate) fn open(config: &Config, scope: &Scope, exclude: &[String]) -> Result<Self, Fault> {
        scope.check(config.databases.keys(), config.files.keys())?;
        if config.databases.is_empty() && config.files.is_empty() {
            return Err(EngineError::NothingConfigured.into());
        }
        let mut databases = BTreeMap::new();
        let mut catalog = Catalog::default();
        for (name, database) in config.databases.iter().filter(|(name, _)| scope.has_database(name)) {
            let exclude = [&database.exclude[..], exclude].concat();
            let options = Options { chunk_bytes: limits::CHUNK_BYTES, exclude };
            let source = godwit_database::open_source(name, &database.url, &options)?;
            catalog.databases.extend(source.catalog().databases.clone());
            databases.insert(name.clone(), source);
        }
        Ok(Self { databases, catalog, trees: open_trees(config, scope, exclude)? })
    }

    /// What the operator should know of the reading.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.trees.warnings()
    }
}

/// Opens the file trees that the scope names. `exclude` adds globs to every tree.
pub(crate) fn open_trees(config: &Config, scope: &Scope, exclude: &[String]) -> Result<LiveTrees, Fault> {
    let specs = config.files.iter().filter(|(name, _)| scope.has_tree(name)).map(|(name, tree)| {
        let exclude = [&tree.exclude[..], exclude].concat();
        (name.clone(), TreeSpec { path: tree.path.clone(), include: tree.include.clone(), exclude })
    });
    LiveTrees::open(specs.collect())
}

impl RecordSource for LiveSource {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn read(&mut self, collection: &CollectionId, emit: Emit<'_, Chunk>) -> Result<(), Fault> {
        match self.databases.get_mut(&collection.database) {
            Some(source) => source.read(collection, emit),
            None => Ok(()),
        }
    }

    fn estimate(&self, collection: &CollectionId) -> Option<u64> {
        self.databases.get(&collection.database)?.estimate(collection)
    }
}

impl TreeSource for LiveSource {
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

/// A live application, replaced.
pub(crate) struct LiveTarget {
    databases: BTreeMap<DatabaseName, Box<dyn RecordTarget>>,
    trees: StagedTrees,
}

impl LiveTarget {
    /// Opens the databases and trees named; `empty`: what is there may be replaced.
    pub(crate) fn open(
        config: &Config,
        databases: &[DatabaseName],
        trees: &[TreeName],
        empty: bool,
    ) -> Result<Self, Fault> {
        let (replace, replace_tree) = match empty {
            true => (Replace::Always, godwit_files::Replace::Always),
            false => (Replace::Never, godwit_files::Replace::Never),
        };
        let mut targets = BTreeMap::new();
        for name in databases {
            let unplaced = || EngineError::Unplaced { what: "the database", name: name.to_string() };
            let url = &config.databases.get(name).ok_or_else(unplaced)?.url;
            targets.insert(name.clone(), godwit_database::open_target(name, url, replace)?);
        }
        let mut paths = BTreeMap::new();
        for name in trees {
            let unplaced = || EngineError::Unplaced { what: "the file tree", name: name.to_string() };
            paths.insert(name.clone(), config.files.get(name).ok_or_else(unplaced)?.path.clone());
        }
        Ok(Self { databases: targets, trees: StagedTrees::open(paths, replace_tree)? })
    }

    fn parts(&mut self) -> impl Iterator<Item = &mut dyn Staged> {
        let databases = self.databases.values_mut().map(|database| database.as_mut() as &mut dyn Staged);
        databases.chain([&mut self.trees as &mut dyn Staged])
    }
}

impl Staged for LiveTarget {
    fn prepare(&mut self) -> Result<(), Fault> {
        self.parts().try_for_each(Staged::prepare)
    }

    /// One part after another; if one cannot, those before it are undone.
    fn commit(&mut self) -> Result<(), Fault> {
        let mut committed = 0;
        let result = self.parts().try_for_each(|part| part.commit().inspect(|()| committed += 1));
        match result {
            Ok(()) => Ok(()),
            Err(error) => {
                self.parts().take(committed).try_for_each(Staged::undo)?;
                Err(error)
            }
        }
    }

    fn settle(&mut self) -> Result<(), Fault> {
        self.parts().try_for_each(Staged::settle)
    }

    fn undo(&mut self) -> Result<(), Fault> {
        self.parts().try_for_each(Staged::undo)
    }
}

impl RecordTarget for LiveTarget {
    fn form(&self) -> Form {
        Form::Lines
    }

    fn begin(&mut self, catalog: &Catalog) -> Result<(), Fault> {
        for (name, target) in &mut self.databases {
            if let Some(database) = catalog.databases.get(name) {
                target.begin(&Catalog::of(name.clone(), database.clone()))?;
            }
        }
        Ok(())
    }

    fn write(&mut self, chunk: Chunk) -> Result<(), Fault> {
        match self.databases.get_mut(&chunk.collection.database) {
            Some(target) => target.write(chunk),
            None => Ok(()),
        }
    }

    fn complete(&mut self) -> Result<(), Fault> {
        self.databases.values_mut().try_for_each(|target| target.complete())
    }

    fn session(
        &mut self,
        database: &DatabaseName,
        access: &BTreeMap<CollectionName, Access>,
    ) -> Result<Option<Box<dyn SqlConnection + '_>>, Fault> {
        self.databases.get_mut(database).map_or(Ok(None), |target| target.session(database, access))
    }
}

impl TreeTarget for LiveTarget {
    fn begin_tree(&mut self, tree: &TreeName) -> Result<(), Fault> {
        self.trees.begin_tree(tree)
    }

    fn write_entry(&mut self, tree: &TreeName, entry: &TreeEntry, content: &mut dyn Read) -> Result<(), Fault> {
        self.trees.write_entry(tree, entry, content)
    }
}
