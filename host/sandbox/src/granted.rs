//! A compiled module with what it may use.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use godwit_model::{Database, ModuleManifest};
use wasmtime::component::{Component, Linker};

use crate::bindings::MigrationPre;
use crate::host::{Host, Parameters};
use crate::{Capabilities, Instance, Limits, LogLine, Module, Sandbox, SandboxError};

/// A compiled module, linked to its capabilities; makes instances, on any thread.
#[derive(Clone)]
pub struct Granted {
    pub(crate) pre: MigrationPre<Host>,
    pub(crate) manifest: Arc<ModuleManifest>,
    pub(crate) parameters: Arc<Parameters>,
    pub(crate) limits: Limits,
    pub(crate) stop: Arc<AtomicBool>,
}

impl Granted {
    pub(crate) fn new(
        sandbox: &Sandbox,
        module: &Module,
        parameters: &Parameters,
        limits: Limits,
    ) -> Result<Self, SandboxError> {
        let parameters = parameters.for_module(&module.manifest)?;
        let component = Component::new(&sandbox.engine, &module.bytes)
            .map_err(|error| SandboxError::unusable(&module.manifest.name, &error))?;
        Self::link(&component, module.manifest.clone(), parameters, limits, Arc::clone(&sandbox.stop))
    }

    /// Binds compiled code to its capabilities.
    pub(crate) fn link(
        component: &Component,
        manifest: ModuleManifest,
        parameters: Parameters,
        limits: Limits,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, SandboxError> {
        let unusable = |error: wasmtime::Error| SandboxError::unusable(&manifest.name, &error);
        let mut linker = Linker::new(component.engine());
        Host::add_to_linker(&mut linker).map_err(unusable)?;
        let pre = linker.instantiate_pre(component).and_then(MigrationPre::new).map_err(unusable)?;
        Ok(Self { pre, manifest: Arc::new(manifest), parameters: Arc::new(parameters), limits, stop })
    }

    /// What the module says of itself.
    pub fn manifest(&self) -> &ModuleManifest {
        &self.manifest
    }

    /// Starts an instance that reaches nothing but its records, its parameters and its log.
    pub fn instantiate(&self) -> Result<Instance, SandboxError> {
        self.instantiate_with(Capabilities::default())
    }

    /// Starts an instance with what else it may reach.
    pub fn instantiate_with(&self, capabilities: Capabilities) -> Result<Instance, SandboxError> {
        Instance::start(self, capabilities)
    }

    /// The catalog as the module leaves it, held to what its manifest declares.
    pub fn evolve(&self, database: &Database) -> Result<Database, SandboxError> {
        self.evolve_with_log(database, &mut vec![])
    }

    /// The same; `log` gets what the module logged meanwhile, where it fails as well.
    pub fn evolve_with_log(&self, database: &Database, log: &mut Vec<LogLine>) -> Result<Database, SandboxError> {
        let mut instance = self.instantiate()?;
        let evolved = instance.evolve(database);
        log.extend(instance.take_log());
        evolved
    }
}
