//! `godwit export`: live or archive to a directory of JSON lines.

use std::path::PathBuf;

use godwit_archive::Archive;
use godwit_formats::JsonLinesDirectory;
use godwit_model::{Fault, Source, Staged};

use super::backup::estimate;
use super::{Context, trees};
use crate::chain::Chain;
use crate::live::LiveSource;
use crate::pipeline::{End, run};
use crate::report::Report;
use crate::views::Views;
use crate::{Config, EngineError, Scope};

/// What to export, and where to.
pub struct ExportRequest<'a> {
    /// The archive; none: the live application.
    pub archive: Option<PathBuf>,
    /// The live application's configuration, needed without an archive.
    pub config: Option<&'a Config>,
    /// What of the live application.
    pub scope: Scope,
    /// The directory to make.
    pub output: PathBuf,
    /// Read and count everything, write nothing.
    pub dry_run: bool,
}

/// Exports; gives the report.
pub fn export(context: &Context<'_>, request: &ExportRequest<'_>) -> Result<Report, Fault> {
    let mut source: Box<dyn Source> = match (&request.archive, request.config) {
        (Some(path), _) => Box::new(Archive::open(path)?),
        (None, Some(config)) => Box::new(LiveSource::open(config, &request.scope, &[])?),
        (None, None) => return Err(EngineError::NothingConfigured.into()),
    };
    JsonLinesDirectory::check_path(&request.output)?;
    let chain = Chain::empty(source.catalog());
    context.stage("export records", estimate(&*source));
    if request.dry_run {
        return run(context.run(&chain), &mut *source, End::Nowhere, &mut Views::default());
    }
    let mut target = JsonLinesDirectory::create(&request.output)?;
    let mut report = run(context.run(&chain), &mut *source, End::Target(&mut target), &mut Views::default())?;
    let names = source.trees();
    trees::copy(context, &mut *source, &names, &mut target, &mut report)?;
    target.prepare()?;
    target.commit()?;
    target.settle()?;
    Ok(report)
}
