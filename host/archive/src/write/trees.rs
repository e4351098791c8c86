//! Writing one file tree: contents under readable names, and the index.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use godwit_model::{Digest, EntryKind, Fault, Hasher, TreeEntry, TreeName};

use super::folder::{Folder, Growing};
use crate::TreeTotals;
use crate::error::{ArchiveError, failed};
use crate::index::{self, Compression, ContentLine, EntryLine};
use crate::layout;
use crate::limits::{LISTING_BYTES_MAX, RAW_FILE_BYTES, SAMPLE_BYTES};
use crate::order::TreeOrder;

/// See the file's top.
pub(crate) struct TreeWriter {
    totals: TreeTotals,
    level: i32,
    order: TreeOrder,
    index: Option<Growing>,
}

impl TreeWriter {
    /// Starts the index; an empty tree has an empty one.
    pub(crate) fn begin(name: &TreeName, level: i32, folder: &mut Folder) -> Result<Self, Fault> {
        let index = Some(folder.start(layout::tree_index(name))?);
        Ok(Self { totals: TreeTotals::none(name), level, order: TreeOrder::default(), index })
    }

    /// Stores the next entry.
    pub(crate) fn write(
        &mut self,
        entry: &TreeEntry,
        content: &mut dyn Read,
        folder: &mut Folder,
    ) -> Result<(), Fault> {
        self.check(entry)?;
        let content = match entry.kind {
            EntryKind::File { size } => Some(self.store(entry, size, content, folder)?),
            EntryKind::Directory | EntryKind::Link { .. } => None,
        };
        self.append_line(&EntryLine::of(entry, content), folder)?;
        self.totals.count(&entry.kind);
        Ok(())
    }

    /// Makes the index durable and tells how much there is.
    pub(crate) fn finish(&mut self, folder: &mut Folder) -> Result<TreeTotals, Fault> {
        if let Some(index) = self.index.take() {
            index.finish(folder)?;
        }
        Ok(self.totals.clone())
    }

    fn check(&mut self, entry: &TreeEntry) -> Result<(), Fault> {
        let is_directory = entry.kind == EntryKind::Directory;
        self.order.accept(&entry.path, is_directory).map_err(|problem| unfit(entry, problem))?;
        match &entry.kind {
            _ if entry.mode > 0o7777 => Err(unfit(entry, "its mode has more than permission bits")),
            EntryKind::Link { target } if !index::is_link_target(target) => {
                Err(unfit(entry, "it links to an empty or overlong path"))
            }
            _ => Ok(()),
        }
    }

    fn store(
        &self,
        entry: &TreeEntry,
        size: u64,
        content: &mut dyn Read,
        folder: &mut Folder,
    ) -> Result<ContentLine, Fault> {
        let sample = read_up_to(content, SAMPLE_BYTES).map_err(|error| unreadable(entry, &error))?;
        let compression = choose(size, &sample, self.level)?;
        let below = layout::content(&entry.path, compression == Compression::Zstd);
        let path = layout::in_tree(&self.totals.name, &below);
        let (file, place) = folder.open_new(&path)?;
        let mut output = Output::new(file, &place);
        let copied = match compression {
            Compression::None => copy(entry, size, &sample, content, &mut output)?,
            Compression::Zstd => self.compress(entry, size, &sample, content, &mut output)?,
        };
        if copied != size {
            return Err(changed(entry, size, copied));
        }
        let (length, sha256) = output.finish(folder)?;
        folder.list(&path, sha256);
        Ok(ContentLine { size, file: below, length, compression, sha256 })
    }

    fn compress(
        &self,
        entry: &TreeEntry,
        size: u64,
        sample: &[u8],
        content: &mut dyn Read,
        output: &mut Output<'_>,
    ) -> Result<u64, Fault> {
        let place = output.place;
        let mut encoder = encoder(&mut *output, size, self.level).map_err(failed("compress", place))?;
        match copy(entry, size, sample, content, &mut Piped { encoder: &mut encoder, place, left: size }) {
            Ok(copied) if copied == size => encoder.finish().map(|_| copied).map_err(failed("write", place)),
            other => other,
        }
    }

    fn append_line(&mut self, line: &EntryLine, folder: &Folder) -> Result<(), Fault> {
        let index = self.index.as_mut().expect("entries are written before finish only");
        let text = index::to_line(line);
        if index.length + text.len() as u64 > LISTING_BYTES_MAX {
            let problem = "the tree has more entries than an archive can list; split it".to_owned();
            return Err(ArchiveError::Entry { path: line.path.clone(), problem }.into());
        }
        index.append(&text, folder)
    }
}

/// Whether compression is worth it, told by the beginning of the file.
fn choose(size: u64, sample: &[u8], level: i32) -> Result<Compression, Fault> {
    if size <= RAW_FILE_BYTES {
        return Ok(Compression::None);
    }
    let packed = zstd::bulk::compress(sample, level).map_err(Fault::system)?;
    Ok(if packed.len() < sample.len() { Compression::Zstd } else { Compression::None })
}

type Encoder<'a, 'p> = zstd::Encoder<'static, &'a mut Output<'p>>;

fn encoder<'a, 'p>(output: &'a mut Output<'p>, size: u64, level: i32) -> io::Result<Encoder<'a, 'p>> {
    let mut encoder = zstd::Encoder::new(output, level)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(size))?;
    Ok(encoder)
}

/// Where content goes.
trait Sink {
    fn take(&mut self, bytes: &[u8]) -> Result<(), Fault>;
}

/// The file of a content, hashed on its way.
struct Output<'p> {
    file: BufWriter<File>,
    place: &'p Path,
    hasher: Hasher,
    length: u64,
}

impl<'p> Output<'p> {
    fn new(file: File, place: &'p Path) -> Self {
        Self { file: BufWriter::new(file), place, hasher: Hasher::default(), length: 0 }
    }

    fn finish(self, folder: &Folder) -> Result<(u64, Digest), Fault> {
        let file = self.file.into_inner().map_err(|error| failed("write", self.place)(error.into_error()))?;
        folder.sync(&file, self.place)?;
        Ok((self.length, self.hasher.finish()))
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Sink for Output<'_> {
    fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.write_all(bytes).map_err(failed("write", self.place))
    }
}

/// The compressor in front of it, which is given no more than was pledged.
struct Piped<'e, 'a, 'p> {
    encoder: &'e mut Encoder<'a, 'p>,
    place: &'p Path,
    left: u64,
}

impl Sink for Piped<'_, '_, '_> {
    fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let fits = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        self.left -= fits as u64;
        self.encoder.write_all(&bytes[..fits]).map_err(failed("write", self.place))
    }
}

/// Copies what was sampled and the rest, in pieces of one size, so that the same content makes the same frame.
fn copy(
    entry: &TreeEntry,
    size: u64,
    sample: &[u8],
    content: &mut dyn Read,
    sink: &mut dyn Sink,
) -> Result<u64, Fault> {
    sink.take(sample)?;
    let mut copied = sample.len() as u64;
    while copied <= size {
        let piece = read_up_to(content, SAMPLE_BYTES).map_err(|error| unreadable(entry, &error))?;
        if piece.is_empty() {
            break;
        }
        sink.take(&piece)?;
        copied += piece.len() as u64;
    }
    Ok(copied)
}

fn read_up_to(content: &mut dyn Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    content.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unfit(entry: &TreeEntry, problem: &str) -> Fault {
    ArchiveError::Entry { path: entry.path.clone(), problem: problem.to_owned() }.into()
}

fn unreadable(entry: &TreeEntry, error: &io::Error) -> Fault {
    unfit(entry, &format!("its content cannot be read: {error}"))
}

fn changed(entry: &TreeEntry, size: u64, copied: u64) -> Fault {
    let found = if copied > size { format!("more than {size}") } else { copied.to_string() };
    unfit(entry, &format!("it has {found} bytes where {size} were announced; it changed while it was read, run again"))
}
