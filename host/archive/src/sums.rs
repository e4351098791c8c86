//! `SHA256SUMS`, as `sha256sum` writes and checks it. The archive's own paths need none of its escapes.

use std::collections::BTreeMap;
use std::fmt::Write;

use godwit_model::Digest;

use crate::error::Damage;
use crate::layout;

/// Every file but `SHA256SUMS` and `manifest.json`, sorted by path.
pub(crate) type Sums = BTreeMap<String, Digest>;

/// The file's text.
pub(crate) fn to_text(sums: &Sums) -> String {
    sums.iter().fold(String::new(), |mut text, (path, digest)| {
        writeln!(text, "{digest}  {path}").expect("writing to a string never fails");
        text
    })
}

/// Reads the file's text: one line a file, paths inside the archive, in ascending order.
pub(crate) fn parse(text: &[u8]) -> Result<Sums, Damage> {
    let malformed = |what: &str| Damage::Malformed(what.to_owned());
    let text = std::str::from_utf8(text).map_err(|_| malformed("it is not UTF-8"))?;
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(malformed("its last line is not ended"));
    }
    let mut sums = Sums::new();
    for line in text.split_terminator('\n') {
        let (path, digest) = parse_line(line)?;
        if sums.last_key_value().is_some_and(|(last, _)| *last >= path) {
            return Err(malformed("its paths are not in ascending order"));
        }
        sums.insert(path, digest);
    }
    Ok(sums)
}

fn parse_line(line: &str) -> Result<(String, Digest), Damage> {
    let (digest, path) = line.split_once("  ").ok_or_else(|| Damage::Malformed(format!("the line {line:?}")))?;
    let digest = digest.parse().map_err(|why: &str| Damage::Malformed(why.to_owned()))?;
    if layout::is_inside(path) { Ok((path.to_owned(), digest)) } else { Err(Damage::Path(path.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let sums = Sums::from([("a b".to_owned(), Digest::of(b"1")), ("c".to_owned(), Digest::of(b"2"))]);
        assert_eq!(parse(to_text(&sums).as_bytes()), Ok(sums));
        assert_eq!(parse(b""), Ok(Sums::new()));
    }

    #[test]
    fn hostile_lines_are_refused() {
        let digest = Digest::of(b"");
        for path in ["../x", "/etc/passwd", "a\\nb", ""] {
            assert_eq!(parse(format!("{digest}  {path}\n").as_bytes()), Err(Damage::Path(path.to_owned())));
        }
        for text in
            [format!("{digest}  b\n{digest}  a\n"), format!("{digest}  a\n{digest}  a\n"), format!("{digest}  a")]
        {
            assert!(matches!(parse(text.as_bytes()), Err(Damage::Malformed(_))), "{text}");
        }
        assert!(parse(format!("\\{digest}  a\n").as_bytes()).is_err());
    }
}
