//! Many acts in one call: each is told with its outcome, so that the log is the table of them.

use godwit_sdk::host::{Level, log};

/// Longest text told of an act, or of its outcome.
const TOLD: usize = 160;

pub(crate) fn tell(act: &str, outcome: &str) {
    log(Level::Warn, &format!("{}  ->  {}", short(act), short(outcome)));
}

/// The beginning of a text, and how long it is.
pub(crate) fn short(text: &str) -> String {
    match text.char_indices().nth(TOLD) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
    }
}
