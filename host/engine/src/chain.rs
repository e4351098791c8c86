//! The chain: modules compiled, granted and in order, with the catalogs between them.

use std::collections::{BTreeMap, BTreeSet};

use godwit_archive::Lineage;
use godwit_model::{Catalog, CollectionId, Digest, Fault};
use godwit_sandbox::{Flow, Logged, Prepared, Worker, Workers};
use godwit_trust::SignatureState;
use semver::Version;
use serde_json::Value;

/// One module of a chain.
#[derive(Clone)]
pub struct Step {
    /// The module, ready to run.
    pub module: Prepared,
    /// Digest of its component.
    pub digest: Digest,
    /// Who signed it.
    pub signature: SignatureState,
    /// Its component, to be kept in the archive that it makes.
    pub component: Vec<u8>,
    /// The version of the data before it.
    pub from: Version,
    /// The parameters that it takes, with the values it gets.
    pub parameters: BTreeMap<String, Value>,
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

    fn gives(&self, collection: &CollectionId) -> bool {
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

    /// Starts a worker; none is needed where there is no module.
    pub fn start(&self, workers: &Workers) -> Result<Running, Fault> {
        let modules: Vec<_> = self.steps.iter().map(|step| step.module.clone()).collect();
        let worker = if modules.is_empty() { None } else { Some(workers.spawn(&modules)?) };
        Ok(Running(worker))
    }
}

/// The chain at work, for one thread: a worker, where there is any module.
pub struct Running(Option<Worker>);

impl Running {
    /// Takes a chunk's lines through every module of the chain.
    pub fn transform(&mut self, collection: &CollectionId, first: u64, lines: Vec<u8>) -> Result<Vec<Flow>, Fault> {
        match &mut self.0 {
            Some(worker) => Ok(worker.transform(collection, first, &lines)?),
            None => Ok(vec![Flow { collection: collection.clone(), lines }]),
        }
    }

    /// Finishes each module, and takes what it still had through those after it.
    pub fn finish(&mut self) -> Result<Vec<Flow>, Fault> {
        Ok(self.0.as_mut().map_or(Ok(vec![]), Worker::finish)?)
    }

    /// Lets each module check the result.
    pub fn verify(&mut self) -> Result<(), Fault> {
        Ok(self.0.as_mut().map_or(Ok(()), Worker::verify)?)
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
