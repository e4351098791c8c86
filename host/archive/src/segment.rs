//! Names as parts of paths, reversibly: what could mislead a file system, a shell or a reader is
//! written as `%XX`.

use std::fmt::Write;

use godwit_model::Digest;

use crate::limits::SEGMENT_BYTES_MAX;

/// Bytes of a cut name that stay readable; `~` and 32 digits of a digest follow.
const CUT: usize = 160;

/// A collection's folder. Letters, digits, `_`, `.` and `-` stay.
pub(crate) fn of_collection(name: &str) -> String {
    fit(escape(name, |c| c.is_ascii_alphanumeric() || "_.-".contains(c)), name)
}

/// A part of a tree path. Whatever is readable in any language stays, but a final `.zst` does not:
/// that ending is for what the archive itself compressed.
pub(crate) fn of_tree_part(name: &str) -> String {
    let mut segment = escape(name, |c| c.is_alphanumeric() || "_.- ,+=@()".contains(c));
    let stem = segment.len().saturating_sub(4);
    if segment.get(stem..).is_some_and(|end| end.eq_ignore_ascii_case(".zst")) {
        segment.replace_range(stem..=stem, "%2E");
    }
    fit(segment, name)
}

fn escape(name: &str, keep: fn(char) -> bool) -> String {
    let mut segment = String::with_capacity(name.len());
    for (at, c) in name.char_indices() {
        if keep(c) && (at, c) != (0, '.') { segment.push(c) } else { escape_char(c, &mut segment) }
    }
    segment
}

fn escape_char(c: char, segment: &mut String) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        write!(segment, "%{byte:02X}").expect("writing to a string never fails");
    }
}

fn fit(mut segment: String, name: &str) -> String {
    if segment.len() > SEGMENT_BYTES_MAX {
        segment.truncate(cut_point(&segment));
        write!(segment, "~{}", &Digest::of(name.as_bytes()).to_string()[..32]).expect("as above");
    }
    segment
}

/// At most [`CUT`], inside neither a character nor a `%XX`.
fn cut_point(segment: &str) -> usize {
    let whole = |&at: &usize| segment.is_char_boundary(at) && !segment.as_bytes()[at - 2..at].contains(&b'%');
    (2..=CUT).rev().find(whole).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unescape(segment: &str) -> Option<String> {
        let (mut bytes, mut rest) = (Vec::new(), segment.as_bytes());
        while let Some((&first, tail)) = rest.split_first() {
            rest = tail;
            match first {
                b'%' => {
                    bytes.push(u8::from_str_radix(std::str::from_utf8(rest.get(..2)?).ok()?, 16).ok()?);
                    rest = &rest[2..];
                }
                other => bytes.push(other),
            }
        }
        String::from_utf8(bytes).ok()
    }

    #[test]
    fn names_stay_readable_and_harmless() {
        assert_eq!(of_collection("dcim_device.v2-x"), "dcim_device.v2-x");
        assert_eq!(of_collection("../etc"), "%2E.%2Fetc");
        assert_eq!(of_collection("Käse"), "K%C3%A4se");
        assert_eq!(of_tree_part("Käse 1 (neu).txt"), "Käse 1 (neu).txt");
        assert_eq!(of_tree_part(".env"), "%2Eenv");
        assert_eq!(of_tree_part("data.zst"), "data%2Ezst");
        assert_eq!(of_tree_part("a\nb\\c"), "a%0Ab%5Cc");
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let (a, b) = ("x".repeat(400) + "a", "x".repeat(400) + "b");
        assert!(of_collection(&a).len() <= SEGMENT_BYTES_MAX);
        assert_ne!(of_collection(&a), of_collection(&b));
        for offset in 0..3 {
            let cut = of_collection(&("x".repeat(offset) + &"é".repeat(100)));
            let (readable, _) = cut.split_once('~').unwrap();
            assert!(readable.len() > CUT - 3 && (readable.len() - offset) % 3 == 0, "{cut}");
        }
    }

    proptest! {
        #[test]
        fn short_names_come_back(name in "[^/\0]{1,20}") {
            for segment in [of_collection(&name), of_tree_part(&name)] {
                prop_assert!(!segment.starts_with('.') && !segment.contains(['/', '\\', '\n', '~']), "{}", segment);
                let back = unescape(&segment);
                prop_assert_eq!(back.as_deref(), Some(name.as_str()));
            }
        }
    }
}
