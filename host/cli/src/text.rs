//! Results as text for people.

use std::fmt::Write;

use godwit_engine::{Plan, Report};
use indicatif::{BinaryBytes, HumanCount};

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

/// What a run did: collections, trees, warnings.
pub fn report(report: &Report) -> String {
    let mut rows = vec![["collection", "records in", "records out", "bytes out", ""].map(str::to_owned).to_vec()];
    for (name, counts) in &report.collections {
        let touched = if counts.touched { "migrated" } else { "as it is" };
        rows.push(vec![
            name.clone(),
            count(counts.records_in),
            count(counts.records_out),
            bytes(counts.bytes_out),
            touched.to_owned(),
        ]);
    }
    let mut text = if report.collections.is_empty() { String::new() } else { table(&rows) };
    for (name, tree) in &report.trees {
        let _ = writeln!(
            text,
            "  files {name}: {} files, {} directories, {} links, {}",
            count(tree.files),
            count(tree.directories),
            count(tree.links),
            bytes(tree.bytes)
        );
    }
    for warning in &report.warnings {
        let _ = writeln!(text, "  warning: {warning}");
    }
    text
}

/// A plan and what its dry run found.
pub fn plan(plan: &Plan) -> String {
    let mut text = format!("{} {} -> {}\n", plan.application, plan.from, plan.to);
    for step in &plan.chain {
        let _ = writeln!(
            text,
            "  {} -> {}  {} {} ({})",
            step.from,
            step.to,
            step.module,
            step.version,
            step.digest.short()
        );
        for (name, value) in &step.parameters {
            let _ = writeln!(text, "      {name} = {value}");
        }
    }
    if !plan.changes.is_empty() {
        text.push_str("changes of the catalog\n");
    }
    for change in &plan.changes {
        let _ = writeln!(text, "  {}: {}", change.place, change.change);
    }
    if let Some(found) = &plan.report {
        text.push_str("records\n");
        text.push_str(&report(found));
        text.push_str(&violations(found));
    }
    text
}

fn violations(report: &Report) -> String {
    if report.violation_count == 0 {
        return "no violation of the new catalog\n".to_owned();
    }
    let mut text = format!("{} violations of the new catalog\n", count(report.violation_count));
    for violation in &report.violations {
        let _ = writeln!(text, "  {}: {}: {}", violation.rule, violation.collection, violation.problem);
    }
    let more = report.violation_count.saturating_sub(report.violations.len() as u64);
    if more > 0 {
        let _ = writeln!(text, "  and {} more", count(more));
    }
    text
}
