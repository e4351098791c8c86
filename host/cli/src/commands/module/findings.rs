//! What was found, as text for people.

use std::fmt::Write;
use std::io::IsTerminal;

use godwit_author::Finding;

/// Findings shown of one case or step; one mistake makes many.
const SHOWN: usize = 20;

/// Colours, where standard output is a terminal that wants them.
#[derive(Clone, Copy)]
pub struct Paint(bool);

impl Paint {
    pub fn new() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(std::io::stdout().is_terminal() && !unwanted)
    }

    pub fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Each finding with its place; where two values differ, one above the other.
pub fn describe(findings: &[Finding], paint: Paint) -> String {
    let mut text = String::new();
    for finding in findings.iter().take(SHOWN) {
        let problem = if finding.problem.is_empty() { String::new() } else { format!(": {}", finding.problem) };
        let _ = writeln!(text, "    {}{problem}", finding.place);
        if finding.expected.is_some() || finding.got.is_some() {
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
            let _ = writeln!(text, "      expected  {}", paint.green(&shown(&finding.expected)));
            let _ = writeln!(text, "      got       {}", paint.red(&shown(&finding.got)));
        }
    }
    if findings.len() > SHOWN {
        let _ = writeln!(text, "    and {} more", findings.len() - SHOWN);
    }
    text
}
