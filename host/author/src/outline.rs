//! What a module is and asks for, in words for an operator; nothing of it is run.

use std::fmt;

use godwit_model::{Digest, ModuleManifest};
use godwit_sandbox::{Module, tame, tame_line};
use serde::Serialize;

/// What a module says of itself, and what its bytes say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outline {
    /// Its manifest.
    pub manifest: ModuleManifest,
    /// Digest of its bytes: what an operator approves.
    pub digest: Digest,
    /// Its length in bytes.
    pub bytes: usize,
    /// What it imports: all that it can do beside computing.
    pub imports: Vec<String>,
    /// The capabilities among them: `log`, `parameters`, `database`, `files`.
    pub asks_for: Vec<String>,
    /// Whether it may come to see the live database, and not only the records that it is given.
    pub may_see_live_database: bool,
}

impl Outline {
    /// Of a module that was read.
    pub fn of(module: &Module) -> Self {
        let asks_for: Vec<_> = module.imports.iter().filter_map(|import| capability(import)).collect();
        Self {
            manifest: module.manifest.clone(),
            digest: module.digest,
            bytes: module.bytes.len(),
            imports: module.imports.clone(),
            may_see_live_database: asks_for.iter().any(|name| name == "database"),
            asks_for,
        }
    }
}

/// The interface's name, unless it brings types only.
fn capability(import: &str) -> Option<String> {
    let name = import.strip_prefix("godwit:migration/")?.split('@').next()?;
    (!matches!(name, "types" | "catalog")).then(|| name.to_owned())
}

impl fmt::Display for Outline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manifest = &self.manifest;
        writeln!(f, "{} {}", manifest.name, manifest.version)?;
        if !manifest.description.is_empty() {
            writeln!(f, "  {}", tame(&manifest.description))?;
        }
        let mut say = |name: &str, value: &str| writeln!(f, "  {name:<14}{value}");
        say("takes", &step(manifest))?;
        if let Some(crossing) = &manifest.crosses {
            let (from, to) = (tame_line(&crossing.from), tame_line(&crossing.to));
            say("crosses", &format!("from line {from} to line {to}, which needs --across-major"))?;
        }
        say_records(manifest, &mut say)?;
        say_parameters(manifest, &mut say)?;
        say("order", if manifest.ordered { "needs its records in order, on one worker" } else { "any" })?;
        say("asks for", &or_nothing(&self.asks_for))?;
        say("live database", if self.may_see_live_database { "may see it, where granted" } else { "may not see it" })?;
        say("size", &format!("{} KiB", self.bytes.div_ceil(1024)))?;
        say("sha256", &self.digest.to_string())?;
        say("imports", &or_nothing(&self.imports))
    }
}

type Say<'a> = dyn FnMut(&str, &str) -> fmt::Result + 'a;

fn step(manifest: &ModuleManifest) -> String {
    let database = manifest.database.as_ref().map(|name| format!(" (database {name})")).unwrap_or_default();
    format!("{} data {} to {}{database}", tame_line(&manifest.application), manifest.from, manifest.to)
}

fn say_records(manifest: &ModuleManifest, say: &mut Say<'_>) -> fmt::Result {
    for (name, collections) in
        [("rewrites", &manifest.rewrites), ("creates", &manifest.creates), ("drops", &manifest.drops)]
    {
        if !collections.is_empty() {
            say(name, &or_nothing(collections))?;
        }
    }
    if !manifest.reads.is_empty() {
        say("queries", &or_nothing(&manifest.reads))?;
    }
    manifest.files.iter().try_for_each(|(tree, access)| say("files", &format!("{tree}, {access}")))
}

fn say_parameters(manifest: &ModuleManifest, say: &mut Say<'_>) -> fmt::Result {
    for (name, parameter) in &manifest.parameters {
        let default = match &parameter.default {
            Some(value) => format!("default {}", tame_line(&value.to_string())),
            None => "must be given".to_owned(),
        };
        say("parameter", &format!("{} ({default})", tame_line(name)))?;
        say("", &tame(&parameter.description))?;
    }
    Ok(())
}

fn or_nothing(names: impl IntoIterator<Item = impl ToString>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| tame_line(&name.to_string())).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_a_module_asks_for_is_said() {
        let manifest = ModuleManifest::parse(
            br#"{"name": "acme/shop-2", "version": "0.3.0", "application": "shop", "description": "Bold.\u001b[2J",
                "from": ">=1.9.0, <2.0.0", "to": "2.0.0", "crosses": {"from": "1", "to": "2"}, "database": "main",
                "rewrites": ["a", "b"], "creates": ["c"], "drops": ["d"], "reads": ["a.id"], "files": {"conf": "read"},
                "parameters": {"p": {"description": "What to do"}, "q": {"description": "x", "default": "fail"}},
                "ordered": true}"#,
        )
        .unwrap();
        let imports = ["types", "log", "database"].map(|name| format!("godwit:migration/{name}@0.1.0")).to_vec();
        let module = Module { manifest, imports, digest: Digest::of(b""), bytes: vec![0; 2000] };
        let text = Outline::of(&module).to_string();
        for part in [
            "acme/shop-2 0.3.0\n  Bold.\u{fffd}[2J\n",
            "  takes         shop data >=1.9.0, <2.0.0 to 2.0.0 (database main)\n",
            "  crosses       from line 1 to line 2, which needs --across-major\n",
            "  rewrites      a, b\n  creates       c\n  drops         d\n  queries       a.id\n  files         conf, read\n",
            "  parameter     p (must be given)\n                What to do\n",
            "  parameter     q (default \"fail\")\n",
            "  order         needs its records in order",
            "  asks for      log, database\n  live database may see it, where granted\n  size          2 KiB\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in:\n{text}");
        }
    }
}
