//! The file trees that the modules of a chain open, moment by moment.

use std::collections::{BTreeMap, BTreeSet};

use godwit_files::{Base, BrokenLink, OverlayTrees, ScratchFolder, StepTrees, TreeChange, TreeLimits, TreeState};
use godwit_model::{Access, Fault, TreeName, TreeSource};
use jiff::Timestamp;

use crate::EngineError;
use crate::chain::{Chain, Step};

/// File trees at one moment, by name.
pub(crate) type Trees = BTreeMap<TreeName, TreeState>;

/// The trees that any module of the chain opens.
pub(crate) struct TreeViews {
    base: Base,
    limits: TreeLimits,
    source: Trees,
    /// Before a step of the chain, where steps before it change them.
    before: BTreeMap<usize, Trees>,
    /// After each step of the last run.
    pub(super) after: Vec<Trees>,
}

impl TreeViews {
    pub(super) fn of(
        chain: &Chain,
        source: Box<dyn TreeSource>,
        folder: &ScratchFolder,
        created: &str,
        limits: TreeLimits,
    ) -> Result<Self, Fault> {
        let wanted: BTreeSet<_> = chain.steps.iter().flat_map(|step| step.module.manifest().files.keys()).collect();
        let known = source.trees();
        let base = Base::new(source, folder, moment(created)?);
        // A tree that is not there cannot be opened: the module is told, and decides.
        let states = wanted.into_iter().filter(|tree| known.contains(tree));
        let states: Result<Trees, Fault> = states.map(|tree| Ok((tree.clone(), TreeState::of(&base, tree)?))).collect();
        Ok(Self { base, limits, source: states?, before: BTreeMap::new(), after: vec![] })
    }

    /// What the last run made of the trees is what this step of the chain sees.
    pub(super) fn look_ahead(&mut self, number: usize) {
        self.before.extend(self.after.pop().map(|trees| (number, trees)));
        self.after.clear();
    }

    /// Before any step.
    pub(super) fn source(&self) -> &Trees {
        &self.source
    }

    /// Before a step of the chain.
    pub(super) fn before(&self, number: usize) -> &Trees {
        self.before.get(&number).unwrap_or(&self.source)
    }

    /// What a step was granted of these trees, read-only.
    pub(super) fn granted(&self, step: &Step, trees: &Trees) -> StepTrees {
        let grant = |(name, access): (&TreeName, &Access)| Some((name.clone(), (trees.get(name)?.clone(), *access)));
        StepTrees::new(step.module.manifest().files.iter().filter_map(grant).collect(), self.limits)
    }

    pub(super) fn trouble(&self) -> Option<Fault> {
        self.base.trouble()
    }

    pub(super) fn changes(&self) -> BTreeMap<TreeName, Vec<TreeChange>> {
        let Some(last) = self.after.last() else { return BTreeMap::new() };
        let since =
            |(name, state): (&TreeName, &TreeState)| Some((name.clone(), state.changes_since(self.source.get(name)?)));
        last.iter().filter_map(since).filter(|(_, changes)| !changes.is_empty()).collect()
    }

    /// Links that led somewhere and do not any more.
    pub(super) fn broken_links(&self) -> Vec<(TreeName, BrokenLink)> {
        let Some(last) = self.after.last() else { return vec![] };
        let broken = |(name, state): (&TreeName, &TreeState)| {
            let links = self.source.get(name).map(|before| state.links_broken_since(before)).unwrap_or_default();
            links.into_iter().map(|link| (name.clone(), link)).collect::<Vec<_>>()
        };
        last.iter().flat_map(broken).collect()
    }

    pub(super) fn result(&self) -> OverlayTrees {
        OverlayTrees::new(self.base.clone(), self.after.last().cloned().unwrap_or_default())
    }
}

/// Nanoseconds since 1970.
fn moment(created: &str) -> Result<i64, EngineError> {
    let unusable = |problem: String| EngineError::Moment { text: created.to_owned(), problem };
    let moment: Timestamp = created.parse().map_err(|error: jiff::Error| unusable(error.to_string()))?;
    i64::try_from(moment.as_nanosecond()).map_err(|error| unusable(error.to_string()))
}
