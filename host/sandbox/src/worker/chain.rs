//! Records through several modules, inside a worker.

use std::io;

use godwit_model::{CollectionId, Database, DatabaseName};

use super::protocol::{Reply, Request};
use crate::{Capabilities, Granted, Instance, LogLine, Output, SandboxError};

/// JSON lines for a collection on their way through the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Whose they are.
    pub collection: CollectionId,
    /// JSON lines.
    pub lines: Vec<u8>,
}

/// Hears of every call before it is made, and of what a module logged in it.
pub(super) trait Listener {
    fn begin(&mut self, step: usize, call: &str, place: Option<(&CollectionId, u64)>) -> Result<(), SandboxError>;
    fn log(&mut self, step: usize, lines: Vec<LogLine>) -> Result<(), SandboxError>;
    fn receive(&mut self) -> io::Result<Option<(Request, Vec<u8>)>>;
    fn reply(&mut self, reply: &Reply, body: &[u8]) -> io::Result<()>;
    fn flush(&mut self) -> io::Result<()>;
}

/// A module of the chain, started when it is first needed.
pub(super) struct Step {
    granted: Granted,
    database: DatabaseName,
    /// Until the instance takes them.
    capabilities: Capabilities,
    instance: Option<Instance>,
}

/// The modules in order, one instance each.
pub(super) struct Chain<'a> {
    steps: Vec<Step>,
    listener: &'a mut dyn Listener,
}

impl Step {
    pub(super) fn new(granted: Granted, database: DatabaseName, capabilities: Capabilities) -> Self {
        Self { granted, database, capabilities, instance: None }
    }

    fn takes(&self, collection: &CollectionId) -> bool {
        self.database == collection.database && self.granted.manifest().takes(collection.name.as_str())
    }
}

impl<'a> Chain<'a> {
    pub(super) fn new(steps: Vec<Step>, listener: &'a mut dyn Listener) -> Self {
        Self { steps, listener }
    }

    pub(super) fn listener(&mut self) -> &mut dyn Listener {
        self.listener
    }

    /// What the first module makes of a catalog.
    pub(super) fn evolve(&mut self, database: &Database) -> Result<Database, SandboxError> {
        self.call(0, "evolve", None, |instance| instance.evolve(database))
    }

    /// Takes a chunk's lines through every module.
    pub(super) fn transform(&mut self, flow: Flow, first: u64) -> Result<Vec<Flow>, SandboxError> {
        self.through(0, first, vec![flow])
    }

    /// Finishes each module, and takes what it still had through those after it.
    pub(super) fn finish(&mut self) -> Result<Vec<Flow>, SandboxError> {
        let mut all = vec![];
        for step in 0..self.steps.len() {
            let outputs = self.call(step, "finish", None, Instance::finish)?;
            let flows = outputs.into_iter().map(|output| self.steps[step].flow(output)).collect();
            all.extend(self.through(step + 1, 0, flows)?);
        }
        Ok(all)
    }

    /// Lets each module check the result.
    pub(super) fn verify(&mut self) -> Result<(), SandboxError> {
        (0..self.steps.len()).try_for_each(|step| self.call(step, "verify", None, Instance::verify))
    }

    fn through(&mut self, start: usize, first: u64, flows: Vec<Flow>) -> Result<Vec<Flow>, SandboxError> {
        let mut flows = flows;
        for step in start..self.steps.len() {
            let mut next = Vec::with_capacity(flows.len());
            for flow in flows {
                if self.steps[step].takes(&flow.collection) {
                    let Flow { collection, lines } = flow;
                    let outputs = self.call(step, "transform", Some((&collection, first)), |instance| {
                        instance.transform(&collection.name, first, lines)
                    })?;
                    next.extend(outputs.into_iter().map(|output| self.steps[step].flow(output)));
                } else {
                    next.push(flow);
                }
            }
            flows = next;
        }
        Ok(flows)
    }

    fn call<T>(
        &mut self,
        step: usize,
        name: &str,
        place: Option<(&CollectionId, u64)>,
        run: impl FnOnce(&mut Instance) -> Result<T, SandboxError>,
    ) -> Result<T, SandboxError> {
        if self.steps[step].instance.is_none() {
            self.listener.begin(step, "its start", None)?;
            let capabilities = std::mem::take(&mut self.steps[step].capabilities);
            self.steps[step].instance = Some(self.steps[step].granted.instantiate_with(capabilities)?);
        }
        self.listener.begin(step, name, place)?;
        let instance = self.steps[step].instance.as_mut().expect("it was started just above");
        let result = run(instance);
        let log = instance.take_log();
        self.listener.log(step, log)?;
        result
    }
}

impl Step {
    fn flow(&self, output: Output) -> Flow {
        let collection = CollectionId { database: self.database.clone(), name: output.collection };
        Flow { collection, lines: output.lines }
    }
}
