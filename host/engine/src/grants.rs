//! Modules held to what the operator approved, before anything of them is compiled.

use std::collections::BTreeMap;
use std::path::PathBuf;

use godwit_model::{Fault, ModuleName};
use godwit_trust::{Asking, Ceiling, Lock, Objection, PublicKey, SignatureState, objections};

use crate::EngineError;
use crate::modules::Found;

/// What the operator approved and allows, and whom they trust. By default: nothing, and nobody.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// The lock file, which holds what was approved.
    pub lock: PathBuf,
    /// What single modules may have at most.
    pub ceilings: BTreeMap<ModuleName, Ceiling>,
    /// Keys whose signatures count.
    pub trust: Vec<PublicKey>,
    /// The command that shows what modules ask for, to be named in messages.
    pub command: String,
}

/// How a module stands.
pub(crate) struct Standing {
    pub(crate) signature: SignatureState,
    pub(crate) objections: Vec<Objection>,
}

impl Grants {
    fn command(&self) -> String {
        if self.command.is_empty() { "godwit grants".to_owned() } else { self.command.clone() }
    }

    pub(crate) fn standing(&self, lock: &Lock, found: &Found) -> Result<Standing, Fault> {
        let module = &found.module;
        let signature = SignatureState::check(&found.path, &module.bytes, &self.trust)?;
        let (name, version) = (&module.manifest.name, &module.manifest.version);
        let wishes = &module.manifest.wishes();
        let asking = Asking { name, version, digest: module.digest, wishes, signature: &signature };
        let objections = objections(lock, self.ceilings.get(name), asking);
        Ok(Standing { signature, objections })
    }
}

/// Lets the modules of a chain pass, or refuses all of them; gives who signed each.
pub(crate) fn admit<'a>(grants: &Grants, chain: impl Iterator<Item = &'a Found>) -> Result<Vec<SignatureState>, Fault> {
    let lock = Lock::load(&grants.lock)?;
    let (mut signatures, mut problems, mut approvable) = (vec![], vec![], true);
    for found in chain {
        let standing = grants.standing(&lock, found)?;
        problems.extend(said_of(found, &standing.objections));
        approvable &= !standing.objections.iter().any(Objection::is_final);
        signatures.push(standing.signature);
    }
    match problems.is_empty() {
        true => Ok(signatures),
        false => Err(EngineError::NotGranted { problems, approvable, command: grants.command() }.into()),
    }
}

fn said_of(found: &Found, objections: &[Objection]) -> Option<String> {
    let said: Vec<_> = objections.iter().map(ToString::to_string).collect();
    let manifest = &found.module.manifest;
    let who = format!("{} {} ({})", manifest.name, manifest.version, found.module.digest.short());
    if said.is_empty() { None } else { Some(format!("{who}: {}", said.join("; "))) }
}
