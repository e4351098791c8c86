//! `godwit inspect` and `godwit verify`

use std::fmt::Write;
use std::process::ExitCode;

use godwit_archive::{Archive, Depth};
use godwit_engine::{Event, Observer};
use godwit_model::Fault;
use serde_json::json;

use crate::args::{ArchiveOnly, Verify};
use crate::session::Session;
use crate::text;

pub fn inspect(session: &Session, args: &ArchiveOnly) -> Result<ExitCode, Fault> {
    let archive = Archive::open(&args.archive)?;
    let document =
        json!({ "command": "inspect", "archive": args.archive, "id": archive.id(), "manifest": archive.manifest() });
    session.show(&document, || describe(&archive))?;
    Ok(ExitCode::SUCCESS)
}

fn describe(archive: &Archive) -> String {
    let manifest = archive.manifest();
    let header = &manifest.header;
    let mut text = format!("{} {}\n", header.application, header.data_version);
    let mut say = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<12}{value}");
    };
    say("id", archive.id().to_string());
    say("taken", header.created.clone());
    say("godwit", header.host_version.clone());
    for (name, engine) in &manifest.sources {
        say("database", format!("{name} ({engine})"));
    }
    for step in &header.lineage {
        say(
            "migrated",
            format!("{} -> {} by {} {} ({})", step.from, step.to, step.module, step.version, step.digest.short()),
        );
    }
    header.excluded.iter().for_each(|glob| say("left out", glob.clone()));
    text + &totals(archive)
}

fn totals(archive: &Archive) -> String {
    let manifest = archive.manifest();
    let hidden = |id| archive.catalog().collection(id).is_some_and(|collection| collection.internal);
    let mut rows = vec![["collection", "records", "chunks", "bytes"].map(str::to_owned).to_vec()];
    for total in manifest.collections.iter().filter(|total| !hidden(&total.id)) {
        rows.push(vec![
            total.id.to_string(),
            text::count(total.records),
            text::count(total.chunks),
            text::bytes(total.bytes),
        ]);
    }
    let mut text = text::table(&rows);
    for tree in &manifest.trees {
        let _ = writeln!(text, "  files {}: {} files, {}", tree.name, text::count(tree.files), text::bytes(tree.bytes));
    }
    text
}

pub fn verify(session: &Session, args: &Verify) -> Result<ExitCode, Fault> {
    let mut archive = Archive::open(&args.archive)?;
    let depth = if args.deep { Depth::Contents } else { Depth::Digests };
    let mut seen = None;
    archive.verify(depth, &mut |done, total| {
        let event = match seen.replace(done) {
            None => Event::Stage { name: "verify", total: Some(total) },
            Some(before) => Event::Advance { bytes: done.saturating_sub(before), records: 0 },
        };
        session.progress.event(event);
        session.stop.check()
    })?;
    let document =
        json!({ "command": "verify", "archive": args.archive, "id": archive.id(), "deep": args.deep, "intact": true });
    session.show(&document, || format!("{} is intact (id {})\n", args.archive.display(), archive.id().short()))?;
    Ok(ExitCode::SUCCESS)
}
