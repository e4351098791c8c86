//! `godwit migrate`: archive to archive, at another version.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use godwit_archive::{Archive, ArchiveWriter, Header, WriterOptions};
use godwit_model::{Digest, Fault, Staged, TreeSource};
use semver::Version;

use super::{Context, ModuleOptions, total_bytes, trees};
use crate::EngineError;
use crate::chain::Chain;
use crate::modules::{self, Wanted};
use crate::pipeline::{End, run};
use crate::plan::Plan;
use crate::views::{Origin, Views};

/// What to migrate, and where to.
pub struct MigrateRequest {
    /// The archive.
    pub archive: PathBuf,
    /// The data version wanted.
    pub to: Version,
    /// The archive to make.
    pub output: PathBuf,
    /// The modules there are.
    pub modules: ModuleOptions,
    /// Do everything but write.
    pub dry_run: bool,
}

/// Migrates; gives the plan that was carried out with its report, and the new archive's id, none of a dry run.
pub fn migrate(context: &Context<'_>, request: &MigrateRequest) -> Result<(Plan, Option<Digest>), Fault> {
    ArchiveWriter::check_path(&request.output)?;
    let mut archive = context.open_verified(&request.archive)?;
    let header = archive.manifest().header.clone();
    let chain = chain_for(context, &request.modules, &archive, &request.to)?;
    let mut plan = Plan::of(&header.application, &header.data_version, &request.to, &chain);
    let mut views = views_of(context, &request.modules, &chain, &request.archive, &mut archive)?;
    context.stage("migrate records", Some(total_bytes(&archive)));
    if request.dry_run {
        plan.report = Some(run(context.run(&chain), &mut archive, End::Nowhere, &mut views)?);
        return Ok((plan, None));
    }
    let mut target = ArchiveWriter::create(&request.output, header_after(header, &chain), WriterOptions::default())?;
    let mut report = run(context.run(&chain), &mut archive, End::Target(&mut target), &mut views)?;
    let names = archive.trees();
    trees::copy_result(context, &views, &mut archive, &names, &mut target, &mut report)?;
    keep_modules(&mut archive, &chain, &mut target)?;
    context.stage("make it durable", None);
    target.prepare()?;
    target.commit()?;
    target.settle()?;
    plan.report = Some(report);
    Ok((plan, target.id()))
}

/// The chain that takes an archive to a version.
pub(crate) fn chain_for(
    context: &Context<'_>,
    options: &ModuleOptions,
    archive: &Archive,
    to: &Version,
) -> Result<Chain, Fault> {
    let header = &archive.manifest().header;
    let from = &header.data_version;
    check_direction(from, to)?;
    let (created, seed) = (header.created.as_str(), header.seed.as_str());
    let wanted = Wanted { application: &header.application, from, to, created, seed };
    modules::chain(context, options, &wanted, archive.catalog())
}

/// What the chain's modules see of an archive beside their records.
pub(crate) fn views_of(
    context: &Context<'_>,
    options: &ModuleOptions,
    chain: &Chain,
    path: &Path,
    archive: &mut Archive,
) -> Result<Views, Fault> {
    let (id, created) = (archive.id(), archive.manifest().header.created.clone());
    let reopen = || {
        let again = Archive::open(path)?;
        match again.id() == id {
            true => Ok(Box::new(again) as Box<dyn TreeSource>),
            false => Err(EngineError::ArchiveChanged { path: path.to_owned() }.into()),
        }
    };
    let mut origin = Origin { source: archive, open_trees: &reopen, created: &created, limits: options.tree_limits };
    Views::of(context, chain, &mut origin)
}

/// Data goes on and never back.
pub(crate) fn check_direction(data: &Version, to: &Version) -> Result<(), EngineError> {
    match data.cmp_precedence(to) {
        Ordering::Less => Ok(()),
        Ordering::Equal => Err(EngineError::NothingToDo { data: data.clone() }),
        Ordering::Greater => Err(EngineError::Back { data: data.clone(), to: to.clone() }),
    }
}

/// The moment and the seed stay: the same archive and modules make the same bytes.
fn header_after(mut header: Header, chain: &Chain) -> Header {
    for step in &chain.steps {
        let lineage = step.lineage();
        header.data_version = lineage.to.clone();
        header.lineage.push(lineage);
    }
    header
}

/// The new archive carries every module that its data has been through.
fn keep_modules(archive: &mut Archive, chain: &Chain, target: &mut ArchiveWriter) -> Result<(), Fault> {
    for digest in archive.modules() {
        target.add_module(&archive.module(digest)?)?;
    }
    chain.steps.iter().try_for_each(|step| target.add_module(&step.component).map(|_| ()))
}
