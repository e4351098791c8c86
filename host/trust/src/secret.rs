//! Secret keys, as minisign writes them: made, kept and used to sign.

use std::fs::{self, OpenOptions};
use std::io::{self, Cursor, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use minisign::{KeyPair, SecretKeyBox};

use crate::key::read_text;
use crate::signature::signature_path;
use crate::{KeyId, PublicKey, TrustError};

const SECRET_COMMENT: &str = "minisign encrypted secret key";
const PLAIN_COMMENT: &str = "minisign unencrypted secret key";

/// A password. It has no way of being shown.
pub struct Password(String);

impl Password {
    /// What was typed.
    pub fn new(typed: String) -> Self {
        Self(typed)
    }

    /// The first line of a file.
    pub fn from_file(path: &Path) -> Result<Self, TrustError> {
        Ok(Self(read_text(path)?.lines().next().unwrap_or_default().to_owned()))
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// A key that can sign. It has no way of being shown.
pub struct SecretKey(minisign::SecretKey);

impl SecretKey {
    /// Makes a key and writes both halves of it, the secret one readable by its owner only; gives the public one
    /// and its file. Neither file may be there.
    pub fn generate(path: &Path, password: Option<&Password>) -> Result<(PublicKey, PathBuf), TrustError> {
        let public_path = path.with_extension("pub");
        for file in [path, &public_path] {
            if file.symlink_metadata().is_ok() {
                return Err(TrustError::KeyExists { path: file.to_owned() });
            }
        }
        let none = |error: minisign::PError| TrustError::NoKey(error.to_string());
        let (pair, comment) = match password {
            Some(password) => (KeyPair::generate_encrypted_keypair(Some(password.0.clone())), SECRET_COMMENT),
            None => (KeyPair::generate_unencrypted_keypair(), PLAIN_COMMENT),
        };
        let pair = pair.map_err(none)?;
        let secret = pair.sk.to_box(Some(comment)).map_err(none)?.to_string();
        let public = PublicKey(pair.pk);
        write_new(path, &secret, 0o600)?;
        write_new(&public_path, &public.file_text(), 0o644).inspect_err(|_| _ = fs::remove_file(path))?;
        Ok((public, public_path))
    }

    /// Reads a secret key; `password` is asked for one only where the key has one.
    pub fn load<E: From<TrustError>>(
        path: &Path,
        password: impl FnOnce() -> Result<Option<Password>, E>,
    ) -> Result<Self, E> {
        let bad = |error: minisign::PError| TrustError::BadKey {
            origin: path.display().to_string(),
            problem: error.to_string(),
        };
        let text = read_text(path)?;
        if let Ok(key) = SecretKeyBox::from(text.clone()).into_unencrypted_secret_key() {
            return Ok(Self(key));
        }
        if !is_encrypted(&text) {
            let problem = "it is no secret key, or a damaged one".to_owned();
            return Err(TrustError::BadKey { origin: path.display().to_string(), problem }.into());
        }
        let password = password()?.ok_or_else(|| TrustError::PasswordNeeded { path: path.to_owned() })?;
        Ok(Self(SecretKeyBox::from(text).into_secret_key(Some(password.0)).map_err(bad)?))
    }

    /// What tells it from others.
    pub fn id(&self) -> KeyId {
        KeyId::of(self.0.keynum())
    }

    /// The text of a signature of some bytes, and of a comment of one line.
    pub fn sign(&self, bytes: &[u8], comment: &str) -> Result<String, String> {
        let untrusted = format!("signature from minisign secret key {}", self.id());
        let signed = minisign::sign(None, &self.0, Cursor::new(bytes), Some(comment), Some(&untrusted));
        signed.map(minisign::SignatureBox::into_string).map_err(|error| error.to_string())
    }

    /// Signs what is in a file, and writes the signature beside it, in place of a former one and all at once.
    pub fn sign_file(&self, path: &Path, bytes: &[u8], comment: &str) -> Result<PathBuf, TrustError> {
        let text = self.sign(bytes, comment);
        let text = text.map_err(|problem| TrustError::Unsigned { path: path.to_owned(), problem })?;
        let signature = signature_path(path);
        replace(&signature, &text).map_err(TrustError::file("write", &signature))?;
        Ok(signature)
    }
}

/// By the two bytes that say so, `Sc`, after two for the algorithm: base64 shows them as they are.
fn is_encrypted(text: &str) -> bool {
    text.lines().nth(1).is_some_and(|line| line.starts_with("RWRTY"))
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".minisig-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), TrustError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = file.map_err(TrustError::file("write", path))?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(TrustError::file("write", path)).inspect_err(|_| _ = fs::remove_file(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::SignatureState;

    fn load(path: &Path, password: Option<&str>) -> Result<SecretKey, TrustError> {
        SecretKey::load(path, || Ok(password.map(|text| Password::new(text.to_owned()))))
    }

    #[test]
    fn what_a_key_signs_its_other_half_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let (public, public_path) = SecretKey::generate(&path, None).unwrap();
        assert_eq!(PublicKey::load(&public_path).unwrap(), public);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let key = load(&path, None).unwrap();
        let signature = key.sign(b"bytes", "a comment").unwrap();
        let state = SignatureState::of(&signature, b"bytes", std::slice::from_ref(&public));
        assert_eq!(state, SignatureState::Trusted { key: public.id(), comment: "a comment".to_owned() });
    }

    #[test]
    fn a_password_is_asked_for_and_must_be_right() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        SecretKey::generate(&path, Some(&Password::new("right".to_owned()))).unwrap();
        assert!(matches!(load(&path, None), Err(TrustError::PasswordNeeded { .. })));
        assert!(load(&path, Some("right")).is_ok());
        let Err(error) = load(&path, Some("wrong")) else { panic!("it was taken") };
        assert!(error.to_string().contains("Wrong password") && !error.to_string().contains("wrong\""), "{error}");
    }

    #[test]
    fn a_key_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.pub"), "mine").unwrap();
        let path = folder.path().join("a.key");
        assert!(matches!(SecretKey::generate(&path, None), Err(TrustError::KeyExists { .. })));
        assert!(!path.exists(), "half a pair is none");
    }

    #[test]
    fn what_is_no_secret_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let (public, _) = SecretKey::generate(&path, None).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        let line = good.lines().nth(1).unwrap();
        for text in ["", "hello", &public.file_text(), &good.replace(line, &line[..100]), &good.replace(line, "RWRTY")]
        {
            fs::write(&path, text).unwrap();
            assert!(load(&path, None).is_err(), "{text:?}");
        }
    }
}
