//! The cache of compiled code: used, and never shared.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use godwit_model::{Fault, FaultClass};
use godwit_sandbox::{Limits, Options, Sandbox};

use crate::fixture::{module, parameters};

fn open(cache: &Path) -> Result<Sandbox, Fault> {
    Ok(Sandbox::new(&Options { cache: Some(cache.to_owned()), stop: None })?)
}

#[test]
fn what_was_compiled_once_is_not_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("deep/cache");
    for hits in [0, 1, 1] {
        let sandbox = open(&cache).unwrap();
        sandbox.grant(&module(|_| {}), &parameters("none"), Limits::default()).unwrap().instantiate().unwrap();
        assert_eq!(sandbox.cache_hits(), hits);
    }
    assert_eq!(fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    // Other bytes are other code, however alike.
    let sandbox = open(&cache).unwrap();
    let other = module(|manifest| manifest["version"] = "0.2.0".into());
    sandbox.grant(&other, &parameters("none"), Limits::default()).unwrap();
    assert_eq!(sandbox.cache_hits(), 0);
}

fn refusal(cache: &Path) -> String {
    let Err(fault) = open(cache) else { panic!("{} was taken", cache.display()) };
    assert_eq!(fault.class(), FaultClass::System);
    fault.to_string()
}

#[test]
fn a_cache_that_others_may_write_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o777, 0o770, 0o702, 0o1777] {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        assert!(refusal(folder.path()).contains("chmod 700"), "{mode:o}");
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    open(folder.path()).unwrap();
}

#[test]
fn a_cache_of_another_user_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    if chown(folder.path(), Some(65_534), None).is_err() {
        eprintln!("skipped: only root can give a folder away");
        return;
    }
    assert!(refusal(folder.path()).contains("another user"));
}

#[test]
fn a_cache_that_is_no_folder_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(refusal(file.path()).contains(&file.path().display().to_string()));
}
