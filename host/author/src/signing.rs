//! Signing modules, and looking who signed one.

use std::path::{Path, PathBuf};

use godwit_model::Fault;
use godwit_sandbox::Module;
use godwit_trust::{KeyId, PublicKey, SecretKey, SignatureState};
use serde::Serialize;

/// A signature that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signed {
    /// The module's file.
    pub file: PathBuf,
    /// The signature's.
    pub signature: PathBuf,
    /// The key.
    pub key: KeyId,
    /// The comment that is signed with it.
    pub comment: String,
}

/// Signs the module in a file; what no host would take is not signed.
pub fn sign(file: &Path, key: &SecretKey) -> Result<Signed, Fault> {
    let module = crate::read(file)?;
    let comment = comment(&module);
    let signature = key.sign_file(file, &module.bytes, &comment)?;
    Ok(Signed { file: file.to_owned(), signature, key: key.id(), comment })
}

/// No time in it: the same key and module say the same.
fn comment(module: &Module) -> String {
    format!("{} {} sha256:{}", module.manifest.name, module.manifest.version, module.digest)
}

/// The module in a file, and who signed it.
pub fn signature(file: &Path, trusted: &[PublicKey]) -> Result<(Module, SignatureState), Fault> {
    let module = crate::read(file)?;
    let state = SignatureState::check(file, &module.bytes, trusted)?;
    Ok((module, state))
}
