//! What a module is and asks for, in words for an operator; nothing of it is run.

use std::fmt;

use godwit_model::{Digest, ModuleManifest};
use godwit_sandbox::{Module, tame, tame_line};
use godwit_trust::SignatureState;
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
    /// Whether it asks to see the live target, and not only the records that it is given.
    pub may_see_live_database: bool,
    /// Who signed it, where that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureState>,
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
            may_see_live_database: !module.manifest.target.is_empty(),
            asks_for,
            signature: None,
        }
    }

    /// With what is known of its signature.
    pub fn signed(self, signature: SignatureState) -> Self {
        Self { signature: Some(signature), ..self }
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
        manifest.in_words().iter().try_for_each(|(name, value)| say(name, value))?;
        say("asks for", &or_nothing(&self.asks_for))?;
        say("size", &format!("{} KiB", self.bytes.div_ceil(1024)))?;
        say("sha256", &self.digest.to_string())?;
        say("imports", &or_nothing(&self.imports))?;
        self.signature.iter().try_for_each(|signature| say("signature", &signature.to_string()))
    }
}

fn or_nothing(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| tame_line(name)).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_manifest_says_and_what_the_bytes_say() {
        let manifest = ModuleManifest::parse(
            br#"{"name": "acme/shop-2", "version": "0.3.0", "application": "shop", "description": "Bold.\u001b[2J",
                "from": ">=1.9.0, <1.10.0", "to": "1.10.0", "rewrites": ["a", "b"], "reads": ["a.id"]}"#,
        )
        .unwrap();
        let imports = ["types", "log", "database"].map(|name| format!("godwit:migration/{name}@0.1.0")).to_vec();
        let module = Module { manifest, imports, digest: Digest::of(b""), bytes: vec![0; 2000] };
        let outline = Outline::of(&module).signed(SignatureState::Unsigned);
        assert!(!outline.may_see_live_database, "it queries its input only");
        let text = outline.to_string();
        for part in [
            "acme/shop-2 0.3.0\n  Bold.\u{fffd}[2J\n  takes         shop data >=1.9.0, <1.10.0 to 1.10.0\n",
            "  rewrites      a, b\n  sees          every column of a, b\n  queries       a.id (and nothing else)\n  live target   may see it: no\n",
            "  asks for      log, database\n  size          2 KiB\n",
            "  signature     not signed\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in:\n{text}");
        }
    }
}
