//! Public keys, as minisign writes them.

use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::TrustError;

/// The two bytes that every public key of minisign begins with; in base64 they are `RW`.
const ED25519: &[u8] = b"Ed";

/// Bytes of a file that may hold a key.
const KEY_FILE_BYTES_MAX: u64 = 64 << 10;

/// What tells keys apart, shown as minisign does: sixteen hexadecimal digits. Anyone can make a key with
/// any id, so it says which key to check with and proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(u64);

impl KeyId {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        // Eight bytes, of which minisign prints the last first.
        Self(bytes.iter().rev().fold(0, |id, byte| id << 8 | u64::from(*byte)))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for KeyId {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain = text.len() == 16 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'A'..=b'F'));
        let id = plain.then(|| u64::from_str_radix(&text, 16).ok()).flatten();
        id.map(Self).ok_or("a key id is 16 hexadecimal digits in capitals")
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> String {
        id.to_string()
    }
}

/// A public key that can verify. Written as one line of base64 that begins with `RW`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(pub(crate) minisign::PublicKey);

impl PublicKey {
    /// Reads a key from a file as minisign writes it: a line of comment, a line of key.
    pub fn load(path: &Path) -> Result<Self, TrustError> {
        let bad = |problem: String| TrustError::BadKey { origin: path.display().to_string(), problem };
        let text = read_text(path)?;
        let line = text.lines().find(|line| !line.starts_with("untrusted comment:"));
        line.ok_or("it is empty".to_owned()).and_then(str::parse).map_err(bad)
    }

    /// What tells it from others.
    pub fn id(&self) -> KeyId {
        KeyId::of(self.0.keynum())
    }

    /// The file that minisign reads it from.
    pub fn file_text(&self) -> String {
        format!("untrusted comment: minisign public key {}\n{self}\n", self.id())
    }
}

/// A small text file.
pub(crate) fn read_text(path: &Path) -> Result<String, TrustError> {
    let bad = |problem: &str| TrustError::BadKey { origin: path.display().to_string(), problem: problem.to_owned() };
    let about = fs::metadata(path).map_err(TrustError::file("read", path))?;
    if !about.is_file() || about.len() > KEY_FILE_BYTES_MAX {
        return Err(bad("it is no file, or far too large"));
    }
    let bytes = fs::read(path).map_err(TrustError::file("read", path))?;
    String::from_utf8(bytes).map_err(|_| bad("it is no text"))
}

impl FromStr for PublicKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "a public key is the line of 56 characters that begins with RW in the .pub file; it is not the secret key, and not the key's id".to_owned()
        };
        let key = minisign::PublicKey::from_base64(text.trim()).map_err(|_| wrong())?;
        if key.to_bytes().starts_with(ED25519) { Ok(Self(key)) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for PublicKey {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        key.to_string()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_base64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    #[test]
    fn a_key_is_shown_as_minisign_shows_it() {
        let key: PublicKey = KEY.parse().unwrap();
        assert_eq!(key.id().to_string(), "E7620F1842B4E81F");
        assert_eq!(key.to_string(), KEY);
        assert_eq!(KeyId::try_from("E7620F1842B4E81F".to_owned()), Ok(key.id()));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let other_kind = format!("AB{}", &KEY[2..]);
        for text in ["", "RWQ", "E7620F1842B4E81F", &KEY[..55], &format!("{KEY}A"), &KEY.replace('Q', "!"), &other_kind]
        {
            assert!(text.parse::<PublicKey>().unwrap_err().contains("begins with RW"), "{text:?}");
        }
        for text in ["", "e7620f1842b4e81f", "E7620F1842B4E81", "+7620F1842B4E81F", "E7620F1842B4E81F0"] {
            assert!(KeyId::try_from(text.to_owned()).is_err(), "{text:?}");
        }
    }
}
