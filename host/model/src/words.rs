//! A manifest in words for an operator: what a module does, and what it asks for.

use crate::text::plain;
use crate::{Access, ModuleManifest};

impl ModuleManifest {
    /// What it says of itself, line by line, each with what it is about; the name and the description are left out.
    pub fn in_words(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("takes", self.step())];
        if let Some(crossing) = &self.crosses {
            let (from, to) = (plain(&crossing.from), plain(&crossing.to));
            lines.push(("crosses", format!("from line {from} to line {to}, which needs --across-major")));
        }
        lines.extend(self.records());
        lines.extend(self.capabilities());
        lines.extend(self.parameters_in_words());
        lines.push((
            "order",
            (if self.ordered { "needs its records in order, on one worker" } else { "any" }).to_owned(),
        ));
        lines.push(("never", "network, clock, environment, other files: no module ever".to_owned()));
        lines
    }

    fn step(&self) -> String {
        let database = self.database.as_ref().map(|name| format!(" (database {name})")).unwrap_or_default();
        format!("{} data {} to {}{database}", plain(&self.application), self.from, self.to)
    }

    fn records(&self) -> impl Iterator<Item = (&'static str, String)> {
        let sets = [("rewrites", &self.rewrites), ("creates", &self.creates), ("drops", &self.drops)];
        sets.into_iter().filter(|(_, names)| !names.is_empty()).map(|(what, names)| (what, list(names)))
    }

    fn capabilities(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![];
        if !self.reads.is_empty() {
            lines.push(("queries", format!("{} (and nothing else)", list(&self.reads))));
        }
        if !self.indexes.is_empty() {
            lines.push(("looks up by", list(&self.indexes)));
        }
        if self.scratch {
            lines.push(("scratch", "keeps a private database, gone after the run".to_owned()));
        }
        if self.target.is_empty() {
            lines.push(("live target", "may see it: no".to_owned()));
        }
        lines.extend(self.target.iter().map(|(name, access)| {
            let does = if *access == Access::Read { "looks at" } else { "changes" };
            ("live target", format!("{does} {}", plain(name.as_str())))
        }));
        lines.extend(self.files.iter().map(|(name, access)| {
            let does = if *access == Access::Read { "reads" } else { "writes" };
            ("files", format!("{does} the tree {name}"))
        }));
        lines
    }

    fn parameters_in_words(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.parameters.iter().flat_map(|(name, parameter)| {
            let default = match &parameter.default {
                Some(value) => format!("default {}", plain(&value.to_string())),
                None => "must be given".to_owned(),
            };
            [("parameter", format!("{} ({default})", plain(name))), ("", plain(&parameter.description))]
        })
    }
}

fn list(names: impl IntoIterator<Item = impl ToString>) -> String {
    names.into_iter().map(|name| plain(&name.to_string())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_a_module_asks_for_is_said() {
        let manifest = ModuleManifest::parse(
            br#"{"name": "acme/shop-2", "version": "0.3.0", "application": "shop",
                "from": ">=1.9.0, <2.0.0", "to": "2.0.0", "crosses": {"from": "1", "to": "2"}, "database": "main",
                "rewrites": ["a", "b"], "creates": ["c"], "drops": ["d"], "reads": ["a.id"], "indexes": ["a.id"],
                "scratch": true, "target": {"a": "read", "b": "read-write"},
                "files": {"conf": "read", "data": "read-write"},
                "parameters": {"p": {"description": "What to\u001b do"}, "q": {"description": "x", "default": "fail"}},
                "ordered": true}"#,
        )
        .unwrap();
        let said: Vec<_> = manifest.in_words().into_iter().map(|(what, text)| format!("{what}: {text}")).collect();
        let expected = [
            "takes: shop data >=1.9.0, <2.0.0 to 2.0.0 (database main)",
            "crosses: from line 1 to line 2, which needs --across-major",
            "rewrites: a, b",
            "creates: c",
            "drops: d",
            "queries: a.id (and nothing else)",
            "looks up by: a.id",
            "scratch: keeps a private database, gone after the run",
            "live target: looks at a",
            "live target: changes b",
            "files: reads the tree conf",
            "files: writes the tree data",
            "parameter: p (must be given)",
            ": What to\u{fffd} do",
            "parameter: q (default \"fail\")",
            ": x",
            "order: needs its records in order, on one worker",
            "never: network, clock, environment, other files: no module ever",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn what_a_module_does_not_see_is_said_too() {
        let manifest = br#"{"name":"a/b","version":"1.0.0","application":"x","from":"1","to":"1.1.0"}"#;
        let lines = ModuleManifest::parse(manifest).unwrap().in_words();
        assert!(lines.contains(&("live target", "may see it: no".to_owned())), "{lines:?}");
    }
}
