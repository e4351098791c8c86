//! An archive in one tar file, read in place: one pass over the headers, then by offset.
//!
//! Takes what `ArchiveWriter` and `tar --format=gnu` or `--format=ustar` write. Every byte counts:
//! headers have a right checksum, padding is zero, and the end is where the file ends.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use godwit_model::Fault;
use tar::{EntryType, Header};

use super::{Store, Stored};
use crate::error::{Damage, Reading, failed};
use crate::layout;
use crate::limits::PATH_BYTES_MAX;

const BLOCK: u64 = 512;
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// See the file's top.
pub(crate) struct TarStore {
    file: Arc<File>,
    places: BTreeMap<String, Place>,
}

#[derive(Clone, Copy)]
struct Place {
    start: u64,
    length: u64,
}

impl TarStore {
    /// Opens the file and notes where everything is.
    pub(crate) fn open(path: &Path) -> Reading<Self> {
        let file = File::open(path).map_err(failed("open", path))?;
        let length = file.metadata().map_err(failed("examine", path))?.len();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut scan = Scan { path, name: &name, file: &file, length, at: 0, long_name: None, places: BTreeMap::new() };
        while scan.step()? {}
        let places = scan.places;
        Ok(Self { file: Arc::new(file), places })
    }
}

impl Store for TarStore {
    fn files(&self) -> Reading<BTreeMap<String, u64>> {
        Ok(self.places.iter().map(|(path, place)| (path.clone(), place.length)).collect())
    }

    fn open(&self, path: &str) -> Reading<Stored> {
        let place = self.places.get(path).ok_or_else(|| Damage::Missing.of(path))?;
        Ok(Stored { path: path.to_owned(), length: place.length, file: Arc::clone(&self.file), start: place.start })
    }
}

/// Whether a file begins as a tar file does.
pub(crate) fn looks_like_tar(path: &Path) -> Result<bool, Fault> {
    let mut magic = [0; 5];
    match File::open(path).and_then(|file| file.read_exact_at(&mut magic, 257)) {
        Ok(()) => Ok(magic == *b"ustar"),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(failed("read", path)(error)),
    }
}

struct Scan<'a> {
    path: &'a Path,
    name: &'a str,
    file: &'a File,
    length: u64,
    at: u64,
    long_name: Option<String>,
    places: BTreeMap<String, Place>,
}

impl Scan<'_> {
    /// Takes in one entry; `false` at the end.
    fn step(&mut self) -> Reading<bool> {
        let block = self.read(BLOCK)?;
        if block.iter().all(|&byte| byte == 0) {
            return self.end().map(|()| false);
        }
        let header = Header::from_byte_slice(&block);
        let size = self.check(header)?;
        match header.entry_type() {
            EntryType::Regular => self.note_file(header, size)?,
            EntryType::Directory if size == 0 => drop(self.take_name(header, true)?),
            EntryType::GNULongName => return self.note_long_name(size).map(|()| true),
            EntryType::XHeader | EntryType::XGlobalHeader => {
                return Err(self.malformed("it has pax headers; pack it with `tar --format=gnu`"));
            }
            _ => return Err(Self::not_plain(header)),
        }
        self.skip_content(size)?;
        Ok(true)
    }

    fn check(&self, header: &Header) -> Reading<u64> {
        let bytes = header.as_bytes();
        let sum = bytes
            .iter()
            .enumerate()
            .map(|(at, &byte)| if CHECKSUM.contains(&at) { u32::from(b' ') } else { u32::from(byte) });
        if checksum(&bytes[CHECKSUM]) != Some(sum.sum()) || !bytes[257..].starts_with(b"ustar") {
            return Err(self.malformed("the header has a wrong checksum or is none"));
        }
        header.entry_size().map_err(|error| self.malformed(&error.to_string()))
    }

    fn note_file(&mut self, header: &Header, size: u64) -> Reading<()> {
        let path = self.take_name(header, false)?;
        match self.places.insert(path.clone(), Place { start: self.at, length: size }) {
            None => Ok(()),
            Some(_) => Err(Damage::Malformed("it is in the tar file twice".to_owned()).of(&path)),
        }
    }

    fn note_long_name(&mut self, size: u64) -> Reading<()> {
        if size > PATH_BYTES_MAX as u64 + 1 || self.long_name.is_some() {
            return Err(self.malformed("a name is too long"));
        }
        let bytes = self.read(size)?;
        let name = bytes.strip_suffix(b"\0").ok_or_else(|| self.malformed("a long name is not ended"))?;
        self.long_name = Some(self.text(name)?);
        self.skip_padding(size)
    }

    /// The entry's path, without the `./` in front and the `/` behind that other packers write.
    fn take_name(&mut self, header: &Header, is_directory: bool) -> Reading<String> {
        let name = match self.long_name.take() {
            Some(name) => name,
            None => self.text(&header.path_bytes())?,
        };
        let path = name.strip_prefix("./").unwrap_or(&name);
        let path = if is_directory { path.strip_suffix('/').unwrap_or(path) } else { path };
        let is_root = is_directory && matches!(path, "" | ".") && !name.starts_with('/');
        if is_root || layout::is_inside(path) {
            Ok(path.to_owned())
        } else {
            Err(Damage::Path(name.clone()).of(self.name))
        }
    }

    fn skip_content(&mut self, size: u64) -> Reading<()> {
        let end = self.at.checked_add(size).filter(|&end| end <= self.length);
        self.at = end.ok_or_else(|| Damage::CutOff(self.length).of(self.name))?;
        self.skip_padding(size)
    }

    fn skip_padding(&mut self, size: u64) -> Reading<()> {
        let padding = self.read(size.wrapping_neg() % BLOCK)?;
        self.expect_zero(&padding)
    }

    /// Two blocks of zeros, and nothing but zeros after them.
    fn end(&mut self) -> Reading<()> {
        if self.long_name.is_some() {
            return Err(self.malformed("a long name belongs to nothing"));
        }
        let second = self.read(BLOCK)?;
        self.expect_zero(&second)?;
        while self.at < self.length {
            let more = self.read(BLOCK)?;
            self.expect_zero(&more)?;
        }
        Ok(())
    }

    fn expect_zero(&self, bytes: &[u8]) -> Reading<()> {
        if bytes.iter().all(|&byte| byte == 0) {
            Ok(())
        } else {
            Err(self.malformed("there are bytes where only zeros may be"))
        }
    }

    fn read(&mut self, length: u64) -> Reading<Vec<u8>> {
        if self.length - self.at < length {
            return Err(Damage::CutOff(self.length).of(self.name));
        }
        let size = usize::try_from(length).expect("headers, names and padding are small");
        let mut bytes = vec![0; size];
        self.file.read_exact_at(&mut bytes, self.at).map_err(failed("read", self.path))?;
        self.at += length;
        Ok(bytes)
    }

    fn text(&self, bytes: &[u8]) -> Reading<String> {
        let text = std::str::from_utf8(bytes).map_err(|_| self.malformed("a name is not UTF-8"))?;
        Ok(text.to_owned())
    }

    fn not_plain(header: &Header) -> crate::error::Trouble {
        let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
        Damage::NotPlain.of(&format!("{name:?}"))
    }

    fn malformed(&self, what: &str) -> crate::error::Trouble {
        let before = format!("{what}, before byte {}", self.at);
        Damage::Malformed(before).of(self.name)
    }
}

/// The two ways in which packers write it: seven digits and NUL, or six digits, NUL and space.
fn checksum(field: &[u8]) -> Option<u32> {
    let digits = field.strip_suffix(b"\0 ").or_else(|| field.strip_suffix(b"\0"))?;
    let all = digits.iter().all(|digit| matches!(digit, b'0'..=b'7'));
    let text = std::str::from_utf8(digits).ok().filter(|_| all)?;
    u32::from_str_radix(text, 8).ok()
}
