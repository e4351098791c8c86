//! Finding the chain: the ordered modules from the version the data has to the version wanted.

use std::collections::BTreeMap;

use semver::Version;

use crate::{Line, ModuleManifest, ModuleName};

/// Why there is no chain, or no one chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Nothing leads on from a version.
    #[error(
        "no chain of modules leads {application} from {from} to {to}: {}; {}",
        if reached == from { format!("no module takes data at {from}") } else { format!("the modules reach {reached}, and none leads on from there") },
        if near_misses.is_empty() { format!("give a directory that holds a module from {reached} with --modules") } else { format!("looked at {}", near_misses.join(", ")) }
    )]
    Gap {
        /// The application.
        application: String,
        /// The version of the data.
        from: Box<Version>,
        /// The version wanted.
        to: Box<Version>,
        /// How far the modules lead.
        reached: Box<Version>,
        /// Modules of the application that do not fit, with what they take and make.
        near_misses: Vec<String>,
    },
    /// Two modules could take the same step.
    #[error(
        "two modules lead on from {at} towards {to}: {one} and {other}; keep only one of them in the module directories"
    )]
    Ambiguous {
        /// The version where they meet.
        at: Box<Version>,
        /// The version wanted.
        to: Box<Version>,
        /// A module.
        one: ModuleName,
        /// Another.
        other: ModuleName,
    },
    /// The chain crosses compatibility lines and nobody said that it may.
    #[error(
        "{module} takes the data across a major version, from line {from} to line {to}; read its release notes, then pass --across-major"
    )]
    Across {
        /// The module that steps across.
        module: ModuleName,
        /// Line left.
        from: String,
        /// Line entered.
        to: String,
    },
}

/// The indexes into `modules` of the one chain from `from` to `to`.
pub fn resolve_chain(
    application: &str,
    modules: &[ModuleManifest],
    from: &Version,
    to: &Version,
    across_major: bool,
) -> Result<Vec<usize>, ChainError> {
    let usable: Vec<usize> = (0..modules.len()).filter(|&i| modules[i].application == application).collect();
    let mut search = Search { modules, usable: &usable, to, known: BTreeMap::new() };
    let mut chain = Vec::new();
    let mut at = from.clone();
    while !same(&at, to) {
        let leading = search.leading_on(&at);
        match leading[..] {
            [] => return Err(search.gap(application, from)),
            [only] => {
                check_crossing(&modules[only], &at, across_major)?;
                at = modules[only].to.clone();
                chain.push(only);
            }
            [one, other, ..] => {
                return Err(ChainError::Ambiguous {
                    at: Box::new(at),
                    to: Box::new(to.clone()),
                    one: modules[one].name.clone(),
                    other: modules[other].name.clone(),
                });
            }
        }
    }
    Ok(chain)
}

fn check_crossing(module: &ModuleManifest, at: &Version, allowed: bool) -> Result<(), ChainError> {
    match module.crosses.is_some() && !allowed {
        false => Ok(()),
        true => Err(ChainError::Across {
            module: module.name.clone(),
            from: Line::of(at).to_string(),
            to: Line::of(&module.to).to_string(),
        }),
    }
}

fn same(a: &Version, b: &Version) -> bool {
    a.cmp_precedence(b).is_eq()
}

struct Search<'a> {
    modules: &'a [ModuleManifest],
    usable: &'a [usize],
    to: &'a Version,
    known: BTreeMap<Version, bool>,
}

impl Search<'_> {
    fn steps_from(&self, at: &Version) -> Vec<usize> {
        let fits = |&i: &usize| {
            let module = &self.modules[i];
            module.from.matches(at)
                && module.may_step_from(at)
                && at.cmp_precedence(&module.to).is_lt()
                && module.to.cmp_precedence(self.to).is_le()
        };
        self.usable.iter().copied().filter(fits).collect()
    }

    fn leading_on(&mut self, at: &Version) -> Vec<usize> {
        let steps = self.steps_from(at);
        steps.into_iter().filter(|&i| self.reaches(&self.modules[i].to.clone())).collect()
    }

    fn reaches(&mut self, at: &Version) -> bool {
        if same(at, self.to) {
            return true;
        }
        if let Some(&known) = self.known.get(at) {
            return known;
        }
        let reaches = !self.leading_on(at).is_empty();
        self.known.insert(at.clone(), reaches);
        reaches
    }

    fn gap(&self, application: &str, from: &Version) -> ChainError {
        let reached = self.farthest(from);
        let describe = |&i: &usize| self.describe(i, &reached);
        ChainError::Gap {
            application: application.to_owned(),
            from: Box::new(from.clone()),
            to: Box::new(self.to.clone()),
            near_misses: self.usable.iter().map(describe).collect(),
            reached: Box::new(reached),
        }
    }

    fn describe(&self, i: usize, reached: &Version) -> String {
        let module = &self.modules[i];
        let silent = module.from.matches(reached) && !module.may_step_from(reached);
        let why = if silent { ", which does not declare that it crosses a major version" } else { "" };
        format!("{} ({} to {}){why}", module.name, module.from, module.to)
    }

    fn farthest(&self, from: &Version) -> Version {
        let ends = self.steps_from(from).into_iter().map(|i| self.farthest(&self.modules[i].to));
        ends.chain([from.clone()]).max_by(Version::cmp_precedence).expect("the chain above is never empty")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(name: &str, from: &str, to: &str) -> ModuleManifest {
        let json = serde_json::json!({"name": format!("acme/{name}"), "version": "0.1.0", "application": "inventory", "from": from, "to": to});
        ModuleManifest::parse(json.to_string().as_bytes()).unwrap()
    }

    fn resolve(modules: &[ModuleManifest], from: &str, to: &str, across: bool) -> Result<Vec<usize>, ChainError> {
        resolve_chain("inventory", modules, &from.parse().unwrap(), &to.parse().unwrap(), across)
    }

    #[test]
    fn a_chain_is_found_whatever_the_order_of_the_modules() {
        let modules = [module("b", ">=1.1, <1.2", "1.2.0"), module("a", ">=1.0, <1.1", "1.1.0")];
        assert_eq!(resolve(&modules, "1.0.3", "1.2.0", false), Ok(vec![1, 0]));
        assert_eq!(resolve(&modules, "1.1.0", "1.1.0", false), Ok(vec![]));
    }

    #[test]
    fn a_gap_is_named() {
        let modules = [module("a", "=1.0.0", "1.1.0"), module("c", "=1.2.0", "1.3.0")];
        let message = resolve(&modules, "1.0.0", "1.3.0", false).unwrap_err().to_string();
        assert!(message.contains("reach 1.1.0, and none leads on"), "{message}");
    }

    #[test]
    fn a_dead_end_is_not_a_candidate() {
        let modules =
            [module("a", "=1.0.0", "1.1.0"), module("stray", "=1.0.0", "1.0.5"), module("b", "=1.1.0", "1.2.0")];
        assert_eq!(resolve(&modules, "1.0.0", "1.2.0", false), Ok(vec![0, 2]));
    }

    #[test]
    fn two_ways_are_one_too_many() {
        let modules =
            [module("a", "=1.0.0", "1.1.0"), module("b", "=1.1.0", "1.2.0"), module("jump", "=1.0.0", "1.2.0")];
        assert!(matches!(resolve(&modules, "1.0.0", "1.2.0", false), Err(ChainError::Ambiguous { .. })));
    }

    #[test]
    fn a_major_is_crossed_only_when_both_sides_are_named_and_the_operator_says_so() {
        let undeclared = [module("a", "^1", "2.0.0")];
        assert!(matches!(resolve(&undeclared, "1.9.0", "2.0.0", true), Err(ChainError::Gap { .. })));

        let mut declared = module("a", "^1", "2.0.0");
        declared.crosses = Some(crate::Crossing { from: "1".into(), to: "2".into() });
        let declared = [declared];
        assert!(matches!(resolve(&declared, "1.9.0", "2.0.0", false), Err(ChainError::Across { .. })));
        assert_eq!(resolve(&declared, "1.9.0", "2.0.0", true), Ok(vec![0]));
    }

    #[test]
    fn a_module_never_leads_back() {
        let modules = [module("back", ">=1.0", "1.0.0"), module("round", ">=1.0", "1.1.0")];
        assert!(matches!(resolve(&modules, "1.1.0", "1.2.0", false), Err(ChainError::Gap { .. })));
    }
}
