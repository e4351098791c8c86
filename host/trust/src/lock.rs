//! `godwit.lock`: the modules that the operator approved, each by its digest and with what it may do.

use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use godwit_model::{Digest, ModuleName, Wishes};
use semver::Version;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::{KeyId, TrustError};

/// The format that this program writes.
const FORMAT: i64 = 1;

/// Bytes of a lock file; an entry has about 500.
const LOCK_BYTES_MAX: u64 = 16 << 20;

const HEADER: &str = "\
# The migration modules that may run on this data, each by its digest and with what it may do.
# `godwit grants --approve` writes this file, `godwit grants` explains it; keep it under version control.
";

/// The approvals, sorted by name and version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    entries: Vec<Entry>,
}

/// One approved module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its name.
    pub name: ModuleName,
    /// Its own version.
    pub version: Version,
    /// Digest of its component.
    pub digest: Digest,
    /// Who vouched for it.
    pub signer: Signer,
    /// What it may do.
    pub grants: Wishes,
}

/// Who vouched for a module when it was approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signer {
    /// The holder of a trusted key.
    Key(KeyId),
    /// Nobody; the operator knew.
    Nobody,
}

impl Lock {
    /// Reads a lock file; one that is not there approves nothing.
    pub fn load(path: &Path) -> Result<Self, TrustError> {
        let damaged = |problem: String| TrustError::DamagedLock { path: path.to_owned(), problem };
        let about = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            about => about.map_err(TrustError::file("read", path))?,
        };
        if !about.is_file() || about.len() > LOCK_BYTES_MAX {
            return Err(damaged("it is no file, or far too large".to_owned()));
        }
        let bytes = fs::read(path).map_err(TrustError::file("read", path))?;
        let text = String::from_utf8(bytes).map_err(|_| damaged("it is not UTF-8".to_owned()))?;
        match Self::parse(&text) {
            Ok(lock) => Ok(lock),
            Err(Unusable::Damaged(problem)) => Err(damaged(problem)),
            Err(Unusable::Newer(format)) => Err(TrustError::NewerLock { path: path.to_owned(), format, known: FORMAT }),
        }
    }

    fn parse(text: &str) -> Result<Self, Unusable> {
        let wrong = |error: toml::de::Error| Unusable::at(text, error.span(), error.message());
        // A later format may hold anything, so that its number is read first.
        let Format { format } = toml::from_str(text).map_err(wrong)?;
        match *format.get_ref() {
            FORMAT => {}
            newer if newer > FORMAT => return Err(Unusable::Newer(newer)),
            _ => return Err(Unusable::at(text, Some(format.span()), "there is no such format")),
        }
        let file: LockFile = toml::from_str(text).map_err(wrong)?;
        let mut lock = Self::default();
        for module in file.module {
            let at = module.span();
            let entry = module.into_inner().entry().map_err(|problem| Unusable::at(text, Some(at.clone()), problem))?;
            if lock.entries.iter().any(|other| other.is(&entry)) {
                let twice = format!("{} {} is there twice", entry.name, entry.version);
                return Err(Unusable::at(text, Some(at), &twice));
            }
            lock.entries.push(entry);
        }
        lock.sort();
        Ok(lock)
    }

    /// Writes the lock file, all at once: a power cut leaves the old one or the new one.
    pub fn save(&self, path: &Path) -> Result<(), TrustError> {
        // What is a link stays one.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder =
            path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(PathBuf::from("."), PathBuf::from);
        let mode = fs::metadata(&path).map_or(0o644, |about| about.permissions().mode() & 0o777);
        self.replace(&path, &folder, mode).map_err(TrustError::file("write", &path))
    }

    fn replace(&self, path: &Path, folder: &Path, mode: u32) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".godwit.lock-").tempfile_in(folder)?;
        file.write_all(self.text().as_bytes())?;
        file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        fs::File::open(folder)?.sync_all()
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let module = self.entries.iter().map(EntryText::of).collect();
        let body = toml::to_string_pretty(&LockText { format: FORMAT, module });
        HEADER.to_owned() + "\n" + &body.expect("names, numbers and lists are TOML")
    }

    /// All approvals.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The approval of this version of a module, or else of its latest.
    pub fn entry(&self, name: &ModuleName, version: &Version) -> Option<&Entry> {
        let named = || self.entries.iter().filter(|entry| entry.name == *name);
        named().find(|entry| entry.version == *version).or_else(|| named().next_back())
    }

    /// Adds an approval in place of the module's former one. `beside` are the versions of it that are there, too:
    /// the approval of any other version was of a file that is gone.
    pub fn approve(&mut self, entry: Entry, beside: &[Version]) {
        self.entries.retain(|other| {
            other.name != entry.name || (other.version != entry.version && beside.contains(&other.version))
        });
        self.entries.push(entry);
        self.sort();
    }

    /// Takes back what was approved of a module, whatever its version.
    pub fn revoke(&mut self, name: &ModuleName) -> Vec<Entry> {
        self.entries.extract_if(.., |entry| entry.name == *name).collect()
    }

    fn sort(&mut self) {
        self.entries.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    }
}

impl Entry {
    fn is(&self, other: &Self) -> bool {
        self.name == other.name && self.version == other.version
    }
}

enum Unusable {
    Damaged(String),
    Newer(i64),
}

impl Unusable {
    fn at(text: &str, span: Option<Range<usize>>, problem: &str) -> Self {
        let before = span.and_then(|span| text.get(..span.start)).unwrap_or_default();
        Self::Damaged(format!("line {}: {}", before.matches('\n').count() + 1, godwit_model::plain(problem)))
    }
}

#[derive(Deserialize)]
struct Format {
    format: Spanned<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LockFile {
    #[serde(rename = "format")]
    _format: i64,
    #[serde(default)]
    module: Vec<Spanned<EntryText>>,
}

#[derive(Serialize)]
struct LockText {
    format: i64,
    module: Vec<EntryText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct EntryText {
    name: ModuleName,
    version: Version,
    sha256: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signed_by: Option<KeyId>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unsigned: bool,
    #[serde(default)]
    grants: Wishes,
}

impl EntryText {
    fn of(entry: &Entry) -> Self {
        Self {
            name: entry.name.clone(),
            version: entry.version.clone(),
            sha256: entry.digest,
            signed_by: if let Signer::Key(key) = entry.signer { Some(key) } else { None },
            unsigned: entry.signer == Signer::Nobody,
            grants: entry.grants.clone(),
        }
    }

    fn entry(self) -> Result<Entry, &'static str> {
        let signer = match (self.signed_by, self.unsigned) {
            (Some(key), false) => Signer::Key(key),
            (None, true) => Signer::Nobody,
            _ => return Err("a module is either `signed-by` a key or `unsigned = true`"),
        };
        let Self { name, version, sha256: digest, grants, .. } = self;
        Ok(Entry { name, version, digest, signer, grants })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(name: &str, version: &str) -> Entry {
        let grants = r#"{"rewrites":["devices","a \"b\"\n"],"reads":["links.device_id"],"scratch":true,
            "target":{"app_meta":"read-write"},"files":{"config":"read"}}"#;
        Entry {
            name: name.parse().unwrap(),
            version: version.parse().unwrap(),
            digest: Digest::of(name.as_bytes()),
            signer: Signer::Key("E7620F1842B4E81F".to_owned().try_into().unwrap()),
            grants: serde_json::from_str(grants).unwrap(),
        }
    }

    fn lock(entries: &[Entry]) -> Lock {
        let mut lock = Lock::default();
        let versions: Vec<_> = entries.iter().map(|entry| entry.version.clone()).collect();
        for entry in entries {
            lock.approve(entry.clone(), &versions);
        }
        lock
    }

    fn problem(text: &str) -> String {
        match Lock::parse(text) {
            Err(Unusable::Damaged(problem)) => problem,
            Err(Unusable::Newer(format)) => format!("newer: {format}"),
            Ok(lock) => panic!("it was taken for {lock:?}"),
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_sorted() {
        let unsigned = Entry { signer: Signer::Nobody, ..entry("acme/b", "1.0.0") };
        let lock = lock(&[entry("acme/c", "1.10.0"), entry("acme/c", "1.9.0"), unsigned, entry("acme/a", "0.1.0")]);
        let text = lock.text();
        assert!(text.starts_with("# The migration modules"), "{text}");
        let names: Vec<_> = text.lines().filter(|line| line.starts_with("version = ")).collect();
        assert_eq!(
            names,
            ["version = \"0.1.0\"", "version = \"1.0.0\"", "version = \"1.9.0\"", "version = \"1.10.0\""]
        );
        assert_eq!(Lock::parse(&text).ok(), Some(lock));
    }

    #[test]
    fn an_approval_takes_the_place_of_one_whose_file_is_gone() {
        let mut one = lock(&[entry("acme/a", "1.0.0"), entry("acme/a", "1.1.0"), entry("acme/b", "1.0.0")]);
        let (kept, new) = (Version::new(1, 1, 0), Version::new(1, 2, 0));
        one.approve(entry("acme/a", "1.2.0"), &[kept, new.clone()]);
        let versions: Vec<_> = one.entries().iter().map(|entry| entry.version.to_string()).collect();
        assert_eq!(versions, ["1.1.0", "1.2.0", "1.0.0"]);
        let latest = one.entry(&"acme/a".parse().unwrap(), &Version::new(3, 0, 0)).unwrap();
        assert_eq!(latest.version, new);
        assert_eq!(one.revoke(&"acme/a".parse().unwrap()).len(), 2);
        assert_eq!(one.entries().len(), 1);
    }

    #[test]
    fn damage_is_told_with_its_line() {
        let good = lock(&[entry("acme/a", "1.0.0")]).text();
        let line = |needle: &str| good[..good.find(needle).unwrap()].matches('\n').count() + 1;
        for (text, at, part) in [
            (good.replace("version = \"1.0.0\"", "version = \"1.0\""), line("version ="), "minor"),
            (good.replace("sha256 = \"", "sha256 = \"0"), line("sha256"), "64 lower-case"),
            (good.replace("E7620F", "e7620f"), line("signed-by"), "16 hexadecimal"),
            (good.replace("sha256", "sha512"), line("sha256"), "sha512"),
            (good.replace("scratch = true", "scratch = \"yes\""), line("scratch"), "boolean"),
            (good.replace("reads =", "raeds ="), line("reads"), "raeds"),
            (good.replace("\"read-write\"", "\"everything\""), line("app_meta"), "everything"),
            (good.replace("signed-by", "unsigned = true\nsigned-by"), line("[[module]]"), "either"),
            (good.replace("format = 1", "format = 0"), line("format"), "no such format"),
            (good.replace("format = 1", "format = 1\n<<<<<<< HEAD"), line("format") + 1, ""),
            (format!("{good}{}", &good[good.find("[[module]]").unwrap()..]), good.matches('\n').count() + 1, "twice"),
        ] {
            let problem = problem(&text);
            assert!(problem.starts_with(&format!("line {at}: ")) && problem.contains(part), "{problem}\n{text}");
        }
        assert!(problem("").contains("format"));
        assert_eq!(problem("format = 2\nanything = \"goes\"\n"), "newer: 2");
    }

    #[test]
    fn a_lock_that_is_no_file_is_refused_and_one_that_is_absent_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("godwit.lock");
        assert_eq!(Lock::load(&path).unwrap(), Lock::default());
        fs::create_dir(&path).unwrap();
        assert!(matches!(Lock::load(&path), Err(TrustError::DamagedLock { .. })));
        fs::remove_dir(&path).unwrap();
        fs::write(&path, [b'#', 0xff]).unwrap();
        assert!(Lock::load(&path).unwrap_err().to_string().contains("not UTF-8"));
    }

    #[test]
    fn a_saved_lock_leaves_nothing_beside_it_and_keeps_its_mode_and_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("godwit.lock"), folder.path().join("link"));
        let one = lock(&[entry("acme/a", "1.0.0")]);
        one.save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("godwit.lock", &link).unwrap();
        Lock::default().save(&link).unwrap();
        assert!(link.is_symlink());
        assert_eq!(Lock::load(&path).unwrap(), Lock::default());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(.{0,60}\n){0,6}", at in 0..400_usize, byte in "[ -~\n]") {
            let _ = Lock::parse(&text);
            let mut good = lock(&[entry("acme/a", "1.0.0")]).text();
            let at = good.floor_char_boundary(at.min(good.len() - 1));
            good.replace_range(at..=at, &byte);
            let _ = Lock::parse(&good);
        }
    }
}
