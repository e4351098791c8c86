//! File trees from a source to a target.

use std::io::Read;

use godwit_model::{EntryKind, Fault, TreeName, TreeSource, TreeTarget};

use crate::commands::Context;
use crate::report::{Report, TreeCount};
use crate::views::Views;

/// Copies trees and counts them into the report.
pub(crate) fn copy(
    context: &Context<'_>,
    source: &mut dyn TreeSource,
    trees: &[TreeName],
    target: &mut dyn TreeTarget,
    report: &mut Report,
) -> Result<(), Fault> {
    for tree in trees {
        context.stage(&format!("files {tree}"), None);
        target.begin_tree(tree)?;
        let mut count = TreeCount::default();
        source.read_tree(tree, &mut |entry, content: &mut dyn Read| {
            context.stop.check()?;
            add(&mut count, &entry.kind);
            target.write_entry(tree, entry, content)
        })?;
        report.trees.insert(tree.clone(), count);
    }
    Ok(())
}

/// The same, as the modules left them where they opened any.
pub(crate) fn copy_result(
    context: &Context<'_>,
    views: &Views,
    source: &mut dyn TreeSource,
    trees: &[TreeName],
    target: &mut dyn TreeTarget,
    report: &mut Report,
) -> Result<(), Fault> {
    match views.result() {
        Some(mut result) => copy(context, &mut result, trees, target, report),
        None => copy(context, source, trees, target, report),
    }
}

fn add(count: &mut TreeCount, kind: &EntryKind) {
    match kind {
        EntryKind::File { size } => {
            count.files += 1;
            count.bytes += size;
        }
        EntryKind::Directory => count.directories += 1,
        EntryKind::Link { .. } => count.links += 1,
    }
}
