//! The two kinds of `index.jsonl`: the chunks of a collection, and the entries of a tree.

use godwit_model::limits::{CHUNK_BYTES_MAX, TREE_PATH_BYTES_MAX};
use godwit_model::{Digest, EntryKind, TreeEntry, TreePath};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Damage;
use crate::layout;

/// One chunk of a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChunkLine {
    /// The record file, in the index's own folder.
    pub(crate) file: String,
    /// Where in the file the frame starts.
    pub(crate) offset: u64,
    /// Bytes of the frame.
    pub(crate) length: u64,
    /// Bytes of JSON lines inside.
    pub(crate) bytes: u64,
    /// Records inside.
    pub(crate) records: u64,
    /// Digest of the frame.
    pub(crate) sha256: Digest,
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryLine {
    pub(crate) path: TreePath,
    pub(crate) kind: Kind,
    /// Permission bits in octal.
    pub(crate) mode: String,
    /// Nanoseconds since 1970.
    pub(crate) modified: i128,
    /// Where a link points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
    /// Where a file's content is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<ContentLine>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    File,
    Directory,
    Link,
}

/// The content of a file of a tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContentLine {
    /// Bytes of content.
    pub(crate) size: u64,
    /// The file that holds it, below the tree's folder.
    pub(crate) file: String,
    /// Bytes of that file.
    pub(crate) length: u64,
    pub(crate) compression: Compression,
    /// Digest of that file.
    pub(crate) sha256: Digest,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    None,
    Zstd,
}

/// One line, ended.
pub(crate) fn to_line(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("index lines have string keys only");
    line.push(b'\n');
    line
}

/// The lines of an index, one by one.
pub(crate) fn lines<T: DeserializeOwned>(text: &[u8]) -> impl Iterator<Item = Result<T, Damage>> {
    text.split_inclusive(|&byte| byte == b'\n').enumerate().map(|(at, line)| {
        let malformed = |why: &dyn std::fmt::Display| Damage::Malformed(format!("line {}: {why}", at + 1));
        let line = line.strip_suffix(b"\n").ok_or_else(|| malformed(&"it is not ended"))?;
        serde_json::from_slice(line).map_err(|error| malformed(&error))
    })
}

/// The chunks of a collection: frame after frame, file after file, without a gap.
pub(crate) fn chunks(text: &[u8]) -> Result<Vec<ChunkLine>, Damage> {
    let mut chunks: Vec<ChunkLine> = Vec::new();
    let mut place = Place::default();
    for line in lines(text) {
        let line: ChunkLine = line?;
        place.advance(&line)?;
        check_sizes(&line)?;
        chunks.push(line);
    }
    Ok(chunks)
}

/// Where the next frame has to start.
#[derive(Default)]
struct Place {
    started: bool,
    number: u64,
    offset: u64,
}

impl Place {
    fn advance(&mut self, line: &ChunkLine) -> Result<(), Damage> {
        if self.started && line.file == layout::record_file(self.number + 1) {
            (self.number, self.offset) = (self.number + 1, 0);
        }
        if line.file != layout::record_file(self.number) || line.offset != self.offset {
            let wrong = format!("a chunk at {:?} byte {} does not follow the one before it", line.file, line.offset);
            return Err(Damage::Malformed(wrong));
        }
        self.started = true;
        self.offset = self.offset.checked_add(line.length).ok_or_else(|| over("length", line.length))?;
        Ok(())
    }
}

/// More than a frame of `CHUNK_BYTES_MAX` bytes can be.
fn frame_bytes_max() -> u64 {
    zstd::zstd_safe::compress_bound(CHUNK_BYTES_MAX) as u64
}

fn check_sizes(line: &ChunkLine) -> Result<(), Damage> {
    match line {
        _ if line.length == 0 || line.length > frame_bytes_max() => Err(over("length", line.length)),
        _ if line.bytes > CHUNK_BYTES_MAX as u64 => Err(over("bytes", line.bytes)),
        _ if line.records > line.bytes => Err(over("records", line.records)),
        _ => Ok(()),
    }
}

fn over(what: &str, number: u64) -> Damage {
    Damage::Malformed(format!("a chunk cannot have {number} as its {what}"))
}

impl EntryLine {
    /// The line for an entry; `content` for files only.
    pub(crate) fn of(entry: &TreeEntry, content: Option<ContentLine>) -> Self {
        let (kind, target) = match &entry.kind {
            EntryKind::File { .. } => (Kind::File, None),
            EntryKind::Directory => (Kind::Directory, None),
            EntryKind::Link { target } => (Kind::Link, Some(target.clone())),
        };
        let mode = format!("{:04o}", entry.mode);
        Self { path: entry.path.clone(), kind, mode, modified: entry.modified, target, content }
    }

    /// The entry, where the line makes sense.
    pub(crate) fn entry(&self) -> Result<TreeEntry, Damage> {
        let (path, mode, modified) = (self.path.clone(), self.mode_bits()?, self.modified);
        Ok(TreeEntry { path, kind: self.entry_kind()?, mode, modified })
    }

    fn entry_kind(&self) -> Result<EntryKind, Damage> {
        match (self.kind, &self.target, &self.content) {
            (Kind::File, None, Some(content)) => self.check_content(content),
            (Kind::Directory, None, None) => Ok(EntryKind::Directory),
            (Kind::Link, Some(target), None) if is_link_target(target) => {
                Ok(EntryKind::Link { target: target.clone() })
            }
            _ => Err(self.wrong("its fields do not fit its kind")),
        }
    }

    fn check_content(&self, content: &ContentLine) -> Result<EntryKind, Damage> {
        let compressed = content.compression == Compression::Zstd;
        if content.file == layout::content(&self.path, compressed) && (compressed || content.size == content.length) {
            Ok(EntryKind::File { size: content.size })
        } else {
            Err(self.wrong("its content is not where it must be"))
        }
    }

    fn mode_bits(&self) -> Result<u32, Damage> {
        let bits = u32::from_str_radix(&self.mode, 8).ok().filter(|&bits| bits <= 0o7777);
        bits.filter(|bits| self.mode == format!("{bits:04o}")).ok_or_else(|| self.wrong("its mode is no mode"))
    }

    fn wrong(&self, what: &str) -> Damage {
        Damage::Malformed(format!("the entry {:?}: {what}", self.path))
    }
}

/// Whether text can be what a link points to: it is never followed, so it may point anywhere.
pub(crate) fn is_link_target(target: &str) -> bool {
    !target.is_empty() && target.len() <= 3 * TREE_PATH_BYTES_MAX && !target.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(file: &str, offset: u64) -> ChunkLine {
        ChunkLine { file: file.to_owned(), offset, length: 10, bytes: 20, records: 2, sha256: Digest::of(b"") }
    }

    fn text(lines: &[ChunkLine]) -> Vec<u8> {
        lines.iter().flat_map(to_line).collect()
    }

    const FIRST: &str = "00000.jsonl.zst";
    const SECOND: &str = "00001.jsonl.zst";

    #[test]
    fn chunks_follow_one_another() {
        let good = [line(FIRST, 0), line(FIRST, 10), line(SECOND, 0)];
        assert_eq!(chunks(&text(&good)), Ok(good.to_vec()));
        let wrong: [&[ChunkLine]; 6] = [
            &[line(FIRST, 1)],
            &[line(SECOND, 0)],
            &[line(FIRST, 0), line(FIRST, 11)],
            &[line(FIRST, 0), line(SECOND, 10)],
            &[line("../../etc/passwd", 0)],
            &[line(FIRST, 0), line("00002.jsonl.zst", 0)],
        ];
        for lines in wrong {
            assert!(chunks(&text(lines)).is_err(), "{lines:?}");
        }
    }

    #[test]
    fn hostile_numbers_are_refused() {
        for number in [0, u64::MAX, 1 << 40] {
            assert!(chunks(&text(&[ChunkLine { length: number, ..line(FIRST, 0) }])).is_err());
        }
        assert!(chunks(&text(&[ChunkLine { bytes: u64::MAX, ..line(FIRST, 0) }])).is_err());
        assert!(chunks(&text(&[ChunkLine { records: u64::MAX, ..line(FIRST, 0) }])).is_err());
        assert!(chunks(text(&[line(FIRST, 0)]).strip_suffix(b"\n").unwrap()).is_err());
    }

    #[test]
    fn an_entry_is_what_it_says() {
        let entry = TreeEntry {
            path: TreePath::new("a/b").unwrap(),
            kind: EntryKind::Link { target: "../../etc/passwd".into() },
            mode: 0o777,
            modified: i128::from(i64::MAX) * 4,
        };
        let written = to_line(&EntryLine::of(&entry, None));
        let read: EntryLine = lines(&written).next().unwrap().unwrap();
        assert_eq!(read.entry(), Ok(entry));
        for mode in ["+777", "10000", "", "777", "0o77"] {
            assert!(EntryLine { mode: mode.to_owned(), ..read.clone() }.entry().is_err(), "{mode}");
        }
        assert!(EntryLine { kind: Kind::File, ..read.clone() }.entry().is_err());
        assert!(EntryLine { target: None, ..read }.entry().is_err());
    }
}
