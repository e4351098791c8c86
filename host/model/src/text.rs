//! Text that another wrote, on its way to a terminal.

/// A character as it may be shown: what could act on a terminal, or turn the text after it round, is replaced.
pub fn harmless(c: char) -> char {
    if c.is_control() || reorders(c) { '\u{fffd}' } else { c }
}

/// A text with every character [`harmless`], on one line.
pub fn plain(text: &str) -> String {
    text.chars().map(harmless).collect()
}

/// Characters that end lines, or turn what follows them round: text that reads otherwise than it is.
fn reorders(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
