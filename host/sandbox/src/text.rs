//! A module's text on its way to a terminal or a log.

use godwit_model::harmless;

use crate::limits::TEXT_BYTES;

/// Bytes kept of a text that names something: a field, a key, an import.
const NAME_BYTES: usize = 256;

/// Cuts text to [`TEXT_BYTES`] and takes out what could act on a terminal or show what is not there.
/// Further lines are indented, so that none can pass for a line of the program's own.
pub fn tame(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len().min(TEXT_BYTES));
    for c in cut(text, TEXT_BYTES).trim_end().chars() {
        match c {
            '\n' => tamed.push_str("\n    "),
            '\t' => tamed.push('\t'),
            c => tamed.push(harmless(c)),
        }
    }
    tamed + ending(text, TEXT_BYTES)
}

/// The same for what belongs on one line, and is short.
pub fn tame_line(text: &str) -> String {
    cut(text, NAME_BYTES).chars().map(harmless).collect::<String>() + ending(text, NAME_BYTES)
}

/// Whether a name reads as what it is.
pub(crate) fn is_plain(name: &str) -> bool {
    name.chars().all(|c| harmless(c) == c)
}

fn ending(text: &str, limit: usize) -> &'static str {
    if text.len() > limit { "…" } else { "" }
}

/// The longest beginning of whole characters within so many bytes.
fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_on_a_terminal() {
        assert_eq!(tame("a\u{1b}[2J\u{9b}1m\rb\0\u{7f}"), "a\u{fffd}[2J\u{fffd}1m\u{fffd}b\u{fffd}\u{fffd}");
        assert_eq!(tame("txt.\u{202e}exe\u{2066}"), "txt.\u{fffd}exe\u{fffd}");
        assert_eq!(tame("\tå 漢字 \u{1f426}"), "\tå 漢字 \u{1f426}");
    }

    #[test]
    fn no_line_passes_for_the_programs_own() {
        assert_eq!(tame("fine\nerror: not\n\n"), "fine\n    error: not");
        assert_eq!(tame_line("fine\nerror: not"), "fine\u{fffd}error: not");
    }

    #[test]
    fn text_is_cut_between_characters() {
        let long = tame(&"ö".repeat(TEXT_BYTES));
        assert_eq!(long.chars().count(), TEXT_BYTES / 2 + 1);
        assert!(long.ends_with("ö…"));
        assert_eq!(tame_line(&"x".repeat(257)).len(), 256 + '…'.len_utf8());
        assert_eq!(tame(&"x".repeat(TEXT_BYTES)).len(), TEXT_BYTES);
    }
}
