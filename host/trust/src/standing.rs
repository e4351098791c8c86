//! A module held against what was approved, what is allowed and who is trusted.

use std::fmt;

use godwit_model::{Digest, ModuleName, Wishes};
use semver::Version;
use serde::Serialize;

use crate::{Ceiling, Entry, KeyId, Lock, SignatureState, Signer};

/// A module that asks to run.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// Its name.
    pub name: &'a ModuleName,
    /// Its own version.
    pub version: &'a Version,
    /// Digest of its component.
    pub digest: Digest,
    /// What it wants.
    pub wishes: &'a Wishes,
    /// Who signed it.
    pub signature: &'a SignatureState,
}

impl Asking<'_> {
    /// Its approval, as it is now.
    pub fn entry(&self) -> Entry {
        Entry {
            name: self.name.clone(),
            version: self.version.clone(),
            digest: self.digest,
            signer: self.signature.trusted_key().map_or(Signer::Nobody, Signer::Key),
            grants: self.wishes.clone(),
        }
    }
}

/// Why a module may not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Objection {
    /// Its signature does not verify.
    BadSignature {
        /// Why not.
        problem: String,
    },
    /// It wants more than `godwit.toml` allows it.
    BeyondCeiling {
        /// The module.
        module: ModuleName,
        /// What more, in words.
        wants: Vec<String>,
        /// What to write there to allow it.
        lines: Vec<String>,
    },
    /// Nobody approved it.
    NotApproved {
        /// Whether a trusted key vouches for it.
        vouched: bool,
    },
    /// Another file, or another wish, than what was approved.
    Changed {
        /// The version that was approved.
        approved: Version,
        /// The digest that was approved.
        was: Digest,
        /// Its version now.
        version: Version,
        /// Its digest now.
        is: Digest,
        /// What it wants beyond that, in words.
        wants: Vec<String>,
    },
    /// Approved for the sake of a key that the operator trusts no longer.
    KeyGone {
        /// The key.
        key: KeyId,
    },
    /// Approved for the sake of a signature that is no longer good.
    SignerGone {
        /// The key that it was signed with.
        approved: KeyId,
        /// How it stands now, in words.
        now: String,
    },
}

impl Objection {
    /// Whether no approval lifts it.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::BadSignature { .. } | Self::BeyondCeiling { .. })
    }
}

/// All that speaks against running a module; nothing, where it may run.
pub fn objections(lock: &Lock, ceiling: Option<&Ceiling>, asking: Asking<'_>) -> Vec<Objection> {
    let signature = if let SignatureState::Bad { problem } = asking.signature {
        Some(Objection::BadSignature { problem: problem.clone() })
    } else {
        None
    };
    // Last, for it takes several lines.
    let beyond = ceiling.and_then(|ceiling| beyond(ceiling, asking));
    signature.into_iter().chain(unapproved(lock, asking)).chain(beyond).collect()
}

fn beyond(ceiling: &Ceiling, asking: Asking<'_>) -> Option<Objection> {
    let wants = ceiling.exceeded_by(asking.wishes);
    let lines = || ceiling.raised_to(asking.wishes);
    match wants.is_empty() {
        true => None,
        false => Some(Objection::BeyondCeiling { module: asking.name.clone(), wants, lines: lines() }),
    }
}

fn unapproved(lock: &Lock, asking: Asking<'_>) -> Vec<Objection> {
    match lock.entry(asking.name, asking.version) {
        None => vec![Objection::NotApproved { vouched: asking.signature.trusted_key().is_some() }],
        Some(entry) => changed(entry, asking).into_iter().chain(signer_gone(entry, asking)).collect(),
    }
}

fn changed(entry: &Entry, asking: Asking<'_>) -> Option<Objection> {
    let wants = Wishes::difference(&entry.grants, asking.wishes);
    match entry.digest == asking.digest && wants.is_empty() {
        true => None,
        false => Some(Objection::Changed {
            approved: entry.version.clone(),
            was: entry.digest,
            version: asking.version.clone(),
            is: asking.digest,
            wants,
        }),
    }
}

/// Said of a changed module, too: that the vendor's signature is gone may be the first sign of a forgery.
fn signer_gone(entry: &Entry, asking: Asking<'_>) -> Option<Objection> {
    match (entry.signer, asking.signature) {
        // A bad one is said already.
        (Signer::Nobody, _) | (_, SignatureState::Bad { .. }) => None,
        (Signer::Key(approved), now) if now.trusted_key() == Some(approved) => None,
        (Signer::Key(approved), SignatureState::Unknown { key }) if *key == approved => {
            Some(Objection::KeyGone { key: approved })
        }
        (Signer::Key(approved), now) => Some(Objection::SignerGone { approved, now: now.to_string() }),
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadSignature { problem } => {
                write!(f, "its signature is bad: {problem}; get the module and its .minisig from the vendor again")
            }
            Self::BeyondCeiling { module, wants, lines } => write!(
                f,
                "it wants more than [grants.\"{module}\"] in godwit.toml allows: {}; do without the module, or write there:\n      [grants.\"{module}\"]\n      {}",
                wants.join("; "),
                lines.join("\n      ")
            ),
            Self::NotApproved { vouched: true } => f.write_str("not approved"),
            Self::NotApproved { vouched: false } => f.write_str("not approved, and not signed by a trusted key"),
            Self::Changed { approved, was, version, is, wants } => {
                f.write_str(&what_changed((approved, *was), (version, *is)))?;
                match wants.is_empty() {
                    true if approved == version => f.write_str("; ask the vendor"),
                    true => f.write_str("; it asks for nothing more, only the code changed"),
                    false => write!(f, "; now also wants: {}", wants.join("; ")),
                }
            }
            Self::KeyGone { key } => write!(
                f,
                "its key {key} is no longer in [modules] trust; put it back there, or approve anew what it signed"
            ),
            Self::SignerGone { approved, now } => {
                write!(
                    f,
                    "approved as signed by {approved}, and now {now}; put back the vendor's .minisig, or approve it anew"
                )
            }
        }
    }
}

fn what_changed((approved, was): (&Version, Digest), (version, is): (&Version, Digest)) -> String {
    let (was, is) = (was.short(), is.short());
    if was == is {
        "changed since it was approved".to_owned()
    } else if approved == version {
        format!("the code changed though the version is still {version}: was {was}, is {is}")
    } else {
        format!("changed since it was approved: {approved} was {was}, {version} is {is}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "E7620F1842B4E81F";

    struct Module {
        name: ModuleName,
        version: Version,
        digest: Digest,
        wishes: Wishes,
        signature: SignatureState,
    }

    impl Module {
        fn new() -> Self {
            Self {
                name: "acme/a".parse().unwrap(),
                version: Version::new(0, 1, 0),
                digest: Digest::of(b"a"),
                wishes: serde_json::from_str(r#"{"reads":["links"]}"#).unwrap(),
                signature: trusted(KEY),
            }
        }

        fn asking(&self) -> Asking<'_> {
            let Self { name, version, digest, wishes, signature } = self;
            Asking { name, version, digest: *digest, wishes, signature }
        }

        fn approved(&self) -> Lock {
            let mut lock = Lock::default();
            lock.approve(self.asking().entry(), &[]);
            lock
        }

        fn said(&self, lock: &Lock) -> Vec<String> {
            objections(lock, None, self.asking()).iter().map(ToString::to_string).collect()
        }
    }

    fn trusted(key: &str) -> SignatureState {
        SignatureState::Trusted { key: key.to_owned().try_into().unwrap(), comment: String::new() }
    }

    #[test]
    fn what_was_approved_may_run_and_nothing_else() {
        let module = Module::new();
        assert_eq!(module.said(&module.approved()), [""; 0]);
        assert_eq!(module.said(&Lock::default()), ["not approved"]);
        let unsigned = Module { signature: SignatureState::Unsigned, ..module };
        assert_eq!(unsigned.said(&Lock::default()), ["not approved, and not signed by a trusted key"]);
    }

    #[test]
    fn another_digest_is_refused_whatever_it_wants() {
        let (approved, mut module) = (Module::new().approved(), Module::new());
        module.digest = Digest::of(b"b");
        let (was, is) = (Digest::of(b"a").short(), Digest::of(b"b").short());
        let said = format!("the code changed though the version is still 0.1.0: was {was}, is {is}; ask the vendor");
        assert_eq!(module.said(&approved), [said]);
        module.wishes =
            serde_json::from_str(r#"{"reads":["links","users.password"],"files":{"config":"read-write"}}"#).unwrap();
        module.version = Version::new(0, 2, 0);
        let said = format!(
            "changed since it was approved: 0.1.0 was {was}, 0.2.0 is {is}; now also wants: query users.password; write the tree config"
        );
        assert_eq!(module.said(&approved), [said]);
    }

    #[test]
    fn the_same_digest_with_less_in_the_lock_is_refused() {
        let mut module = Module::new();
        let approved = module.approved();
        module.wishes.scratch = true;
        let said = "changed since it was approved; now also wants: keep a private scratch database";
        assert_eq!(module.said(&approved), [said]);
    }

    #[test]
    fn a_signature_must_stay_as_it_was_approved() {
        let mut module = Module::new();
        let approved = module.approved();
        let other = trusted("0000000000000001");
        let stranger = SignatureState::Unknown { key: "0000000000000002".to_owned().try_into().unwrap() };
        for gone in [SignatureState::Unsigned, stranger, other] {
            module.signature = gone;
            let said = module.said(&approved);
            assert!(said[0].starts_with("approved as signed by E7620F1842B4E81F, and now "), "{said:?}");
        }
        module.signature = SignatureState::Bad { problem: "x".to_owned() };
        let found = objections(&approved, None, module.asking());
        assert!(found.len() == 1 && found[0].is_final(), "{found:?}");
    }

    #[test]
    fn a_key_that_is_trusted_no_longer_is_told_from_a_signature_that_is_gone() {
        let mut module = Module::new();
        let approved = module.approved();
        module.signature = SignatureState::Unknown { key: KEY.to_owned().try_into().unwrap() };
        let said = module.said(&approved);
        assert!(said[0].starts_with("its key E7620F1842B4E81F is no longer in [modules] trust"), "{said:?}");
        assert!(!said[0].contains("minisig"), "{said:?}");
    }

    #[test]
    fn a_changed_module_that_lost_its_signature_is_told_by_both() {
        let (approved, mut module) = (Module::new().approved(), Module::new());
        (module.digest, module.signature) = (Digest::of(b"b"), SignatureState::Unsigned);
        let said = module.said(&approved);
        assert!(
            said.len() == 2 && said[0].starts_with("the code changed") && said[1].contains("now not signed"),
            "{said:?}"
        );
    }

    #[test]
    fn what_was_approved_unsigned_passes_unless_its_signature_is_bad() {
        let mut module = Module::new();
        module.signature = SignatureState::Unsigned;
        let approved = module.approved();
        assert_eq!(module.said(&approved), [""; 0]);
        module.signature = trusted(KEY);
        assert_eq!(module.said(&approved), [""; 0]);
        module.signature = SignatureState::Bad { problem: "x".to_owned() };
        assert_eq!(module.said(&approved).len(), 1);
    }

    #[test]
    fn a_ceiling_is_above_every_approval() {
        let module = Module::new();
        let found = objections(&module.approved(), Some(&Ceiling::default()), module.asking());
        assert_eq!(found.len(), 1);
        let said = found[0].to_string();
        assert!(found[0].is_final() && said.contains("query links"), "{said}");
        assert!(said.ends_with(":\n      [grants.\"acme/a\"]\n      read = [\"links\"]"), "{said}");
        let unapproved = objections(&Lock::default(), Some(&Ceiling::default()), module.asking());
        assert_eq!(unapproved.last(), found.last(), "nothing follows the lines");
    }
}
