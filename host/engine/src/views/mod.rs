//! What modules see of the data beside the records that they are handed: staged inputs and file trees.
//!
//! Each module sees the data at the version that it starts from. For the first of a chain that is the
//! source. For a later one it is what those before it make, so these are run once more beforehand, over the
//! collections that matter; a module gives the same every time, so nothing is lost by it.

mod answers;
mod trees;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use godwit_files::{BrokenLink, ScratchFolder, TreeChange, TreeLimits};
use godwit_model::{CollectionId, CollectionName, Fault, RecordSource, TreeName, TreeSource};

use godwit_sandbox::tame_line;

use self::trees::TreeViews;
use crate::EngineError;
use crate::chain::Chain;
use crate::commands::Context;
use crate::narrowed::Narrowed;
use crate::pipeline::{End, run};

pub use answers::Statement;
pub(crate) use answers::{Answers, Checking};
pub(crate) use trees::Trees;

/// What the modules of a chain see.
#[derive(Default)]
pub(crate) struct Views {
    /// The databases staged for modules, by step.
    inputs: BTreeMap<usize, PathBuf>,
    trees: Option<TreeViews>,
    /// Where inputs and changed files lie; removed with this value.
    folder: Option<ScratchFolder>,
}

/// What the views of a chain are made from.
pub(crate) struct Origin<'a> {
    /// The records.
    pub(crate) source: &'a mut dyn RecordSource,
    /// A second way to the source's file trees, for records and files are read at the same time.
    pub(crate) open_trees: &'a dyn Fn() -> Result<Box<dyn TreeSource>, Fault>,
    /// When the data was taken: the time of files that modules write.
    pub(crate) created: &'a str,
    /// What modules may write.
    pub(crate) limits: TreeLimits,
}

impl Views {
    /// Prepares what the chain's modules declare.
    pub(crate) fn of(context: &Context<'_>, chain: &Chain, origin: &mut Origin<'_>) -> Result<Self, Fault> {
        let mut views = Self::default();
        let wants_trees = chain.steps.iter().any(|step| !step.module.manifest().files.is_empty());
        if !wants_trees && chain.steps.iter().all(|step| step.reads.is_empty()) {
            return Ok(views);
        }
        let folder =
            ScratchFolder::open(&std::env::temp_dir()).map_err(|error| EngineError::Scratch(error.to_string()))?;
        if wants_trees {
            let source = (origin.open_trees)()?;
            views.trees = Some(TreeViews::of(chain, source, &folder, origin.created, origin.limits)?);
        }
        for number in 0..chain.steps.len() {
            views.look_ahead(context, chain, number, origin.source, folder.path())?;
        }
        views.folder = Some(folder);
        Ok(views)
    }

    /// Runs what a step of the chain is to see the result of.
    fn look_ahead(
        &mut self,
        context: &Context<'_>,
        chain: &Chain,
        number: usize,
        source: &mut dyn RecordSource,
        folder: &Path,
    ) -> Result<(), Fault> {
        let step = &chain.steps[number];
        let Ahead { steps, collections, trees, wanted } = Ahead::of(chain, number);
        if step.reads.is_empty() && trees.is_empty() {
            return Ok(());
        }
        let before = chain.before(number, &steps);
        let keeps = |collection: &CollectionId| collections.contains(collection);
        let mut source = Narrowed::new(source, &keeps);
        context.stage(&format!("lay out what {} reads", step.module.manifest().name), None);
        if step.reads.is_empty() {
            run(context.run(&before), &mut source, End::Aside(None), self)?;
        } else {
            let path = folder.join(format!("input-{number}.db"));
            let mut stage = godwit_database::stage_input(&path, step.module.database(), &step.reads)?;
            run(context.run(&before), &mut source, End::Aside(Some((stage.as_mut(), &wanted))), self)?;
            stage.prepare()?;
            stage.commit()?;
            stage.settle()?;
            self.inputs.insert(number, path);
        }
        match &mut self.trees {
            Some(views) if !trees.is_empty() => views.look_ahead(number),
            _ => {}
        }
        Ok(())
    }

    /// The databases staged for modules, by step.
    pub(crate) fn inputs(&self) -> &BTreeMap<usize, PathBuf> {
        &self.inputs
    }

    /// Answers calls with chunks.
    pub(crate) fn reading<'a>(&'a self, chain: &'a Chain) -> Answers<'a> {
        Answers::reading(self.trees.as_ref(), chain)
    }

    /// Answers the end of a run as well, in which modules may write.
    pub(crate) fn finishing<'a>(&'a self, chain: &'a Chain) -> Answers<'a> {
        Answers::finishing(self.trees.as_ref(), chain)
    }

    /// Answers the modules' check of the result.
    pub(crate) fn checking<'a>(&self, chain: &Chain) -> Checking<'a> {
        Checking::new(self.trees.as_ref(), chain)
    }

    /// Keeps the trees as the modules left them, step by step.
    pub(crate) fn keep(&mut self, after: Vec<Trees>) {
        if let Some(trees) = &mut self.trees {
            trees.after = after;
        }
    }

    /// Why the host itself could not do what a module asked of a tree; it ends the run.
    pub(crate) fn trouble(&self) -> Result<(), Fault> {
        self.trees.as_ref().and_then(TreeViews::trouble).map_or(Ok(()), Err)
    }

    /// What the last run of the chain did to file trees.
    pub(crate) fn changes(&self) -> BTreeMap<TreeName, Vec<TreeChange>> {
        self.trees.as_ref().map(TreeViews::changes).unwrap_or_default()
    }

    /// What the last run broke in file trees, in words.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let links = self.trees.as_ref().map(TreeViews::broken_links).unwrap_or_default();
        let warning = |(tree, BrokenLink { path, end }): (TreeName, BrokenLink)| {
            let text = format!("files {tree}: the link {} leads to {}, which is gone now", path.as_str(), end.as_str());
            tame_line(&text)
        };
        links.into_iter().map(warning).collect()
    }

    /// The source's file trees as the last run left them; none where no module opens any.
    pub(crate) fn result(&self) -> Option<impl TreeSource + use<>> {
        self.trees.as_ref().map(TreeViews::result)
    }
}

/// What has to be run so that a step sees what it declares.
struct Ahead {
    /// The steps before it that have a part in it.
    steps: Vec<usize>,
    /// The collections that those, and it, start from.
    collections: BTreeSet<CollectionId>,
    /// The trees that it opens and a step before it may change.
    trees: BTreeSet<TreeName>,
    /// The collections that it queries.
    wanted: BTreeSet<CollectionId>,
}

impl Ahead {
    fn of(chain: &Chain, number: usize) -> Self {
        let (step, earlier) = (&chain.steps[number], &chain.steps[..number]);
        let database = step.module.database();
        let id = |name: &CollectionName| CollectionId { database: database.clone(), name: name.clone() };
        let wanted: BTreeSet<_> = step.reads.collections.keys().map(id).collect();
        let changed = |tree: &&TreeName| earlier.iter().any(|step| step.writes(tree));
        let trees: BTreeSet<_> = step.module.manifest().files.keys().filter(changed).cloned().collect();
        let (mut steps, mut collections, mut opened) = (vec![], wanted.clone(), trees.clone());
        for step in earlier.iter().rev() {
            let has_part = collections.iter().any(|id| step.gives(id)) || opened.iter().any(|tree| step.writes(tree));
            if has_part {
                steps.insert(0, step.number);
                collections.extend(step.taken());
                opened.extend(step.module.manifest().files.keys().cloned());
            }
        }
        Self { steps, collections, trees, wanted }
    }
}
