//! `godwit backup`: live to archive.

use std::path::PathBuf;

use godwit_archive::{ArchiveWriter, Header, WriterOptions};
use godwit_model::{Digest, Fault, RecordSource, Staged, TreeSource};
use semver::Version;

use super::{Context, now, seed, trees};
use crate::chain::Chain;
use crate::live::LiveSource;
use crate::pipeline::{End, run};
use crate::report::Report;
use crate::views::Views;
use crate::{Config, Scope};

/// What to back up, and where to.
pub struct BackupRequest<'a> {
    /// The application.
    pub config: &'a Config,
    /// What of it.
    pub scope: Scope,
    /// Globs to leave out, beside those of the configuration.
    pub exclude: Vec<String>,
    /// The data version, where the operator gave it.
    pub version: Option<Version>,
    /// The archive to make.
    pub output: PathBuf,
    /// Read and count everything, write nothing.
    pub dry_run: bool,
}

/// Takes a backup; gives its report and the archive's id, none of a dry run.
pub fn backup(context: &Context<'_>, request: &BackupRequest<'_>) -> Result<(Report, Option<Digest>), Fault> {
    let config = request.config;
    let version = request.version.clone().map_or_else(|| config.application_version(), Ok)?;
    ArchiveWriter::check_path(&request.output)?;
    let mut source = LiveSource::open(config, &request.scope, &request.exclude)?;
    let chain = Chain::empty(source.catalog());
    let total = estimate(&source);
    if request.dry_run {
        context.stage("read records", total);
        return Ok((run(context.run(&chain), &mut source, End::Nowhere, &mut Views::default())?, None));
    }
    let created = now();
    let mut header = Header::new(&config.application.name, version.clone(), &created);
    header.seed = seed(&config.application.name, &version, &created);
    header.excluded = excluded(request);
    let mut target = ArchiveWriter::create(&request.output, header, WriterOptions::default())?;
    context.stage("back up records", total);
    let mut report = run(context.run(&chain), &mut source, End::Target(&mut target), &mut Views::default())?;
    let names = source.trees();
    trees::copy(context, &mut source, &names, &mut target, &mut report)?;
    source.warnings().iter().for_each(|warning| context.note(warning));
    context.stage("make it durable", None);
    target.prepare()?;
    target.commit()?;
    target.settle()?;
    Ok((report, target.id()))
}

fn excluded(request: &BackupRequest<'_>) -> Vec<String> {
    let databases = request
        .config
        .databases
        .iter()
        .flat_map(|(name, database)| database.exclude.iter().map(move |glob| format!("{name}: {glob}")));
    let trees = request
        .config
        .files
        .iter()
        .flat_map(|(name, tree)| tree.exclude.iter().map(move |glob| format!("{name}: {glob}")));
    databases.chain(trees).chain(request.exclude.iter().cloned()).collect()
}

pub(crate) fn estimate(source: &dyn RecordSource) -> Option<u64> {
    source.catalog().collections().map(|(id, _)| source.estimate(&id)).sum()
}
