//! Results as text for people.

use std::fmt::Write;

use godwit_engine::{Plan, Report, Statement};
use godwit_files::{ChangeKind, TreeChange};
use godwit_sandbox::tame_line;
use indicatif::{BinaryBytes, HumanCount};

/// Changes of one file tree that are shown.
const CHANGES_SHOWN: usize = 100;

/// Statements in the live target that are shown.
const STATEMENTS_SHOWN: usize = 20;

/// Rows of cells as aligned columns; the first is flush left, the others flush right.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |i: usize| rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cell = |(i, cell): (usize, &String)| match i {
            0 => format!("  {cell:<width$}", width = widths[0]),
            _ => format!("{cell:>width$}", width = widths[i]),
        };
        let line: Vec<_> = row.iter().enumerate().map(cell).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// A count of bytes.
pub fn bytes(bytes: u64) -> String {
    BinaryBytes(bytes).to_string()
}

/// A count.
pub fn count(count: u64) -> String {
    HumanCount(count).to_string()
}

/// What a run did: collections, trees, warnings. What a chain did to each collection is said only
/// where there was one.
pub fn report(report: &Report) -> String {
    let migrated = report.collections.values().any(|counts| counts.touched);
    let heads: &[&str] = if migrated {
        &["collection", "records in", "records out", "bytes", ""]
    } else {
        &["collection", "records", "bytes"]
    };
    let mut rows = vec![heads.iter().map(|head| (*head).to_owned()).collect::<Vec<_>>()];
    for (name, counts) in &report.collections {
        let mut row = vec![name.clone(), count(counts.records_in)];
        row.extend(migrated.then(|| count(counts.records_out)));
        row.push(bytes(counts.bytes_out));
        row.extend(migrated.then(|| if counts.touched { "migrated" } else { "as it is" }.to_owned()));
        let fewer = counts.records_in.saturating_sub(counts.records_out);
        row.extend((migrated && fewer > 0).then(|| format!("{} fewer", count(fewer))));
        rows.push(row);
    }
    let mut text = if report.collections.is_empty() { String::new() } else { table(&rows) };
    for (name, tree) in &report.trees {
        let parts = [counted(tree.files, "file"), counted(tree.directories, "folder"), counted(tree.links, "link")];
        let _ = writeln!(text, "  files {name}: {}, {}", parts.join(", "), bytes(tree.bytes));
    }
    for warning in &report.warnings {
        let _ = writeln!(text, "  warning: {warning}");
    }
    text
}

pub fn counted(number: u64, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {what}{ending}", count(number))
}

/// A plan and what its dry run found, in full.
pub fn plan(plan: &Plan) -> String {
    let mut text = chain(plan);
    if !plan.changes.is_empty() {
        text.push_str("changes of the catalog\n");
    }
    let mut last = "";
    for change in &plan.changes {
        let place = if change.place == last { "" } else { &change.place };
        let _ = writeln!(text, "  {place:<width$}  {}", change.change, width = widest(plan));
        last = &change.place;
    }
    if let Some(found) = &plan.report {
        text.push_str("records\n");
        text.push_str(&report(found));
        text.push_str(&files(found));
        text.push_str(&violations(found));
    }
    text.push_str(&later(plan));
    text
}

/// What a dry run cannot show, and a new archive does not have.
pub fn later(plan: &Plan) -> String {
    match plan.chain.last().filter(|step| !step.grants.target.is_empty()) {
        None => String::new(),
        Some(step) => {
            let collections: Vec<_> = step.grants.target.keys().map(|name| tame_line(name.as_str())).collect();
            format!(
                "{} works on {} of the live target where an older archive is restored through it, and only there\n",
                step.lineage.module,
                collections.join(", ")
            )
        }
    }
}

fn widest(plan: &Plan) -> usize {
    plan.changes.iter().map(|change| change.place.chars().count()).max().unwrap_or(0)
}

/// What was done: the modules, the counts, the files, and what no plan can show. What they changed in the catalog, the plan
/// has shown.
pub fn done(plan: &Plan) -> String {
    let shown = |found: &Report| report(found) + &files(found) + &statements(found);
    chain(plan) + &plan.report.as_ref().map(shown).unwrap_or_default()
}

/// What modules did to file trees.
fn files(report: &Report) -> String {
    let mut text = String::new();
    for (tree, changes) in report.files.iter().filter(|(_, changes)| !changes.is_empty()) {
        let _ = writeln!(text, "changes of the files {tree}");
        for change in changes.iter().take(CHANGES_SHOWN) {
            let _ = writeln!(text, "  {:<7}  {}{}", what(change.what), path(change), sizes(change));
        }
        text.push_str(&more(changes.len(), CHANGES_SHOWN));
    }
    text
}

fn what(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Removed => "removed",
        ChangeKind::Added => "added",
        ChangeKind::Renamed => "renamed",
        ChangeKind::Changed => "changed",
        ChangeKind::Mode => "mode",
    }
}

fn path(change: &TreeChange) -> String {
    let path = tame_line(change.path.as_str());
    match &change.from {
        Some(from) => format!("{path} (from {})", tame_line(from.as_str())),
        None => path,
    }
}

/// How large a file was and is.
fn sizes(change: &TreeChange) -> String {
    match (change.before, change.after) {
        (Some(before), Some(after)) if before != after => format!(" ({}, was {})", bytes(after), bytes(before)),
        (None, Some(size)) | (Some(size), None) => format!(" ({})", bytes(size)),
        _ => String::new(),
    }
}

/// What modules did in the live target.
fn statements(report: &Report) -> String {
    let mut text = String::new();
    for Statement { module, sql, rows_changed } in report.statements.iter().take(STATEMENTS_SHOWN) {
        let done = match rows_changed {
            0 => "looked at the live target".to_owned(),
            rows => format!("changed {} of the live target", counted(*rows, "row")),
        };
        let _ = writeln!(text, "  {module} {done}: {sql}");
    }
    text + &more(report.statements.len(), STATEMENTS_SHOWN)
}

fn more(there: usize, shown: usize) -> String {
    match there.saturating_sub(shown) {
        0 => String::new(),
        left => format!("  and {} more (--output json has them)\n", count(left as u64)),
    }
}

fn chain(plan: &Plan) -> String {
    let mut text = match plan.chain.is_empty() {
        true => format!("{} {}, as it is\n", plan.application, plan.from),
        false => format!("{} {} -> {}\n", plan.application, plan.from, plan.to),
    };
    for step in &plan.chain {
        let _ = writeln!(
            text,
            "  {} -> {}  {} {} ({}), {}",
            step.lineage.from,
            step.lineage.to,
            step.lineage.module,
            step.lineage.version,
            step.lineage.digest.short(),
            step.signature
        );
        let _ = writeln!(text, "      may {}", step.grants);
        for (name, value) in &step.lineage.parameters {
            let _ = writeln!(text, "      {name} = {value}");
        }
    }
    text
}

fn violations(report: &Report) -> String {
    if report.violation_count == 0 {
        return "no violation of the new catalog\n".to_owned();
    }
    let mut text = format!("{} of the new catalog\n", counted(report.violation_count, "violation"));
    for violation in &report.violations {
        let _ = writeln!(text, "  {}: {}: {}", violation.rule, violation.collection, violation.problem);
    }
    if report.violations.iter().any(|violation| violation.rule == "dangling reference") {
        text.push_str("  references that led nowhere in the data before are let pass with --allow-dangling\n");
    }
    let more = report.violation_count.saturating_sub(report.violations.len() as u64);
    if more > 0 {
        let _ = writeln!(text, "  and {} more", count(more));
    }
    text
}
