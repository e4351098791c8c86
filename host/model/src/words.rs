//! A manifest in words for an operator: what a module does, and what it asks for.

use std::collections::BTreeSet;

use crate::text::plain;
use crate::{Access, CollectionName, ModuleManifest};

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
        if self.ordered {
            lines.push(("order", "needs its records in order, on one worker".to_owned()));
        }
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

    /// What it comes to know of the records, by whatever way: to change or to drop a record, it gets all of it.
    fn sees(&self) -> String {
        let gets = self.rewrites.iter().chain(&self.drops).map(CollectionName::as_str);
        let all = gets.chain(self.reads.iter().map(String::as_str).filter(|entry| !entry.contains('.')));
        let all: BTreeSet<_> = all.collect();
        let is_within = |entry: &str| all.iter().any(|whole| entry.split_once('.').is_some_and(|(of, _)| of == *whole));
        let some = list(self.reads.iter().filter(|entry| entry.contains('.') && !is_within(entry)));
        match (all.is_empty(), some.is_empty()) {
            (true, true) => "no record".to_owned(),
            (true, false) => some,
            (false, true) => format!("every column of {}", list(all)),
            (false, false) => format!("every column of {}; {some}", list(all)),
        }
    }

    fn capabilities(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("sees", self.sees())];
        if !self.reads.is_empty() {
            lines.push(("queries", format!("{} (and nothing else)", list(&self.reads))));
        }
        if !self.indexes.is_empty() {
            lines.push(("looks up by", list(&self.indexes)));
        }
        if self.scratch {
            lines.push(("scratch", "keeps a private database, gone after the run".to_owned()));
        }
        lines.extend(self.live_target());
        lines.extend(self.files.iter().map(|(name, access)| {
            let does = if *access == Access::Read { "reads" } else { "reads and writes" };
            ("files", format!("{does} every file of the tree {name}"))
        }));
        lines
    }

    /// A line for each access.
    fn live_target(&self) -> Vec<(&'static str, String)> {
        if self.target.is_empty() {
            return vec![("live target", "may see it: no".to_owned())];
        }
        let line = |(does, wanted)| {
            let names: Vec<_> =
                self.target.iter().filter(|(_, access)| **access == wanted).map(|(name, _)| name).collect();
            let those = list(&names);
            let when = "in the live database, once restored, before anyone else sees it";
            (!names.is_empty()).then(|| ("live target", format!("{does} {those} {when}")))
        };
        [("looks at", Access::Read), ("changes", Access::ReadWrite)].into_iter().filter_map(line).collect()
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
                "rewrites": ["a", "b"], "creates": ["c"], "drops": ["d"], "reads": ["a.id", "e.id", "e.x", "f", "f.id"],
                "indexes": ["a.id"],
                "scratch": true, "target": {"a": "read", "b": "read-write", "c": "read"},
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
            "sees: every column of a, b, d, f; e.id, e.x",
            "queries: a.id, e.id, e.x, f, f.id (and nothing else)",
            "looks up by: a.id",
            "scratch: keeps a private database, gone after the run",
            "live target: looks at a, c in the live database, once restored, before anyone else sees it",
            "live target: changes b in the live database, once restored, before anyone else sees it",
            "files: reads every file of the tree conf",
            "files: reads and writes every file of the tree data",
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
        for line in [("live target", "may see it: no"), ("sees", "no record")] {
            assert!(lines.contains(&(line.0, line.1.to_owned())), "{lines:?}");
        }
        assert!(lines.iter().all(|(what, _)| *what != "order"), "{lines:?}");
    }
}
