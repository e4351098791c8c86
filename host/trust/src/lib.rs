//! Which modules may run: those that the operator approved, by digest and with what they ask for, signed by whom
//! the operator trusts.
//!
//! - [`Lock`] is `godwit.lock`, the approvals; [`Ceiling`] is what `godwit.toml` allows at most
//! - [`PublicKey`] and [`SignatureState`] are who signed; [`SecretKey`] signs. Both are minisign's, and so are the files
//! - [`objections`] holds a module against all of them
//!
//! Nothing here runs a module, and nothing reaches for the network.
#![forbid(unsafe_code)]

mod ceiling;
mod error;
mod key;
mod lock;
mod secret;
mod signature;
mod standing;

pub use ceiling::Ceiling;
pub use error::TrustError;
pub use key::{KeyId, PublicKey};
pub use lock::{Entry, Lock, Signer};
pub use secret::{Password, SecretKey};
pub use signature::{SignatureState, signature_path};
pub use standing::{Asking, Objection, objections};
