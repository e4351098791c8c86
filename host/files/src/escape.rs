//! Names of any bytes as text and back.

use std::fmt::Write as _;

/// A name, or the target of a link, as text: bytes that are not UTF-8, control characters and `%`
/// become `%XX`, in upper-case hexadecimal digits. A `/` stays.
pub fn escape(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for piece in name.utf8_chunks() {
        for character in piece.valid().chars() {
            match character {
                '%' | '\0'..='\x1f' | '\x7f' => escape_byte(&mut text, character as u8),
                _ => text.push(character),
            }
        }
        piece.invalid().iter().for_each(|&byte| escape_byte(&mut text, byte));
    }
    text
}

fn escape_byte(text: &mut String, byte: u8) {
    write!(text, "%{byte:02X}").expect("writing to a string does not fail");
}

/// The bytes that [`escape`] wrote as this text; none where it can have come from no name, so that
/// no two texts stand for one name and none can smuggle in a `/` or a `..`.
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut name = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => name.push(hexadecimal(&mut rest)?),
            _ => name.push(byte),
        }
    }
    (escape(&name) == text).then_some(name)
}

fn hexadecimal(rest: &mut &[u8]) -> Option<u8> {
    let (digits, after) = rest.split_first_chunk::<2>()?;
    *rest = after;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn odd_bytes_and_nothing_else_are_escaped() {
        assert_eq!(escape("Größe 1.txt".as_bytes()), "Größe 1.txt");
        assert_eq!(escape(b"100%\n\xff\x7f"), "100%25%0A%FF%7F");
        assert_eq!(escape(b"../x"), "../x");
    }

    #[test]
    fn only_what_escape_writes_is_read() {
        for text in ["%", "%2", "%2F", "%2e%2e", "%2E%2E", "%61", "%ff%", "%+1", "a\nb", "%C3%A4", "%0a"] {
            assert_eq!(unescape(text), None, "{text:?}");
        }
        assert_eq!(unescape("%FF%25%0A").as_deref(), Some(&b"\xff%\n"[..]));
    }

    proptest! {
        #[test]
        fn any_name_comes_back(name in proptest::collection::vec(any::<u8>(), 0..64)) {
            let text = escape(&name);
            prop_assert!(!text.chars().any(|c| c.is_ascii_control()));
            prop_assert_eq!(unescape(&text), Some(name));
        }

        #[test]
        fn any_text_is_refused_or_stands_for_one_name(text in "[%0-9A-Fa-fx/. é]{0,12}") {
            if let Some(name) = unescape(&text) {
                prop_assert_eq!(escape(&name), text);
            }
        }
    }
}
