//! `godwit restore`: archive to live, under the version rule.

use std::path::PathBuf;

use godwit_archive::{Archive, Manifest};
use godwit_model::{CollectionId, DatabaseName, Fault, Staged, TreeName, TreeSource, Verdict, verdict};
use semver::Version;

use super::migrate::views_of;
use super::{Context, ModuleOptions, total_bytes, trees};
use crate::chain::Chain;
use crate::live::LiveTarget;
use crate::modules::{self, Wanted};
use crate::narrowed::Narrowed;
use crate::pipeline::{End, run};
use crate::plan::Plan;
use crate::{Config, EngineError, Scope};

/// What to restore, and where to.
pub struct RestoreRequest<'a> {
    /// The application.
    pub config: &'a Config,
    /// The archive.
    pub archive: PathBuf,
    /// What of it.
    pub scope: Scope,
    /// The application's version, where the operator gave it.
    pub target_version: Option<Version>,
    /// Older data is restored as it is: the application upgrades it on its own.
    pub without_migration: bool,
    /// What is there may be replaced.
    pub empty: bool,
    /// For older data.
    pub modules: ModuleOptions,
    /// Do everything but write.
    pub dry_run: bool,
}

/// Restores; gives the plan that was carried out, with its report.
pub fn restore(context: &Context<'_>, request: &RestoreRequest<'_>) -> Result<Plan, Fault> {
    let mut archive = context.open_verified(&request.archive)?;
    check_application(request.config, archive.manifest())?;
    let (databases, tree_names) = parts(request, &archive)?;
    let (mut plan, chain) = decide(context, request, &archive)?;
    let mut target = LiveTarget::open(request.config, &databases, &tree_names, request.empty)?;
    say_what_to_know(context, request, &archive, &plan)?;
    let mut views = views_of(context, &request.modules, &chain, &request.archive, &mut archive)?;
    context.stage("restore records", Some(total_bytes(&archive)));
    let keeps = |collection: &CollectionId| databases.contains(&collection.database);
    let mut records = Narrowed::new(&mut archive, &keeps);
    if request.dry_run {
        plan.report = Some(run(context.run(&chain), &mut records, End::Nowhere, &mut views)?);
        return Ok(plan);
    }
    let mut report = run(context.run(&chain), &mut records, End::Target(&mut target), &mut views)?;
    trees::copy_result(context, &views, &mut archive, &tree_names, &mut target, &mut report)?;
    context.stage("check and make it durable", None);
    target.prepare()?;
    context.stop.check()?;
    target.commit()?;
    target.settle()?;
    plan.report = Some(report);
    Ok(plan)
}

/// What an operator would otherwise find out later.
fn say_what_to_know(
    context: &Context<'_>,
    request: &RestoreRequest<'_>,
    archive: &Archive,
    plan: &Plan,
) -> Result<(), EngineError> {
    for left_out in &archive.manifest().header.excluded {
        context.note(&format!("warning: the archive leaves out {left_out}; after the restore there is nothing of it"));
    }
    if request.without_migration && plan.chain.is_empty() {
        let application = request.target_version.clone().map_or_else(|| request.config.application_version(), Ok)?;
        if plan.from.cmp_precedence(&application).is_lt() {
            context.note(&format!(
                "warning: the data stays at {}; start the application at {application}, so that it upgrades its data, before the next backup",
                plan.from
            ));
        }
    }
    Ok(())
}

fn check_application(config: &Config, manifest: &Manifest) -> Result<(), EngineError> {
    let (archive, config) = (&manifest.header.application, &config.application.name);
    match archive == config {
        true => Ok(()),
        false => Err(EngineError::OtherApplication { archive: archive.clone(), config: config.clone() }),
    }
}

fn parts(request: &RestoreRequest<'_>, archive: &Archive) -> Result<(Vec<DatabaseName>, Vec<TreeName>), EngineError> {
    let databases: Vec<_> = archive.catalog().databases.keys().cloned().collect();
    let trees = archive.trees();
    request.scope.check(databases.iter(), trees.iter())?;
    Ok((
        databases.into_iter().filter(|name| request.scope.has_database(name)).collect(),
        trees.into_iter().filter(|name| request.scope.has_tree(name)).collect(),
    ))
}

/// The version rule, and what follows from it.
fn decide(context: &Context<'_>, request: &RestoreRequest<'_>, archive: &Archive) -> Result<(Plan, Chain), Fault> {
    let header = &archive.manifest().header;
    let data = &header.data_version;
    let application = request.target_version.clone().map_or_else(|| request.config.application_version(), Ok)?;
    let as_is = || Ok(Chain::empty(archive.catalog()));
    let chain = match verdict(data, &application) {
        Verdict::AsIs => as_is(),
        Verdict::Migrate if request.without_migration => as_is(),
        Verdict::Migrate => {
            let wanted = Wanted {
                application: &header.application,
                from: data,
                to: &application,
                created: &header.created,
                seed: &header.seed,
            };
            modules::chain(context, &request.modules, &wanted, archive.catalog())
        }
        Verdict::Downgrade => {
            Err(EngineError::Downgrade { data: data.clone(), application: application.clone() }.into())
        }
        Verdict::OtherLine if data.cmp_precedence(&application).is_gt() => {
            Err(EngineError::Downgrade { data: data.clone(), application: application.clone() }.into())
        }
        Verdict::OtherLine => {
            Err(EngineError::OtherLine { data: data.clone(), application: application.clone() }.into())
        }
    }?;
    let reached = if chain.steps.is_empty() { data } else { &application };
    Ok((Plan::of(&header.application, data, reached, &chain), chain))
}
