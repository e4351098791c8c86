//! A module's detached signature: `FILE.wasm.minisig` beside it.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use minisign::SignatureBox;
use serde::Serialize;

use crate::key::KeyId;
use crate::{PublicKey, TrustError};

/// Bytes of a signature file; minisign's own has about 300.
const SIGNATURE_BYTES_MAX: u64 = 16 << 10;

/// The lines of base64 in a signature file: which, how long, and how many `=` end it; minisign's crate does not look.
const LINES: [(usize, usize, usize); 2] = [(1, 100, 1), (3, 88, 2)];

/// What is known of a module's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum SignatureState {
    /// There is none.
    Unsigned,
    /// By a key that is not trusted, so that it cannot be checked.
    Unknown {
        /// The key that it names.
        key: KeyId,
    },
    /// By a trusted key, and verified.
    Trusted {
        /// The key.
        key: KeyId,
        /// The comment that is signed with it; the signer's word, to be shown with care.
        comment: String,
    },
    /// There is one, and it does not verify.
    Bad {
        /// Why not.
        problem: String,
    },
}

impl SignatureState {
    /// Checks what lies beside a module against its bytes.
    pub fn check(module: &Path, bytes: &[u8], trusted: &[PublicKey]) -> Result<Self, TrustError> {
        let path = signature_path(module);
        match read(&path) {
            Ok(text) => Ok(Self::of(&text, bytes, trusted)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::Unsigned),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(Self::Bad { problem: error.to_string() }),
            Err(error) => Err(TrustError::file("read", &path)(error)),
        }
    }

    /// Checks the text of a signature.
    pub fn of(signature: &str, bytes: &[u8], trusted: &[PublicKey]) -> Self {
        let signature = match parse(signature) {
            Ok(signature) => signature,
            Err(problem) => return Self::Bad { problem },
        };
        let key = KeyId::of(signature.keynum());
        let Some(trusted) = trusted.iter().find(|trusted| trusted.id() == key) else { return Self::Unknown { key } };
        if !signature.is_prehashed() {
            let problem =
                "it is of minisign's old kind; sign with minisign 0.10 or later, or with `godwit module sign`";
            return Self::Bad { problem: problem.to_owned() };
        }
        // Quiet, no output, no old kind.
        match minisign::verify(&trusted.0, &signature, Cursor::new(bytes), true, false, false) {
            Ok(()) => Self::Trusted { key, comment: signature.trusted_comment().unwrap_or_default() },
            Err(_) => Self::Bad { problem: format!("it is not what the key {key} made of this file") },
        }
    }

    /// The key that verified it.
    pub fn trusted_key(&self) -> Option<KeyId> {
        if let Self::Trusted { key, .. } = self { Some(*key) } else { None }
    }
}

/// Who signed, in a few words.
impl std::fmt::Display for SignatureState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unsigned => f.write_str("not signed"),
            Self::Unknown { key } => write!(f, "signed by {key}, which is not a trusted key"),
            Self::Trusted { key, .. } => write!(f, "signed by {key}"),
            Self::Bad { problem } => write!(f, "bad signature: {problem}"),
        }
    }
}

/// Where a module's signature lies.
pub fn signature_path(module: &Path) -> PathBuf {
    let mut name = OsString::from(module);
    name.push(minisign::SIG_SUFFIX);
    name.into()
}

fn read(path: &Path) -> io::Result<String> {
    let about = fs::metadata(path)?;
    if !about.is_file() || about.len() > SIGNATURE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no file, or far too large"));
    }
    fs::read_to_string(path)
}

fn parse(text: &str) -> Result<SignatureBox, String> {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    if !LINES.iter().all(|(line, length, padding)| lines.get(*line).is_some_and(|line| fits(line, *length, *padding))) {
        return Err("it is no minisign signature".to_owned());
    }
    SignatureBox::from_string(text).map_err(|error| format!("it is no minisign signature: {error}"))
}

fn fits(line: &str, length: usize, padding: usize) -> bool {
    line.len() == length && line.len() - line.trim_end_matches('=').len() == padding
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = include_str!("../tests/fixtures/minisign.pub");
    const FILE: &[u8] = include_bytes!("../tests/fixtures/file.txt");
    const SIGNATURE: &str = include_str!("../tests/fixtures/file.txt.minisig");
    const LEGACY: &str = include_str!("../tests/fixtures/file.txt.legacy.minisig");

    fn trusted() -> Vec<PublicKey> {
        vec![KEY.lines().nth(1).unwrap().parse().unwrap()]
    }

    fn is_bad(state: &SignatureState) -> bool {
        matches!(state, SignatureState::Bad { .. })
    }

    #[test]
    fn what_minisign_signed_verifies() {
        let key = trusted()[0].id();
        let comment = "a fixture of Godwit's tests".to_owned();
        assert_eq!(SignatureState::of(SIGNATURE, FILE, &trusted()), SignatureState::Trusted { key, comment });
        assert_eq!(SignatureState::of(SIGNATURE, FILE, &[]), SignatureState::Unknown { key });
        let windows = SIGNATURE.replace('\n', "\r\n");
        assert!(SignatureState::of(&windows, FILE, &trusted()).trusted_key().is_some());
    }

    #[test]
    fn the_old_kind_is_refused_with_the_way_out() {
        let SignatureState::Bad { problem } = SignatureState::of(LEGACY, FILE, &trusted()) else { panic!("accepted") };
        assert!(problem.contains("minisign 0.10"), "{problem}");
    }

    #[test]
    fn another_file_and_another_comment_are_bad() {
        assert!(is_bad(&SignatureState::of(SIGNATURE, b"another file", &trusted())));
        let comment = SIGNATURE.replace("a fixture", "b fixture");
        assert!(is_bad(&SignatureState::of(&comment, FILE, &trusted())));
    }

    #[test]
    fn nothing_hides_behind_a_signature() {
        let longer = SIGNATURE.replacen("=\ntrusted", "a\ntrusted", 1);
        assert!(longer != SIGNATURE && is_bad(&SignatureState::of(&longer, FILE, &trusted())));
    }

    #[test]
    fn no_line_may_be_missing_or_short() {
        let lines: Vec<_> = SIGNATURE.lines().collect();
        for without in 0..4 {
            let rest: Vec<_> = (0..4).filter(|line| *line != without).map(|line| lines[line]).collect();
            assert!(is_bad(&SignatureState::of(&rest.join("\n"), FILE, &trusted())), "{without}");
        }
        for cut in [3, 1] {
            let short: Vec<_> = (0..4).map(|i| if i == cut { &lines[i][..40] } else { lines[i] }).collect();
            assert!(is_bad(&SignatureState::of(&short.join("\n"), FILE, &trusted())), "{cut}");
        }
    }

    proptest! {
        #[test]
        fn one_changed_character_never_verifies_as_it_was(at in 0..SIGNATURE.len(), to in "[!-~]") {
            prop_assume!(SIGNATURE.is_char_boundary(at) && SIGNATURE.as_bytes()[at] != to.as_bytes()[0]);
            let mut changed = SIGNATURE.to_owned();
            changed.replace_range(at..=at, &to);
            let state = SignatureState::of(&changed, FILE, &trusted());
            // The first line is nobody's word.
            let in_comment = at < SIGNATURE.find('\n').unwrap();
            prop_assert!(in_comment || state.trusted_key().is_none(), "{state:?}");
        }

        #[test]
        fn nothing_makes_it_panic(text in "(.{0,90}\n){0,5}", line in "[A-Za-z0-9+/]{86}==") {
            SignatureState::of(&text, FILE, &trusted());
            let lines: Vec<_> = SIGNATURE.lines().collect();
            SignatureState::of(&[lines[0], lines[1], lines[2], &line].join("\n"), FILE, &trusted());
        }
    }
}
