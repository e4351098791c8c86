//! `manifest.json`: what the archive is, small however big the data. Its last field is the digest of
//! all the text before that field, so that not even a bit of the manifest itself changes unseen.

use std::collections::BTreeMap;

use godwit_model::{CollectionId, DatabaseName, Digest, EngineKind, EntryKind, ModuleName, TreeName};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::error::Damage;

/// The format that this crate writes, and the newest it reads.
pub const FORMAT: u64 = 1;

/// What separates the text from its digest; `TAIL` follows the 64 digits. The same in every format.
const SEAL: &str = ",\n  \"manifest_sha256\": \"";
const TAIL: &str = "\"\n}\n";

/// What the maker of an archive says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Whose data it is.
    pub application: String,
    /// The data version.
    pub data_version: Version,
    /// Version of the Godwit that first made the archive's data; free text.
    pub host_version: String,
    /// When the data was taken from the live application: RFC 3339, UTC, ending in `Z`. A migrated
    /// archive keeps it, so that the same inputs make the same bytes.
    pub created: String,
    /// From where modules derive ids; kept by migrated archives.
    pub seed: String,
    /// The modules applied, oldest first.
    pub lineage: Vec<Lineage>,
    /// `database.collection.column` of what was blanked out, with how.
    pub redactions: Vec<String>,
    /// What was left out on purpose.
    pub excluded: Vec<String>,
}

/// One module that was applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// Its name.
    pub module: ModuleName,
    /// Its own version.
    pub version: Version,
    /// Its digest; the archive carries the module itself under it.
    pub digest: Digest,
    /// The data version it was given.
    pub from: Version,
    /// The data version it made.
    pub to: Version,
    /// The parameters it ran with.
    pub parameters: BTreeMap<String, serde_json::Value>,
}

/// Everything in `manifest.json` but its own digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u64,
    /// As given to the writer.
    #[serde(flatten)]
    pub header: Header,
    /// The databases and their engines.
    pub sources: BTreeMap<DatabaseName, EngineKind>,
    /// In the order of the catalog.
    pub collections: Vec<CollectionTotals>,
    /// Sorted by name.
    pub trees: Vec<TreeTotals>,
    /// Digest of `SHA256SUMS`.
    pub sha256sums: Digest,
}

/// How much there is of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionTotals {
    /// Which.
    #[serde(flatten)]
    pub id: CollectionId,
    /// Number of chunks.
    pub chunks: u64,
    /// Number of records.
    pub records: u64,
    /// Bytes of JSON lines, uncompressed.
    pub bytes: u64,
}

/// How much there is of a file tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeTotals {
    /// Which.
    pub name: TreeName,
    /// Number of files.
    pub files: u64,
    /// Number of directories, the root excepted.
    pub directories: u64,
    /// Number of symbolic links.
    pub links: u64,
    /// Bytes of the files' content, uncompressed.
    pub bytes: u64,
}

impl Header {
    /// The header of data fresh from a live application.
    pub fn new(application: &str, data_version: Version, created: &str) -> Self {
        Self {
            application: application.to_owned(),
            data_version,
            host_version: env!("CARGO_PKG_VERSION").to_owned(),
            created: created.to_owned(),
            seed: String::new(),
            lineage: vec![],
            redactions: vec![],
            excluded: vec![],
        }
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        match self {
            _ if self.application.is_empty() || self.application.contains(char::is_control) => {
                Err(format!("the application's name {:?} is empty or holds control characters", self.application))
            }
            _ if !is_utc_instant(&self.created) => {
                Err(format!("{:?} is not a time like 2026-03-01T12:00:00Z", self.created))
            }
            _ => Ok(()),
        }
    }

    /// The text of the `version` file.
    pub(crate) fn version_text(&self) -> String {
        format!("{}\n", self.data_version)
    }
}

impl TreeTotals {
    pub(crate) fn none(name: &TreeName) -> Self {
        Self { name: name.clone(), files: 0, directories: 0, links: 0, bytes: 0 }
    }

    pub(crate) fn count(&mut self, kind: &EntryKind) {
        match kind {
            EntryKind::File { size } => {
                self.files += 1;
                self.bytes = self.bytes.saturating_add(*size);
            }
            EntryKind::Directory => self.directories += 1,
            EntryKind::Link { .. } => self.links += 1,
        }
    }
}

/// Digits where `2026-03-01T12:00:00` has them, perhaps a fraction, and `Z`.
fn is_utc_instant(text: &str) -> bool {
    let Some((seconds, fraction)) = text.strip_suffix('Z').and_then(|text| text.split_at_checked(19)) else {
        return false;
    };
    let shape = seconds.chars().map(|c| if c.is_ascii_digit() { '0' } else { c });
    let is_fraction = fraction
        .strip_prefix('.')
        .is_some_and(|digits| (1..=9).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit()));
    shape.eq("0000-00-00T00:00:00".chars()) && (fraction.is_empty() || is_fraction)
}

/// Why a manifest cannot be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    Damaged(Damage),
    Newer(u64),
}

impl From<Damage> for Unusable {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

impl Manifest {
    /// The file's bytes.
    pub(crate) fn seal(&self) -> Vec<u8> {
        let text = serde_json::to_string_pretty(self).expect("a manifest has string keys only");
        let text = text.strip_suffix("\n}").expect("a pretty object ends so").to_owned();
        let digest = Digest::of(text.as_bytes());
        format!("{text}{SEAL}{digest}{TAIL}").into_bytes()
    }

    /// Reads the file's bytes: first the digest, then the format, then the rest.
    pub(crate) fn unseal(bytes: &[u8]) -> Result<Self, Unusable> {
        let text = check_seal(bytes).ok_or(Damage::Seal)?;
        let json = format!("{text}\n}}");
        let malformed = |error: serde_json::Error| Damage::Malformed(error.to_string());
        let probe: FormatOnly = serde_json::from_str(&json).map_err(malformed)?;
        match probe.format {
            FORMAT => {}
            newer if newer > FORMAT => return Err(Unusable::Newer(newer)),
            other => return Err(Damage::Malformed(format!("there is no format {other}")).into()),
        }
        let manifest: Self = serde_json::from_str(&json).map_err(malformed)?;
        manifest.header.check().map_err(Damage::Malformed)?;
        Ok(manifest)
    }
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u64,
}

/// The text before the seal, where the seal is right.
fn check_seal(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let sealed = text.strip_suffix(TAIL)?;
    let (text, digest) = sealed.split_at_checked(sealed.len().checked_sub(64)?)?;
    let text = text.strip_suffix(SEAL)?;
    (digest.parse() == Ok(Digest::of(text.as_bytes()))).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let lineage = Lineage {
            module: "acme/inventory-1.1".parse().unwrap(),
            version: Version::new(0, 3, 0),
            digest: Digest::of(b"module"),
            from: Version::new(1, 0, 0),
            to: Version::new(1, 1, 0),
            parameters: BTreeMap::from([("site".to_owned(), serde_json::json!({"b": [1, 2.5], "a": null}))]),
        };
        let mut header = Header::new("inventory", Version::new(1, 1, 0), "2026-03-01T12:00:00.5Z");
        header.lineage.push(lineage);
        let id = CollectionId { database: "main".parse().unwrap(), name: "devices".parse().unwrap() };
        Manifest {
            format: FORMAT,
            header,
            sources: BTreeMap::from([(id.database.clone(), EngineKind::Sqlite)]),
            collections: vec![CollectionTotals { id, chunks: 1, records: 2, bytes: 30 }],
            trees: vec![],
            sha256sums: Digest::of(b""),
        }
    }

    #[test]
    fn a_sealed_manifest_is_read_back() {
        assert_eq!(Manifest::unseal(&manifest().seal()).unwrap(), manifest());
        let json: serde_json::Value = serde_json::from_slice(&manifest().seal()).unwrap();
        assert_eq!(json["collections"][0]["name"], "devices");
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let sealed = manifest().seal();
        for bit in 0..sealed.len() * 8 {
            let mut bytes = sealed.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(Manifest::unseal(&bytes), Err(Unusable::Damaged(Damage::Seal))), "bit {bit}");
        }
    }

    #[test]
    fn a_newer_format_is_told_from_damage() {
        let newer = Manifest { format: 2, ..manifest() };
        assert!(matches!(Manifest::unseal(&newer.seal()), Err(Unusable::Newer(2))));
    }

    #[test]
    fn times_are_utc() {
        for good in ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00.123456789Z"] {
            assert!(is_utc_instant(good), "{good}");
        }
        for bad in [
            "",
            "Z",
            "2026-03-01",
            "2026-03-01T12:00:00",
            "2026-03-01T12:00:00+01:00",
            "2026-03-01T12:00:00.Z",
            "é026-03-01T12:00:0Z",
        ] {
            assert!(!is_utc_instant(bad), "{bad}");
        }
    }
}
