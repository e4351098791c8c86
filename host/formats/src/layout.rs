//! Where things are in a fixture directory.

use std::fmt::Write as _;

use godwit_model::{CollectionName, Digest};

/// The shape of the data.
pub(crate) const CATALOG: &str = "catalog.json";

/// The folder of the file trees; no database can have this name.
pub(crate) const TREES: &str = "files";

/// Longest name of a file without its extension; file systems allow 255 bytes in all.
const NAME_BYTES_MAX: usize = 200;

/// How much of a name stays readable where it is too long.
const NAME_BYTES_KEPT: usize = 120;

/// The name of a collection's file. No two collections share one: `%-` occurs in no escape.
pub(crate) fn file_name(collection: &CollectionName, extension: &str) -> String {
    let escaped = escape(collection.as_str());
    if escaped.len() <= NAME_BYTES_MAX {
        return format!("{escaped}.{extension}");
    }
    let digest = Digest::of(collection.as_str().as_bytes());
    format!("{}%-{digest}.{extension}", &escaped[..NAME_BYTES_KEPT])
}

fn escape(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for (i, byte) in name.bytes().enumerate() {
        match byte {
            b'.' if i > 0 => text.push('.'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => text.push(byte.into()),
            _ => write!(text, "%{byte:02X}").expect("writing to a string does not fail"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    fn named(name: &str) -> String {
        file_name(&CollectionName::new(name).unwrap(), "jsonl")
    }

    #[test]
    fn plain_names_stay_and_odd_ones_are_escaped() {
        assert_eq!(named("auth.user_2-x"), "auth.user_2-x.jsonl");
        assert_eq!(named("../etc/pass wd"), "%2E.%2Fetc%2Fpass%20wd.jsonl");
        assert_eq!(named("ä%"), "%C3%A4%25.jsonl");
        let (long, longer) = (named(&"x".repeat(300)), named(&"x".repeat(301)));
        assert!(long.len() < 255 && long != longer);
    }

    proptest! {
        #[test]
        fn every_name_is_one_plain_file_name(name in "[^\0]{1,80}") {
            let file = named(&name);
            prop_assert!(file.len() < 255 && !file.starts_with('.'));
            let parts: Vec<_> = Path::new(&file).components().collect();
            prop_assert!(matches!(parts[..], [Component::Normal(part)] if part == file.as_str()));
        }

        #[test]
        fn different_names_have_different_files(one in "[.%aA/é]{1,90}", other in "[.%aA/é]{1,90}") {
            prop_assert_eq!(named(&one) == named(&other), one == other);
        }
    }
}
