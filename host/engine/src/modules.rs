//! Finding modules on disk and making a chain of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use godwit_database::prove_change;
use godwit_model::{Catalog, Database, DatabaseName, Fault, Reads, limits, resolve_chain};
use godwit_sandbox::{Logged, Module, Parameters, Workers, tame};
use godwit_trust::SignatureState;
use semver::Version;

use crate::EngineError;
use crate::chain::{Chain, Step};
use crate::commands::{Context, ModuleOptions};
use crate::grants;
use crate::observer::Event;

/// What a chain is wanted for.
pub(crate) struct Wanted<'a> {
    pub(crate) application: &'a str,
    pub(crate) from: &'a Version,
    pub(crate) to: &'a Version,
    /// When the data was taken, for `run.timestamp`.
    pub(crate) created: &'a str,
    /// For `run.seed`.
    pub(crate) seed: &'a str,
}

/// A module and the file that it is in.
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) module: Module,
}

/// Finds the one chain, holds it to what was approved, compiles its modules and asks each what it makes of the catalog.
pub(crate) fn chain(
    context: &Context<'_>,
    options: &ModuleOptions,
    wanted: &Wanted<'_>,
    catalog: &Catalog,
) -> Result<Chain, Fault> {
    let modules = read_directories(&options.directories)?;
    let manifests: Vec<_> = modules.iter().map(|found| found.module.manifest.clone()).collect();
    let order = resolve_chain(wanted.application, &manifests, wanted.from, wanted.to, options.across_major)
        .map_err(EngineError::Chain)?;
    let signatures = grants::admit(&options.grants, order.iter().map(|&index| &modules[index]))?;
    let parameters = Parameters::of_run(wanted.created, wanted.seed).with(&options.parameters);
    let mut chain = Chain { allow_dangling: options.allow_dangling, ..Chain::empty(catalog) };
    let mut at = wanted.from.clone();
    for (index, signature) in order.into_iter().zip(signatures) {
        let module = &modules[index].module;
        let mut step = step(context.workers, options, (module, signature), &parameters, &at, &chain)?;
        step.warning().iter().for_each(|warning| context.observer.event(Event::Warning(warning)));
        let database = chain
            .after
            .databases
            .get_mut(step.module.database())
            .ok_or_else(|| missing(module, step.module.database()))?;
        *database = evolve(context, &step, database)?;
        step.module.manifest().check_target(database).map_err(EngineError::Reads)?;
        step.after = chain.after.clone();
        at = manifests[index].to.clone();
        chain.steps.push(step);
    }
    check_parameters(options, &chain)?;
    prove(&chain)?;
    Ok(chain)
}

fn check_parameters(options: &ModuleOptions, chain: &Chain) -> Result<(), EngineError> {
    let known: BTreeSet<_> = chain.steps.iter().flat_map(|step| step.parameters.keys().cloned()).collect();
    match options.asked.iter().find(|name| !known.contains(*name)) {
        None => Ok(()),
        Some(name) => Err(EngineError::UnknownParameter { name: name.clone(), known: known.into_iter().collect() }),
    }
}

fn evolve(context: &Context<'_>, step: &Step, database: &Database) -> Result<Database, Fault> {
    let mut log = vec![];
    let evolved = context.workers.evolve(&step.module, database, &mut log);
    let module = step.module.manifest().name.as_str();
    for Logged { line, .. } in &log {
        context.observer.event(Event::Log { module, level: line.level, message: &line.message });
    }
    Ok(evolved?)
}

fn step(
    workers: &Workers,
    options: &ModuleOptions,
    (module, signature): (&Module, SignatureState),
    parameters: &Parameters,
    from: &Version,
    chain: &Chain,
) -> Result<Step, Fault> {
    let own = parameters.for_module(&module.manifest)?;
    let name = database_of(module, &chain.after)?;
    let database = chain.after.databases.get(&name).ok_or_else(|| missing(module, &name))?;
    let reads = Reads::of(&module.manifest, database).map_err(EngineError::Reads)?;
    Ok(Step {
        number: chain.steps.len(),
        module: workers.prepare(module, parameters, name, options.limits)?,
        digest: module.digest,
        signature,
        component: module.bytes.as_slice().into(),
        from: from.clone(),
        parameters: own.given(),
        reads,
        after: chain.after.clone(),
    })
}

fn database_of(module: &Module, catalog: &Catalog) -> Result<DatabaseName, EngineError> {
    let mut names = catalog.databases.keys();
    match (&module.manifest.database, names.next(), names.next()) {
        (Some(name), _, _) if catalog.databases.contains_key(name) => Ok(name.clone()),
        (Some(name), _, _) => Err(missing(module, name)),
        (None, Some(only), None) => Ok(only.clone()),
        _ => Err(EngineError::WhichDatabase {
            module: module.manifest.name.to_string(),
            databases: catalog.databases.keys().map(ToString::to_string).collect(),
        }),
    }
}

fn missing(module: &Module, database: &DatabaseName) -> EngineError {
    EngineError::NoDatabase { module: module.manifest.name.to_string(), database: database.to_string() }
}

/// Builds the new schema, empty and in memory, before anything is written.
fn prove(chain: &Chain) -> Result<(), Fault> {
    let mut problems = vec![];
    for name in chain.steps.iter().map(|step| step.module.database()).collect::<BTreeSet<_>>() {
        let (before, after) = (chain.before.databases.get(name), chain.after.databases.get(name));
        let caused = before.zip(after).map_or(Ok(vec![]), |(before, after)| prove_change(before, after))?;
        problems.extend(
            caused.iter().map(|found| tame(&format!("{name}: {} {}: {}", found.kind, found.name, found.message))),
        );
    }
    if problems.is_empty() { Ok(()) } else { Err(EngineError::Unbuildable { problems }.into()) }
}

/// Every module in the directories, sorted by name and version.
pub(crate) fn read_directories(directories: &[PathBuf]) -> Result<Vec<Found>, Fault> {
    let mut found: BTreeMap<_, Found> = BTreeMap::new();
    for path in files_in(directories)? {
        let module = read_module(&path)?;
        let key = (module.manifest.name.clone(), module.manifest.version.to_string());
        match found.get(&key) {
            Some(other) if other.module.digest == module.digest => {}
            Some(Found { path: one, .. }) => {
                let (name, version) = (key.0.to_string(), module.manifest.version);
                return Err(EngineError::ModuleTwice { name, version, one: one.clone(), other: path }.into());
            }
            None => {
                found.insert(key, Found { path, module });
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Directory by directory as given, each sorted by name.
fn files_in(directories: &[PathBuf]) -> Result<Vec<PathBuf>, EngineError> {
    let mut files = vec![];
    for directory in directories {
        let mut own = wasm_files(directory).map_err(|error| EngineError::ModuleDirectory {
            path: directory.clone(),
            problem: format!("{error}; give the folder that holds the *.wasm files"),
        })?;
        own.sort();
        files.extend(own);
    }
    Ok(files)
}

fn wasm_files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let paths: Result<Vec<_>, _> = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect();
    Ok(paths?.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "wasm")).collect())
}

fn read_module(path: &Path) -> Result<Module, Fault> {
    let unreadable = |problem: String| EngineError::ModuleDirectory { path: path.to_owned(), problem };
    let length = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if length > limits::MODULE_BYTES_MAX {
        return Err(unreadable(format!("{length} bytes is over the limit of {}", limits::MODULE_BYTES_MAX)).into());
    }
    let bytes = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    Ok(Module::read(&path.display().to_string(), bytes)?)
}
