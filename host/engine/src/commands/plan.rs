//! `godwit plan`: the dry run, over an archive or the live application. Writes nothing.

use std::path::{Path, PathBuf};

use godwit_archive::Archive;
use godwit_model::{Fault, RecordSource, TreeSource};
use semver::Version;

use super::backup::estimate;
use super::migrate::{chain_for, check_direction, views_of};
use super::{Context, ModuleOptions, now, seed, total_bytes};
use crate::live::{LiveSource, open_trees};
use crate::modules::{self, Wanted};
use crate::pipeline::{End, run};
use crate::plan::Plan;
use crate::views::{Origin, Views};
use crate::{Config, EngineError, Scope};

/// What to plan.
pub struct PlanRequest<'a> {
    /// The archive; none: the live application.
    pub archive: Option<PathBuf>,
    /// The live application's configuration, needed without an archive.
    pub config: Option<&'a Config>,
    /// The data version wanted.
    pub to: Version,
    /// The modules there are.
    pub modules: ModuleOptions,
}

/// Makes a plan and proves it on all the data.
pub fn plan(context: &Context<'_>, request: &PlanRequest<'_>) -> Result<Plan, Fault> {
    match (&request.archive, request.config) {
        (Some(path), _) => plan_archive(context, request, path),
        (None, Some(config)) => plan_live(context, request, config),
        (None, None) => Err(EngineError::NothingConfigured.into()),
    }
}

/// Every chunk's digest is checked as it is read, so the archive is not read twice.
fn plan_archive(context: &Context<'_>, request: &PlanRequest<'_>, path: &Path) -> Result<Plan, Fault> {
    let mut archive = Archive::open(path)?;
    let chain = chain_for(context, &request.modules, &archive, &request.to)?;
    let header = &archive.manifest().header;
    let mut plan = Plan::of(&header.application, &header.data_version, &request.to, &chain);
    let mut views = views_of(context, &request.modules, &chain, path, &mut archive)?;
    context.stage("dry run", Some(total_bytes(&archive)));
    plan.report = Some(run(context.run(&chain), &mut archive, End::Nowhere, &mut views)?);
    Ok(plan)
}

fn plan_live(context: &Context<'_>, request: &PlanRequest<'_>, config: &Config) -> Result<Plan, Fault> {
    let from = config.application_version()?;
    check_direction(&from, &request.to)?;
    let mut source = LiveSource::open(config, &Scope::parse(&["db".to_owned()]), &[])?;
    let (name, created) = (&config.application.name, now());
    let seed = seed(name, &from, &created);
    let wanted = Wanted { application: name, from: &from, to: &request.to, created: &created, seed: &seed };
    let chain = modules::chain(context, &request.modules, &wanted, source.catalog())?;
    let mut plan = Plan::of(name, &from, &request.to, &chain);
    let open_trees = || Ok(Box::new(open_trees(config, &Scope::default(), &[])?) as Box<dyn TreeSource>);
    let limits = request.modules.tree_limits;
    let mut origin = Origin { source: &mut source, open_trees: &open_trees, created: &created, limits };
    let mut views = Views::of(context, &chain, &mut origin)?;
    context.stage("dry run", estimate(&source));
    plan.report = Some(run(context.run(&chain), &mut source, End::Nowhere, &mut views)?);
    Ok(plan)
}
