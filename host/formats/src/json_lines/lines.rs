//! Lines as people write them, cut into chunks as the pipeline wants them.

use std::io::{BufRead, Read};
use std::path::Path;

use godwit_model::limits::CHUNK_BYTES_MAX;
use godwit_model::{Collection, records};

use crate::FormatsError;

/// Reads the lines of one file.
///
/// Empty lines, white space at the ends of lines and between the members of a record, Windows line
/// ends and a last line without an end are all right; values stay exactly as they are.
pub(super) struct Lines<'a, R> {
    file: R,
    path: &'a Path,
    /// Lines read so far, empty ones included.
    line: u64,
}

/// Some records, with the number of the line each was on.
#[derive(Default)]
pub(super) struct Batch {
    /// How many records came before.
    first: u64,
    bytes: Vec<u8>,
    lines: Vec<u64>,
}

impl<'a, R: BufRead> Lines<'a, R> {
    pub(super) fn new(file: R, path: &'a Path) -> Self {
        Self { file, path, line: 0 }
    }

    /// Gives every record, in batches that end with the record that brings them to `chunk_bytes`: cut as
    /// databases cut theirs.
    pub(super) fn batches<E: From<FormatsError>>(
        mut self,
        chunk_bytes: usize,
        mut take: impl FnMut(Batch) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut batch = Batch::default();
        let mut line = vec![];
        while self.next(&mut line)? {
            if batch.bytes.len() + line.len() > CHUNK_BYTES_MAX {
                take(batch.cut())?;
            }
            batch.bytes.append(&mut line);
            batch.lines.push(self.line);
            if batch.bytes.len() >= chunk_bytes {
                take(batch.cut())?;
            }
        }
        if batch.bytes.is_empty() { Ok(()) } else { take(batch) }
    }

    /// The next line that is not empty, ended by one line feed.
    fn next(&mut self, line: &mut Vec<u8>) -> Result<bool, FormatsError> {
        loop {
            line.clear();
            let limit = CHUNK_BYTES_MAX as u64 + 1;
            let length = self
                .file
                .by_ref()
                .take(limit)
                .read_until(b'\n', line)
                .map_err(FormatsError::system("read", self.path))?;
            self.line += 1;
            if length == 0 {
                return Ok(false);
            }
            if length > CHUNK_BYTES_MAX {
                return Err(self.too_long());
            }
            let end = line.trim_ascii_end().len();
            line.truncate(end);
            if !line.is_empty() {
                line.push(b'\n');
                return Ok(true);
            }
        }
    }

    fn too_long(&self) -> FormatsError {
        let problem = format!("has more than {CHUNK_BYTES_MAX} bytes in line {}: no record may be longer", self.line);
        FormatsError::file(self.path, problem)
    }
}

impl Batch {
    /// What was gathered, an empty batch left to go on with.
    fn cut(&mut self) -> Self {
        let next = Self { first: self.first + self.records(), ..Self::default() };
        std::mem::replace(self, next)
    }

    pub(super) fn records(&self) -> u64 {
        self.lines.len() as u64
    }

    /// The records in the encoding of the pipeline, proven to fit the collection.
    pub(super) fn check(self, collection: &Collection, path: &Path) -> Result<Vec<u8>, FormatsError> {
        let Self { first, mut bytes, lines } = self;
        let mut checked = records::check(collection, &bytes, |_, _| {});
        // Exported lines pass; only what a hand or another program wrote needs a second look.
        if checked.is_err() {
            bytes = without_spaces(&bytes);
            checked = records::check(collection, &bytes, |_, _| {});
        }
        let checked = checked.map_err(|error| wrong(error, first, &lines, path))?;
        Ok(checked.reordered.unwrap_or(bytes))
    }
}

fn wrong(mut source: records::RecordError, first: u64, lines: &[u64], path: &Path) -> FormatsError {
    let line = usize::try_from(source.record).ok().and_then(|index| lines.get(index)).copied().unwrap_or(0);
    source.record += first;
    FormatsError::Record { path: path.to_owned(), line, source }
}

/// The same records without white space between their members; a line that is no object stays.
fn without_spaces(bytes: &[u8]) -> Vec<u8> {
    let mut compact = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let start = compact.len();
        if write_members(line, &mut compact).is_none() {
            compact.truncate(start);
            compact.extend_from_slice(line);
        }
        compact.push(b'\n');
    }
    compact
}

fn write_members(line: &[u8], compact: &mut Vec<u8>) -> Option<()> {
    compact.push(b'{');
    for (i, member) in records::members(line).enumerate() {
        let (name, value) = member.ok()?;
        if i > 0 {
            compact.push(b',');
        }
        serde_json::to_writer(&mut *compact, &name).ok()?;
        compact.push(b':');
        compact.extend_from_slice(value);
    }
    compact.push(b'}');
    Some(())
}
