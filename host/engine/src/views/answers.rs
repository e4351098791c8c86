//! The parent's answers to what modules ask through their workers.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use godwit_files::StepTrees;
use godwit_model::{Fault, FileAccess, SqlConnection, SqlFailure, SqlRow, SqlValue};
use godwit_sandbox::{Desk, tame_line};
use serde::Serialize;

use super::trees::{TreeViews, Trees};
use crate::chain::Chain;

/// Statements on the live target that a report keeps.
const STATEMENTS_KEPT: usize = 1_000;

/// A statement that a module ran on the live target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The module.
    pub module: String,
    /// The statement; its values are not kept.
    pub sql: String,
    /// How many rows it changed; 0 of a query.
    pub rows_changed: u64,
}

/// Answers for one worker. File trees are read-only in it, but for the step that is being finished.
pub(crate) struct Answers<'a> {
    trees: Option<&'a TreeViews>,
    chain: &'a Chain,
    /// Each step's trees as they are before it.
    reading: Vec<StepTrees>,
    finishing: Option<Finishing>,
}

/// The trees on their way through the ends of the steps.
struct Finishing {
    /// The step that has its end, and its trees.
    at: Option<(usize, StepTrees)>,
    now: Trees,
    /// After each step before that.
    after: Vec<Trees>,
}

impl<'a> Answers<'a> {
    pub(super) fn reading(trees: Option<&'a TreeViews>, chain: &'a Chain) -> Self {
        let granted =
            |trees: &TreeViews| chain.steps.iter().map(|step| trees.granted(step, trees.before(step.number))).collect();
        Self { trees, chain, reading: trees.map(granted).unwrap_or_default(), finishing: None }
    }

    pub(super) fn finishing(trees: Option<&'a TreeViews>, chain: &'a Chain) -> Self {
        let finishing = trees.map(|trees| Finishing { at: None, now: trees.source().clone(), after: vec![] });
        Self { finishing, ..Self::reading(trees, chain) }
    }

    /// Why the host itself could not do what it should; it ends the run.
    pub(crate) fn trouble(&self) -> Result<(), Fault> {
        self.trees.and_then(TreeViews::trouble).map_or(Ok(()), Err)
    }

    /// The trees after each step.
    pub(crate) fn finished(mut self) -> Vec<Trees> {
        let steps = self.chain.steps.len();
        match &mut self.finishing {
            Some(finishing) => {
                finishing.leave(steps);
                std::mem::take(&mut finishing.after)
            }
            None => vec![],
        }
    }
}

impl Finishing {
    /// Goes on to a step; those before it have had their end.
    fn leave(&mut self, step: usize) {
        if let Some((_, trees)) = self.at.take() {
            self.now.extend(trees.states());
        }
        while self.after.len() < step {
            self.after.push(self.now.clone());
        }
    }

    fn enter(&mut self, step: usize, trees: &TreeViews, chain: &Chain) -> Option<&mut StepTrees> {
        match &self.at {
            Some((at, _)) if *at == step => {}
            // A worker that goes back is none of ours.
            Some((at, _)) if *at > step => return None,
            _ => {
                self.leave(step);
                let mut granted = trees.granted(chain.steps.get(step)?, &self.now);
                granted.set_writable(true);
                self.at = Some((step, granted));
            }
        }
        self.at.as_mut().map(|(_, trees)| trees)
    }
}

impl Desk for Answers<'_> {
    fn files(&mut self, step: usize, finishing: bool) -> Option<&mut dyn FileAccess> {
        let trees = self.trees?;
        match &mut self.finishing {
            Some(state) if finishing => Some(state.enter(step, trees, self.chain)?),
            _ => Some(self.reading.get_mut(step)?),
        }
    }

    fn target(&mut self, _step: usize) -> Option<&mut dyn SqlConnection> {
        None
    }
}

/// Answers the modules' check of the result.
pub(crate) struct Checking<'a> {
    trees: Vec<StepTrees>,
    target: Option<Recorded<'a>>,
    last: usize,
}

impl<'a> Checking<'a> {
    pub(super) fn new(trees: Option<&TreeViews>, chain: &Chain) -> Self {
        let granted = |trees: &TreeViews| {
            chain.steps.iter().zip(&trees.after).map(|(step, after)| trees.granted(step, after)).collect()
        };
        let last = chain.steps.len().saturating_sub(1);
        Self { trees: trees.map(granted).unwrap_or_default(), target: None, last }
    }

    /// The same with the live target, for the chain's last module; its statements are noted.
    pub(crate) fn with_target(
        self,
        connection: Box<dyn SqlConnection + 'a>,
        module: &str,
        statements: &'a mut Vec<Statement>,
    ) -> Self {
        Self { target: Some(Recorded { connection, module: module.to_owned(), statements }), ..self }
    }
}

impl Desk for Checking<'_> {
    fn files(&mut self, step: usize, _finishing: bool) -> Option<&mut dyn FileAccess> {
        Some(self.trees.get_mut(step)?)
    }

    fn target(&mut self, step: usize) -> Option<&mut dyn SqlConnection> {
        self.target.as_mut().filter(|_| step == self.last).map(|target| target as &mut dyn SqlConnection)
    }
}

/// The live target, its statements noted.
struct Recorded<'a> {
    connection: Box<dyn SqlConnection + 'a>,
    module: String,
    statements: &'a mut Vec<Statement>,
}

impl Recorded<'_> {
    fn note(&mut self, sql: &str, rows: u64) {
        if self.statements.len() < STATEMENTS_KEPT {
            let sql = tame_line(&sql.split_whitespace().collect::<Vec<_>>().join(" "));
            self.statements.push(Statement { module: self.module.clone(), sql, rows_changed: rows });
        }
    }
}

impl SqlConnection for Recorded<'_> {
    fn execute(&mut self, sql: &str, values: &[SqlValue]) -> Result<u64, SqlFailure> {
        let rows = self.connection.execute(sql, values)?;
        self.note(sql, rows);
        Ok(rows)
    }

    fn query(&mut self, sql: &str, values: &[SqlValue]) -> Result<u32, SqlFailure> {
        let cursor = self.connection.query(sql, values)?;
        self.note(sql, 0);
        Ok(cursor)
    }

    fn columns(&mut self, cursor: u32) -> Result<Vec<String>, SqlFailure> {
        self.connection.columns(cursor)
    }

    fn next(&mut self, cursor: u32, limit: u32) -> Result<Vec<SqlRow>, SqlFailure> {
        self.connection.next(cursor, limit)
    }

    fn close(&mut self, cursor: u32) {
        self.connection.close(cursor);
    }

    fn end_by(&mut self, moment: Instant) {
        self.connection.end_by(moment);
    }

    fn end_upon(&mut self, stop: Arc<AtomicBool>) {
        self.connection.end_upon(stop);
    }
}
