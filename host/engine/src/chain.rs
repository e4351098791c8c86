//! The chain: modules compiled, granted and in order, with the catalogs between them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use godwit_archive::Lineage;
use godwit_model::{Access, Catalog, CollectionId, Digest, Fault, Reads, TreeName};
use godwit_sandbox::{Desk, Flow, Logged, Prepared, Worker, Workers};
use godwit_trust::SignatureState;
use semver::Version;
use serde_json::Value;

/// One module of a chain.
#[derive(Clone)]
pub struct Step {
    /// Its place in the whole chain.
    pub number: usize,
    /// The module, ready to run.
    pub module: Prepared,
    /// Digest of its component.
    pub digest: Digest,
    /// Who signed it.
    pub signature: SignatureState,
    /// Its component, to be kept in the archive that it makes.
    pub component: Arc<[u8]>,
    /// The version of the data before it.
    pub from: Version,
    /// The parameters that it takes, with the values it gets.
    pub parameters: BTreeMap<String, Value>,
    /// What it queries, at the version that it starts from.
    pub reads: Reads,
    /// The catalog as it leaves it.
    pub after: Catalog,
}

impl Step {
    /// What an archive keeps of the step.
    pub fn lineage(&self) -> Lineage {
        let manifest = self.module.manifest();
        Lineage {
            module: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: self.digest,
            from: self.from.clone(),
            to: manifest.to.clone(),
            parameters: self.parameters.clone(),
        }
    }

    /// The collections whose records it gets.
    pub(crate) fn taken(&self) -> impl Iterator<Item = CollectionId> {
        let (manifest, database) = (self.module.manifest(), self.module.database());
        let names = manifest.rewrites.iter().chain(&manifest.drops);
        names.map(|name| CollectionId { database: database.clone(), name: name.clone() })
    }

    /// Whether it may change a file tree.
    pub(crate) fn writes(&self, tree: &TreeName) -> bool {
        self.module.manifest().files.get(tree) == Some(&Access::ReadWrite)
    }

    /// What the operator should know of a module that nobody whom they trust vouches for.
    pub(crate) fn warning(&self) -> Option<String> {
        let name = &self.module.manifest().name;
        match self.signature.trusted_key() {
            None => Some(format!("module {name} is not signed by a trusted key")),
            Some(_) => None,
        }
    }

    fn takes(&self, collection: &CollectionId) -> bool {
        *self.module.database() == collection.database && self.module.manifest().takes(collection.name.as_str())
    }

    pub(crate) fn gives(&self, collection: &CollectionId) -> bool {
        *self.module.database() == collection.database && self.module.manifest().gives(collection.name.as_str())
    }
}

/// The modules from the version the data has to the version wanted, and what they make of the catalog.
#[derive(Clone)]
pub struct Chain {
    /// In order.
    pub steps: Vec<Step>,
    /// Before the first.
    pub before: Catalog,
    /// After the last.
    pub after: Catalog,
    /// References that lead nowhere are warnings, not violations.
    pub allow_dangling: bool,
}

impl Chain {
    /// No module: the data passes as it is.
    pub fn empty(catalog: &Catalog) -> Self {
        Self { steps: vec![], before: catalog.clone(), after: catalog.clone(), allow_dangling: false }
    }

    /// Whether any module takes a collection's records, at whatever step.
    pub fn takes(&self, collection: &CollectionId) -> bool {
        self.steps.iter().any(|step| step.takes(collection))
    }

    /// Whether a collection of the result has records that a module made.
    pub fn gives(&self, collection: &CollectionId) -> bool {
        self.steps.iter().any(|step| step.gives(collection))
    }

    /// Every collection that some module drops.
    pub fn dropped(&self) -> BTreeSet<CollectionId> {
        let after: BTreeSet<_> = self.after.collections().map(|(id, _)| id).collect();
        self.before.collections().map(|(id, _)| id).filter(|id| !after.contains(id)).collect()
    }

    /// Whether one instance must see everything in order.
    pub fn ordered(&self) -> bool {
        self.steps.iter().any(|step| step.module.manifest().ordered)
    }

    /// Some of the modules before one: those that make what it is to see.
    pub(crate) fn before(&self, number: usize, steps: &[usize]) -> Self {
        let last = self.steps[..number].last();
        let after = last.map_or_else(|| self.before.clone(), |step| step.after.clone());
        let steps = steps.iter().map(|&step| self.steps[step].clone()).collect();
        Self { steps, before: self.before.clone(), after, allow_dangling: true }
    }

    /// Starts a worker, whose modules query the inputs that were staged for them; none is needed where there is no
    /// module.
    pub fn start(&self, workers: &Workers, inputs: &BTreeMap<usize, PathBuf>) -> Result<Running, Fault> {
        let module = |step: &Step| match inputs.get(&step.number) {
            Some(input) => step.module.clone().with_input(input.clone()),
            None => step.module.clone(),
        };
        let modules: Vec<_> = self.steps.iter().map(module).collect();
        let worker = if modules.is_empty() { None } else { Some(workers.spawn(&modules)?) };
        Ok(Running(worker))
    }
}

/// The chain at work, for one thread: a worker, where there is any module. What the modules ask meanwhile, a
/// desk answers.
pub struct Running(Option<Worker>);

impl Running {
    /// Takes a chunk's lines through every module of the chain.
    pub fn transform(
        &mut self,
        collection: &CollectionId,
        first: u64,
        lines: Vec<u8>,
        desk: &mut dyn Desk,
    ) -> Result<Vec<Flow>, Fault> {
        match &mut self.0 {
            Some(worker) => Ok(worker.transform(collection, first, &lines, desk)?),
            None => Ok(vec![Flow { collection: collection.clone(), lines }]),
        }
    }

    /// Finishes each module, and takes what it still had through those after it.
    pub fn finish(&mut self, desk: &mut dyn Desk) -> Result<Vec<Flow>, Fault> {
        Ok(self.0.as_mut().map_or(Ok(vec![]), |worker| worker.finish(desk))?)
    }

    /// Lets each module check the result.
    pub fn verify(&mut self, desk: &mut dyn Desk) -> Result<(), Fault> {
        Ok(self.0.as_mut().map_or(Ok(()), |worker| worker.verify(desk))?)
    }

    /// What the modules logged since the last time.
    pub fn take_log(&mut self) -> Vec<Logged> {
        self.0.as_mut().map(Worker::take_log).unwrap_or_default()
    }

    /// What the worker could not give up on this machine.
    pub fn kept(&self) -> &[String] {
        self.0.as_ref().map_or(&[], Worker::kept)
    }
}
