//! The chain: modules compiled, granted and in order, with the catalogs between them.

use std::collections::{BTreeMap, BTreeSet};

use godwit_archive::Lineage;
use godwit_model::{Catalog, CollectionId, DatabaseName, Digest, Fault};
use godwit_sandbox::{Granted, Instance, LogLine, Output};
use semver::Version;
use serde_json::Value;

/// One module of a chain.
#[derive(Clone)]
pub struct Step {
    /// The module, ready to run.
    pub granted: Granted,
    /// Digest of its component.
    pub digest: Digest,
    /// Its component, to be kept in the archive that it makes.
    pub component: Vec<u8>,
    /// The database it works on.
    pub database: DatabaseName,
    /// The version of the data before it.
    pub from: Version,
    /// The parameters that it takes, with the values it gets.
    pub parameters: BTreeMap<String, Value>,
}

impl Step {
    /// What an archive keeps of the step.
    pub fn lineage(&self) -> Lineage {
        let manifest = self.granted.manifest();
        Lineage {
            module: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: self.digest,
            from: self.from.clone(),
            to: manifest.to.clone(),
            parameters: self.parameters.clone(),
        }
    }

    fn takes(&self, collection: &CollectionId) -> bool {
        self.database == collection.database && self.granted.manifest().takes(collection.name.as_str())
    }

    fn gives(&self, collection: &CollectionId) -> bool {
        self.database == collection.database && self.granted.manifest().gives(collection.name.as_str())
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
        self.steps.iter().any(|step| step.granted.manifest().ordered)
    }

    /// Starts one instance of each module.
    pub fn start(&self) -> Result<Running<'_>, Fault> {
        let instances: Result<Vec<_>, _> = self.steps.iter().map(|step| step.granted.instantiate()).collect();
        Ok(Running { chain: self, instances: instances? })
    }
}

/// A line that a module logged.
pub struct Logged {
    /// Which step of the chain.
    pub step: usize,
    /// The line.
    pub line: LogLine,
}

/// JSON lines for a collection on their way through the chain.
pub struct Flow {
    /// Whose they are.
    pub collection: CollectionId,
    /// JSON lines.
    pub lines: Vec<u8>,
}

/// One set of instances, for one thread.
pub struct Running<'a> {
    chain: &'a Chain,
    instances: Vec<Instance>,
}

impl Running<'_> {
    /// Takes a chunk's lines through every module of the chain.
    pub fn transform(&mut self, collection: &CollectionId, first: u64, lines: Vec<u8>) -> Result<Vec<Flow>, Fault> {
        self.through(0, first, vec![Flow { collection: collection.clone(), lines }])
    }

    /// Finishes each module, and takes what it still had through those after it.
    pub fn finish(&mut self) -> Result<Vec<Flow>, Fault> {
        let mut all = vec![];
        for step in 0..self.instances.len() {
            let database = self.chain.steps[step].database.clone();
            for output in self.instances[step].finish()? {
                let flow = flow_of(&database, output);
                all.extend(self.through(step + 1, 0, vec![flow])?);
            }
        }
        Ok(all)
    }

    /// Lets each module check the result.
    pub fn verify(&mut self) -> Result<(), Fault> {
        self.instances.iter_mut().try_for_each(|instance| Ok(instance.verify()?))
    }

    /// What the modules logged since the last time.
    pub fn take_log(&mut self) -> Vec<Logged> {
        let of_step = |(step, instance): (usize, &mut Instance)| {
            instance.take_log().into_iter().map(move |line| Logged { step, line })
        };
        self.instances.iter_mut().enumerate().flat_map(of_step).collect()
    }

    fn through(&mut self, start: usize, first: u64, flows: Vec<Flow>) -> Result<Vec<Flow>, Fault> {
        let mut flows = flows;
        for (step, instance) in self.chain.steps.iter().zip(&mut self.instances).skip(start) {
            let mut next = Vec::with_capacity(flows.len());
            for flow in flows {
                if step.takes(&flow.collection) {
                    let outputs = instance.transform(&flow.collection.name, first, flow.lines)?;
                    next.extend(outputs.into_iter().map(|output| flow_of(&step.database, output)));
                } else {
                    next.push(flow);
                }
            }
            flows = next;
        }
        Ok(flows)
    }
}

fn flow_of(database: &DatabaseName, output: Output) -> Flow {
    Flow { collection: CollectionId { database: database.clone(), name: output.collection }, lines: output.lines }
}
