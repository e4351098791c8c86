//! Paths from a guest, checked.

use godwit_model::limits::TREE_PATH_BYTES_MAX;
use godwit_model::{FileFailure, TreePath};

use crate::{limits, unescape};

/// A path's parts; none for the root.
pub(super) type Parts<'a> = Vec<&'a str>;

/// Checks a path: what passes can be written to a live tree as it is. Names are matched byte for byte:
/// letters of other case, or composed otherwise, are other names.
pub(super) fn parts(path: &str) -> Result<Parts<'_>, FileFailure> {
    if path.is_empty() {
        return Ok(vec![]);
    }
    // Before anything copies it.
    if path.len() > TREE_PATH_BYTES_MAX || TreePath::new(path).is_err() {
        return Err(FileFailure::InvalidPath);
    }
    let parts: Parts<'_> = path.split('/').collect();
    if parts.len() <= limits::DEPTH_MAX && parts.iter().all(|part| is_name(part)) {
        Ok(parts)
    } else {
        Err(FileFailure::InvalidPath)
    }
}

fn is_name(part: &str) -> bool {
    unescape(part).is_some_and(|name| name.len() <= limits::FILE_NAME_BYTES_MAX && !name.contains(&0))
}

/// A path that is not the root's, as the directory it is in and its name there.
pub(super) fn split<'p, 'a>(parts: &'p [&'a str]) -> Result<(&'p [&'a str], &'a str), FileFailure> {
    let (name, parents) = parts.split_last().ok_or(FileFailure::InvalidPath)?;
    Ok((parents, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_paths_are_refused() {
        let long = "a".repeat(256);
        let longer = vec!["b"; 2049].join("/");
        let deep = ["d"; 257].join("/");
        let deeper = vec!["d"; 10_000].join("/");
        for path in [
            "/",
            "/etc/passwd",
            ".",
            "..",
            "../x",
            "a/..",
            "a/../b",
            "a/.",
            "./a",
            "a//b",
            "a/",
            "//",
            "a\0b",
            "\0",
            "%2e%2e",
            "%2E%2E",
            "%2e",
            "a/%2F/b",
            "%2Fetc",
            "%",
            "%4",
            "%zz",
            "%61",
            "%00",
            "a\nb",
            "\u{7f}",
            "%C3%A4",
            &long,
            &longer,
            &deep,
            &deeper,
        ] {
            assert_eq!(parts(path), Err(FileFailure::InvalidPath), "{path:?}");
        }
    }

    #[test]
    fn odd_paths_are_names_like_any_other() {
        let long = "a".repeat(255);
        let bytes = "%FF".repeat(255);
        let deep = ["d"; 256].join("/");
        for path in [
            "a\\..\\b",
            "..\\x",
            "...",
            "..a",
            " ",
            "~",
            "C:",
            "-rf",
            "․․",
            "．．",
            "‥",
            "∕etc",
            "a%25",
            "%0A",
            "%FF",
            "\u{202e}gnp.exe",
            "ä/ö",
            "con",
            &long,
            &bytes,
            &deep,
        ] {
            assert_eq!(parts(path).map(|parts| parts.join("/")).as_deref(), Ok(path));
        }
        assert_eq!(parts(""), Ok(vec![]));
    }
}
