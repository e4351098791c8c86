//! Something that is not as it should be.

use godwit_sandbox::{tame, tame_line};
use serde::Serialize;

/// What was found where; with what was expected there and what was got, where two things were compared.
///
/// Nothing of it can act on a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where: `users, record 3 (key 7), field email`.
    pub place: String,
    /// What is wrong, in words; empty where the two values say it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub problem: String,
    /// What should be there; none: nothing should.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What is there; none: nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
}

/// Characters shown of a value before the place where it differs from another.
const BEFORE_DIFFERENCE: usize = 30;

impl Finding {
    pub(crate) fn problem(place: &str, problem: &str) -> Self {
        Self { place: tame_line(place), problem: tame(problem), expected: None, got: None }
    }

    /// Two values that differ, each cut to the part that tells them apart.
    pub(crate) fn different(place: &str, expected: Option<&str>, got: Option<&str>) -> Self {
        let start = match (expected, got) {
            (Some(expected), Some(got)) => from_difference(expected, got),
            _ => 0,
        };
        let show = |text: &str| if start == 0 { tame_line(text) } else { format!("…{}", tame_line(&text[start..])) };
        Self { place: tame_line(place), problem: String::new(), expected: expected.map(show), got: got.map(show) }
    }
}

/// Where to begin so that the first difference is seen: at the start, unless it is far from there.
fn from_difference(one: &str, other: &str) -> usize {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let skipped = if same > 4 * BEFORE_DIFFERENCE { same - BEFORE_DIFFERENCE } else { 0 };
    one.char_indices().nth(skipped).map_or(0, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_shown_from_where_they_differ() {
        let (one, other) = ("å".repeat(500) + "x", "å".repeat(500) + "y");
        let found = Finding::different("here", Some(&one), Some(&other));
        assert_eq!(found.expected.unwrap(), format!("…{}x", "å".repeat(BEFORE_DIFFERENCE)));
        assert_eq!(found.got.unwrap(), format!("…{}y", "å".repeat(BEFORE_DIFFERENCE)));
        assert_eq!(Finding::different("here", Some("ab"), Some("ac")).expected.unwrap(), "ab");
        assert_eq!(
            Finding::different("here", Some(&one[..500]), Some(&one)).expected.unwrap().chars().next(),
            Some('…')
        );
    }

    #[test]
    fn nothing_acts_on_a_terminal() {
        let found = Finding::different("a\u{1b}[2J", Some("\u{9b}1m"), None);
        assert_eq!((found.place.as_str(), found.expected.as_deref()), ("a\u{fffd}[2J", Some("\u{fffd}1m")));
    }
}
