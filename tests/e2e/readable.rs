//! What the program says, without what differs from run to run.

use std::fmt::Write;

use godwit_tests::{Outcome, Shop, modules};

/// Settings under which texts of the program are compared.
pub(crate) fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r"/[^\s:;,()]*/shop[A-Za-z0-9]{6}\b", "[DIR]");
    settings.add_filter(&modules().display().to_string(), "[MODULES]");
    settings.add_filter(r"\b[0-9a-f]{64}\b", "[SHA256]");
    settings.add_filter(r"\((id )?[0-9a-f]{12}\)", "($1[DIGEST])");
    settings.add_filter(r"\b(was|is) [0-9a-f]{12}\b", "$1 [DIGEST]");
    settings.add_filter(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[TIME]");
    settings
}

/// Refusals: what was asked, how it ended, what it said. Nothing may have changed and nothing be left behind.
pub(crate) struct Refusals(String);

impl Refusals {
    pub(crate) fn new() -> Self {
        Self(String::new())
    }

    /// Runs what must be refused.
    #[track_caller]
    pub(crate) fn case(&mut self, shop: &Shop, case: &str, arguments: &[&str], status: i32) {
        let before = shop.tree();
        let outcome = shop.godwit(arguments);
        assert_eq!(shop.tree(), before, "{case}: nothing changed, nothing left behind");
        self.said(case, &outcome, status);
    }

    /// Notes how a run ended.
    #[track_caller]
    pub(crate) fn said(&mut self, case: &str, outcome: &Outcome, status: i32) {
        assert_eq!(outcome.status, Some(status), "{case}: {}{}", outcome.stdout, outcome.stderr);
        assert_eq!(outcome.stdout, "", "{case}: results go to standard output, errors do not");
        let _ = writeln!(self.0, "# {case}: {status}\n{}", outcome.stderr);
    }

    /// Compares all that was said with what was agreed on.
    pub(crate) fn compare(self, name: &str) {
        settings().bind(|| insta::assert_snapshot!(name, self.0.trim_end()));
    }
}
