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
    let (mut signatures, mut refused) = (vec![], vec![]);
    for found in chain {
        let standing = grants.standing(&lock, found)?;
        signatures.push(standing.signature.clone());
        if !standing.objections.is_empty() {
            refused.push((found, standing));
        }
    }
    match refused.is_empty() {
        true => Ok(signatures),
        false => Err(refusal(grants, &refused).into()),
    }
}

fn refusal(grants: &Grants, refused: &[(&Found, Standing)]) -> EngineError {
    let is_final = refused.iter().flat_map(|(_, standing)| &standing.objections).any(Objection::is_final);
    let next = (!is_final).then(|| next(&grants.command(), refused));
    EngineError::NotGranted { modules: refused.len(), problems: problems(refused), next }
}

/// Each module with what speaks against it; those whose key is gone are named together.
fn problems(refused: &[(&Found, Standing)]) -> Vec<String> {
    let mut problems: Vec<(Vec<String>, &[Objection])> = vec![];
    for (found, Standing { objections, .. }) in refused {
        let alike =
            |(_, said): &&mut (_, &[Objection])| *said == objections && matches!(said, [Objection::KeyGone { .. }]);
        match problems.iter_mut().find(alike) {
            Some((modules, _)) => modules.push(who(found)),
            None => problems.push((vec![who(found)], objections)),
        }
    }
    let joined = |objections: &[Objection]| objections.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    problems.into_iter().map(|(modules, said)| format!("{}: {}", modules.join(", "), joined(said))).collect()
}

fn who(found: &Found) -> String {
    let manifest = &found.module.manifest;
    format!("{} {} ({})", manifest.name, manifest.version, found.module.digest.short())
}

/// What to do about modules that an approval would let run.
fn next(command: &str, refused: &[(&Found, Standing)]) -> String {
    let signatures = || refused.iter().map(|(_, standing)| &standing.signature);
    let unsigned = signatures().any(|signature| *signature == SignatureState::Unsigned);
    let unknown = signatures().any(|signature| matches!(signature, SignatureState::Unknown { .. }));
    let way = match (unsigned, unknown) {
        (true, _) => {
            "to approve, get the .minisig from the vendor and add --approve; without it, --approve --allow-unsigned"
        }
        (false, true) => {
            "to approve, add the vendor's public key to [modules] trust, and --approve; without it, --approve --allow-unsigned"
        }
        (false, false) => "add --approve to approve it",
    };
    format!("see what is asked for with `{command}`; {way}")
}
