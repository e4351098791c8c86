//! An attack: a behaviour of the module `tests/guests/hostile`, and how a run must end that meets it.

use std::fmt::Write;

use serde_json::Value;

use crate::range::{Range, filtered, hostile};

/// One attack. A `plan` must end as `migrate` does.
#[derive(Clone, Copy)]
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) behaviour: &'static str,
    status: i32,
    memory: &'static str,
    time: &'static str,
    options: &'static [&'static str],
    manifest: fn(&mut Value),
}

pub(crate) const fn attack(behaviour: &'static str, status: i32) -> Attack {
    // What is to end well is not about time, and the machine may be busy.
    let time = if status == 0 { "20" } else { "1" };
    Attack { name: behaviour, behaviour, status, memory: "32", time, options: &[], manifest: |_| {} }
}

impl Attack {
    /// The guest needs room for what it is up to.
    pub(crate) const fn with_room(self) -> Self {
        Self { memory: "200", ..self }
    }

    pub(crate) const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    pub(crate) const fn declaring(self, manifest: fn(&mut Value)) -> Self {
        Self { manifest, ..self }
    }

    /// The operator moved a limit.
    pub(crate) const fn with(self, options: &'static [&'static str]) -> Self {
        Self { options, ..self }
    }

    /// Tries it with both commands; answers what was said.
    fn tried(&self) -> String {
        let range = Range::new(&hostile(self.manifest)).named(self.name);
        let behaviour = format!("behaviour={}", self.behaviour);
        let options = self.options_with(&behaviour);
        let plan = range.run("plan", &options);
        assert_eq!(plan.status, Some(self.status), "plan, {}: {}", self.name, filtered(&range, &plan));
        assert!(is_harmless(&plan.stdout), "{}: {:?}", self.name, plan.stdout);
        let migrate = range.run("migrate", &options);
        self.judged(&filtered(&range, &migrate), migrate.status)
    }

    /// Tries it on a live application, which a failed restore must leave as it was.
    fn restored(&self) -> String {
        let range = Range::live(&hostile(self.manifest)).named(self.name);
        let behaviour = format!("behaviour={}", self.behaviour);
        let restore = range.run("restore", &self.options_with(&behaviour));
        self.judged(&filtered(&range, &restore), restore.status)
    }

    fn options_with<'a>(&self, behaviour: &'a str) -> Vec<&'a str> {
        [&["--module-time", self.time, "--module-memory", self.memory, "--parameter", behaviour], self.options].concat()
    }

    #[track_caller]
    fn judged(&self, said: &str, status: Option<i32>) -> String {
        assert_eq!(status, Some(self.status), "{}: {said}", self.name);
        assert!(is_harmless(said), "{}: {said:?}", self.name);
        said.to_owned()
    }
}

/// Nothing in it acts on a terminal.
fn is_harmless(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t')
}

pub(crate) fn try_all(attacks: &[Attack]) -> String {
    told(attacks, Attack::tried)
}

pub(crate) fn restore_all(attacks: &[Attack]) -> String {
    told(attacks, Attack::restored)
}

fn told(attacks: &[Attack], try_it: fn(&Attack) -> String) -> String {
    let mut text = String::new();
    for attack in attacks {
        let _ = writeln!(text, "## {}\n{}\n", attack.name, try_it(attack));
    }
    text
}
