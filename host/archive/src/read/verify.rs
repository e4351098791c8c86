//! Checking everything: every byte of every file, that no file is missing and none is too many, and
//! that the parts agree.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use godwit_model::{Digest, Fault, Hasher};

use super::records::{Numbered, read_frame, record_files};
use super::trees::drain;
use super::{Archive, Contents, same_digest, unlisted};
use crate::error::{Damage, Reading, Trouble};
use crate::index::{ChunkLine, ContentLine};
use crate::{CollectionTotals, TreeTotals, layout};

/// How much to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Every byte against its digest.
    Digests,
    /// Also that every chunk and file decompresses to what the indexes say.
    Contents,
}

/// Takes bytes done and bytes in all, of files as they are stored; an error ends the work and is returned by it.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64) -> Result<(), Fault>;

/// What was checked and found right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verified {
    /// Files of the archive.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Chunks.
    pub chunks: u64,
    /// Records.
    pub records: u64,
    /// Files, directories and links of the trees.
    pub entries: u64,
}

impl Archive {
    /// Checks the whole archive.
    ///
    /// # Errors
    /// The first thing that is wrong, [`crate::ArchiveError::Damaged`]; what `progress` returned; or the file system's.
    pub fn verify(&mut self, depth: Depth, progress: Progress<'_>) -> Result<Verified, Fault> {
        let verified = Verifier::start(self, depth, progress).and_then(Verifier::run);
        self.explain(verified)
    }
}

struct Verifier<'a> {
    archive: &'a Archive,
    depth: Depth,
    progress: Progress<'a>,
    lengths: BTreeMap<String, u64>,
    /// Listed files that nothing has accounted for yet.
    unclaimed: BTreeSet<&'a str>,
    done: u64,
    total: u64,
    verified: Verified,
}

impl<'a> Verifier<'a> {
    fn start(archive: &'a Archive, depth: Depth, progress: Progress<'a>) -> Reading<Self> {
        let lengths = archive.store.files()?;
        let unclaimed = archive.contents.sums.keys().map(String::as_str).collect();
        let total = lengths.values().fold(0, |sum: u64, length| sum.saturating_add(*length));
        let verified = Verified { files: lengths.len() as u64, bytes: total, ..Verified::default() };
        Ok(Self { archive, depth, progress, lengths, unclaimed, done: 0, total, verified })
    }

    fn run(mut self) -> Reading<Verified> {
        self.check_metadata()?;
        self.check_listing()?;
        for totals in &self.archive.manifest().collections {
            self.check_collection(totals)?;
        }
        for totals in &self.archive.manifest().trees {
            self.check_tree(totals)?;
        }
        self.check_modules()?;
        match self.unclaimed.pop_first() {
            None => Ok(self.verified),
            Some(path) => Err(Damage::Extra.of(path)),
        }
    }

    /// What was read when the archive was opened is read again, and must be the same.
    fn check_metadata(&mut self) -> Reading<()> {
        let again = Contents::read(self.archive.store.as_ref())?;
        same_digest(layout::MANIFEST, again.id, self.archive.id())?;
        self.claim(layout::VERSION)?;
        self.claim(layout::CATALOG)?;
        [layout::VERSION, layout::CATALOG, layout::SUMS, layout::MANIFEST].iter().try_for_each(|path| self.count(path))
    }

    /// Every file is listed and every listed file is there.
    fn check_listing(&self) -> Reading<()> {
        let is_known = |path: &str| self.archive.contents.sums.contains_key(path);
        let may_be = |path: &str| is_known(path) || path == layout::SUMS || path == layout::MANIFEST;
        if let Some(extra) = self.lengths.keys().find(|path| !may_be(path)) {
            return Err(Damage::Extra.of(extra));
        }
        match self.archive.contents.sums.keys().find(|path| !self.lengths.contains_key(*path)) {
            Some(missing) => Err(Damage::Missing.of(missing)),
            None => Ok(()),
        }
    }

    fn check_collection(&mut self, totals: &CollectionTotals) -> Reading<()> {
        let chunks = self.archive.chunk_lines(totals)?;
        let index = layout::chunk_index(&totals.id);
        self.claim(&index)?;
        self.count(&index)?;
        record_files(&chunks).try_for_each(|file| self.check_record_file(totals, file))?;
        self.verified.chunks += totals.chunks;
        self.verified.records += totals.records;
        Ok(())
    }

    /// One pass for the digests of the chunks and for that of the file.
    fn check_record_file(&mut self, totals: &CollectionTotals, chunks: &[Numbered]) -> Reading<()> {
        let stored = self.archive.open_record_file(&totals.id, chunks)?;
        let recorded = self.claim(&stored.path)?;
        let mut hasher = Hasher::default();
        for (sequence, line) in chunks {
            let packed = read_frame(&stored, line)?;
            hasher.update(&packed.frame);
            if self.depth == Depth::Contents {
                let lines = packed.unpack().map_err(|fault| bad_chunk(&stored.path, *sequence, &fault.to_string()))?;
                check_records(&lines, line).map_err(|why| bad_chunk(&stored.path, *sequence, &why))?;
            }
            self.advance(line.length)?;
        }
        same_digest(&stored.path, hasher.finish(), recorded)
    }

    fn check_tree(&mut self, totals: &TreeTotals) -> Reading<()> {
        let index = layout::tree_index(&totals.name);
        self.claim(&index)?;
        let archive = self.archive;
        archive.each_entry(totals, &mut |_, content| {
            self.verified.entries += 1;
            content.map_or(Ok(()), |content| self.check_content(totals, content))
        })?;
        self.count(&index)
    }

    fn check_content(&mut self, totals: &TreeTotals, line: &ContentLine) -> Reading<()> {
        let path = layout::in_tree(&totals.name, &line.file);
        let listed = self.claim(&path)?;
        same_digest(&path, line.sha256, listed)?;
        match self.depth {
            Depth::Digests => self.check_file(&path, listed),
            Depth::Contents => {
                let mut content = self.archive.open_content(&totals.name, line)?;
                let _ = drain(&mut content);
                content.close()?;
                self.advance(line.length)
            }
        }
    }

    /// The modules that the lineage names are there, and each is what its name says.
    fn check_modules(&mut self) -> Reading<()> {
        for digest in self.archive.modules() {
            let path = layout::module(digest);
            let listed = self.claim(&path)?;
            same_digest(&path, listed, digest)?;
            self.check_file(&path, listed)?;
        }
        let carried = |digest| self.archive.contents.sums.contains_key(&layout::module(digest));
        let mut lineage = self.archive.manifest().header.lineage.iter();
        match lineage.find(|step| !carried(step.digest)) {
            Some(step) => Err(Damage::Missing.of(&layout::module(step.digest))),
            None => Ok(()),
        }
    }

    fn check_file(&mut self, path: &str, recorded: Digest) -> Reading<()> {
        let mut reader = self.archive.store.open(path)?.into_reader();
        let (mut hasher, mut buffer) = (Hasher::default(), vec![0; 1 << 17]);
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return same_digest(path, hasher.finish(), recorded),
                Ok(read) => {
                    hasher.update(&buffer[..read]);
                    self.advance(read as u64)?;
                }
                Err(error) => return Err(crate::error::failed::<std::io::Error>("read", path.as_ref())(error).into()),
            }
        }
    }

    /// Accounts for a listed file.
    fn claim(&mut self, path: &str) -> Reading<Digest> {
        self.unclaimed.remove(path);
        self.archive.contents.sums.get(path).copied().ok_or_else(|| unlisted(path))
    }

    fn count(&mut self, path: &str) -> Reading<()> {
        self.advance(self.lengths.get(path).copied().unwrap_or_default())
    }

    fn advance(&mut self, bytes: u64) -> Reading<()> {
        self.done += bytes;
        Ok((self.progress)(self.done, self.total)?)
    }
}

fn check_records(lines: &[u8], line: &ChunkLine) -> Result<(), String> {
    let found = godwit_model::records::count(lines);
    if found == line.records && lines.last().is_none_or(|&last| last == b'\n') {
        Ok(())
    } else {
        Err(format!("it holds {found} records where {} are recorded", line.records))
    }
}

fn bad_chunk(path: &str, sequence: u64, why: &str) -> Trouble {
    Damage::Contradiction(format!("chunk {sequence}: {why}")).of(path)
}
