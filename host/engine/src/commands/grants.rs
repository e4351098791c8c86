//! `godwit grants`: what modules ask for, and approving it. Nothing of them is run.

use std::path::PathBuf;

use godwit_archive::Archive;
use godwit_model::{Digest, Fault, ModuleManifest, ModuleName, resolve_chain};
use godwit_trust::{Asking, Entry, Lock, Objection, SignatureState};
use semver::Version;
use serde::Serialize;

use super::ModuleOptions;
use super::migrate::check_direction;
use crate::grants::{Grants, Standing};
use crate::modules::{Found, read_directories};
use crate::{Config, EngineError};

/// Which modules to look at.
pub struct GrantsRequest<'a> {
    /// The archive that they are to migrate; none: the live application.
    pub archive: Option<PathBuf>,
    /// The live application's configuration, where there is one.
    pub config: Option<&'a Config>,
    /// The data version wanted; none: all modules there are.
    pub to: Option<Version>,
    /// Where they are, and what is approved already.
    pub modules: ModuleOptions,
}

/// A module as it asks.
#[derive(Debug, Clone, Serialize)]
pub struct Asked {
    /// Its file.
    pub file: PathBuf,
    /// What it says of itself.
    pub manifest: ModuleManifest,
    /// Digest of its component.
    pub digest: Digest,
    /// The version of the data that it is to start from, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Version>,
    /// The versions of it that are there.
    #[serde(skip)]
    pub beside: Vec<Version>,
    /// Who signed it.
    pub signature: SignatureState,
    /// What speaks against running it; nothing where it is approved.
    pub objections: Vec<Objection>,
}

impl Asked {
    /// Whether it may run.
    pub fn is_approved(&self) -> bool {
        self.objections.is_empty()
    }

    /// Why it cannot be approved, in words; none where it can.
    pub fn obstacle(&self, allow_unsigned: bool) -> Option<String> {
        let last = self.objections.iter().find(|objection| objection.is_final());
        let unsigned = !self.is_approved() && !allow_unsigned && self.signature.trusted_key().is_none();
        match (last, &self.signature) {
            (Some(objection), _) => Some(objection.to_string()),
            (None, SignatureState::Unknown { key }) if unsigned => Some(format!(
                "signed by {key}, which [modules] trust in godwit.toml does not name; add the vendor's public key there, or pass --allow-unsigned"
            )),
            (None, _) if unsigned => Some(
                "not signed; get the .minisig from the vendor and put it beside the module, or pass --allow-unsigned"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// What modules ask for, and what is odd about the configuration that limits them.
#[derive(Debug)]
pub struct Overview {
    /// The modules.
    pub asked: Vec<Asked>,
    /// Limits of `godwit.toml` that are nobody's.
    pub idle: Vec<IdleCeiling>,
}

/// A limit for a module that is not there: most likely a misspelt name, so that the module meant has none.
#[derive(Debug, Clone, Serialize)]
pub struct IdleCeiling {
    /// The name in `godwit.toml`.
    pub name: ModuleName,
    /// The module that is there and has the name nearest to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near: Option<ModuleName>,
}

impl std::fmt::Display for IdleCeiling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[grants.\"{}\"] in godwit.toml matches no module here, and limits none", self.name)?;
        self.near.iter().try_for_each(|near| write!(f, "; did you mean {near}?"))
    }
}

/// Looks at the modules, by their manifests alone.
pub fn grants(request: &GrantsRequest<'_>) -> Result<Overview, Fault> {
    let found = read_directories(&request.modules.directories)?;
    let lock = Lock::load(&request.modules.grants.lock)?;
    let chosen = choose(request, &found)?;
    let ask = |(one, from): (&Found, Option<Version>)| {
        let Standing { signature, objections } = request.modules.grants.standing(&lock, one)?;
        let manifest = one.module.manifest.clone();
        let beside = versions(&found, &manifest.name);
        let (file, digest) = (one.path.clone(), one.module.digest);
        Ok(Asked { file, manifest, digest, from, beside, signature, objections })
    };
    let asked = chosen.into_iter().map(ask).collect::<Result<_, Fault>>()?;
    Ok(Overview { asked, idle: idle(&request.modules.grants, &found) })
}

fn idle(grants: &Grants, found: &[Found]) -> Vec<IdleCeiling> {
    let there: Vec<_> = found.iter().map(|found| &found.module.manifest.name).collect();
    let free = || there.iter().filter(|name| !grants.ceilings.contains_key(name.as_str())).copied();
    let nobodys = grants.ceilings.keys().filter(|name| !there.contains(name));
    nobodys.map(|name| IdleCeiling { name: name.clone(), near: nearest(name, free()).cloned() }).collect()
}

/// The name that is a slip of the fingers away; one letter in four may differ.
fn nearest<'a>(name: &ModuleName, names: impl Iterator<Item = &'a ModuleName>) -> Option<&'a ModuleName> {
    let distance = |other: &&ModuleName| strsim::damerau_levenshtein(name.as_str(), other.as_str());
    names.min_by_key(distance).filter(|other| distance(other) <= name.as_str().len().div_ceil(4))
}

fn versions(found: &[Found], name: &ModuleName) -> Vec<Version> {
    let manifests = found.iter().map(|found| &found.module.manifest);
    manifests.filter(|manifest| manifest.name == *name).map(|manifest| manifest.version.clone()).collect()
}

fn choose<'a>(request: &GrantsRequest<'_>, found: &'a [Found]) -> Result<Vec<(&'a Found, Option<Version>)>, Fault> {
    let (application, data) = origin(request)?;
    match (&request.to, application, data) {
        (Some(to), Some(application), Some(from)) => along(&application, found, from, to),
        (_, application, _) => {
            let fits =
                |found: &&Found| application.as_ref().is_none_or(|name| *name == found.module.manifest.application);
            let all: Vec<_> = found.iter().filter(fits).map(|found| (found, None)).collect();
            let directories = || request.modules.directories.iter().map(|path| path.display().to_string()).collect();
            match all.is_empty() {
                true => Err(EngineError::NoModule { application, directories: directories() }.into()),
                false => Ok(all),
            }
        }
    }
}

/// Whose data it is and at which version, as far as anyone says.
fn origin(request: &GrantsRequest<'_>) -> Result<(Option<String>, Option<Version>), Fault> {
    if let Some(path) = &request.archive {
        let header = Archive::open(path)?.manifest().header.clone();
        return Ok((Some(header.application), Some(header.data_version)));
    }
    let Some(config) = request.config else { return Ok((None, None)) };
    let data = request.to.as_ref().map(|_| config.application_version()).transpose()?;
    Ok((Some(config.application.name.clone()), data))
}

/// The chain's modules, each with the version that it starts from. A step across a major is shown like any other.
fn along<'a>(
    application: &str,
    found: &'a [Found],
    from: Version,
    to: &Version,
) -> Result<Vec<(&'a Found, Option<Version>)>, Fault> {
    check_direction(&from, to)?;
    let manifests: Vec<_> = found.iter().map(|found| found.module.manifest.clone()).collect();
    let order = resolve_chain(application, &manifests, &from, to, true).map_err(EngineError::Chain)?;
    let starts = std::iter::once(from).chain(order.iter().map(|&index| manifests[index].to.clone()));
    Ok(order.iter().zip(starts).map(|(&index, start)| (&found[index], Some(start))).collect())
}

/// Approves what was shown, all of it or nothing; gives what was not approved before.
pub fn approve<'a>(grants: &Grants, asked: &'a [Asked], allow_unsigned: bool) -> Result<Vec<&'a Asked>, Fault> {
    let obstacle = |asked: &Asked| {
        let said = asked.obstacle(allow_unsigned)?;
        Some(format!("{} {}: {said}", asked.manifest.name, asked.manifest.version))
    };
    let problems: Vec<_> = asked.iter().filter_map(obstacle).collect();
    if !problems.is_empty() {
        return Err(EngineError::NotApprovable { problems }.into());
    }
    let mut lock = Lock::load(&grants.lock)?;
    let before = lock.clone();
    for one in asked {
        lock.approve(entry(one), &one.beside);
    }
    if lock != before {
        lock.save(&grants.lock)?;
    }
    Ok(asked.iter().filter(|asked| !asked.is_approved()).collect())
}

fn entry(asked: &Asked) -> Entry {
    let Asked { manifest, digest, signature, .. } = asked;
    let wishes = &manifest.wishes();
    Asking { name: &manifest.name, version: &manifest.version, digest: *digest, wishes, signature }.entry()
}

/// Takes the approvals of modules back, whatever their versions, all of them or none; gives what was approved.
pub fn revoke(grants: &Grants, names: &[ModuleName]) -> Result<Vec<Entry>, Fault> {
    let mut lock = Lock::load(&grants.lock)?;
    let approved: Vec<_> = lock.entries().iter().map(|entry| entry.name.to_string()).collect();
    let mut revoked = vec![];
    for name in names {
        let entries = lock.revoke(name);
        if entries.is_empty() {
            let (name, lock) = (name.to_string(), grants.lock.clone());
            return Err(EngineError::NothingToRevoke { name, lock, approved }.into());
        }
        revoked.extend(entries);
    }
    lock.save(&grants.lock)?;
    Ok(revoked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        let there: Vec<ModuleName> =
            ["acme/inventory-1.1", "acme/inventory-1.2"].map(|name| name.parse().unwrap()).to_vec();
        let near = |name: &str| nearest(&name.parse().unwrap(), there.iter()).map(ToString::to_string);
        assert_eq!(near("acme/inventory-1.2.0").as_deref(), Some("acme/inventory-1.2"));
        assert_eq!(near("acem/inventory-1.1").as_deref(), Some("acme/inventory-1.1"));
        assert_eq!(near("other/shop-1.1"), None);
    }
}
