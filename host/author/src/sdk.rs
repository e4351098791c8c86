//! Where the SDK is: it is not published, so that a module's crate depends on it by its path.

use std::path::{Path, PathBuf};

use crate::AuthorError;

/// The folder of the SDK: the one given, else that of the checkout which the program, or the current
/// folder, is in.
pub fn find_sdk(given: Option<&Path>) -> Result<PathBuf, AuthorError> {
    match given {
        Some(path) => is_sdk(path)
            .then(|| path.canonicalize().ok())
            .flatten()
            .ok_or_else(|| AuthorError::NotTheSdk { path: path.to_owned() }),
        None => places().find_map(|place| above(&place)).ok_or(AuthorError::NoSdk),
    }
}

fn places() -> impl Iterator<Item = PathBuf> {
    let program = std::env::current_exe().and_then(|path| path.canonicalize());
    program.into_iter().chain(std::env::current_dir())
}

fn above(place: &Path) -> Option<PathBuf> {
    place.ancestors().map(|folder| folder.join("guest-sdk")).find(|path| is_sdk(path))
}

fn is_sdk(path: &Path) -> bool {
    let manifest = std::fs::read_to_string(path.join("Cargo.toml"));
    manifest.is_ok_and(|text| text.lines().any(|line| line.trim() == "name = \"godwit-sdk\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_is_found_from_within_its_checkout_and_nothing_else_passes_for_it() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let sdk = here.join("../../guest-sdk").canonicalize().unwrap();
        assert_eq!(above(&here.canonicalize().unwrap().join("src")).unwrap(), sdk);
        assert_eq!(find_sdk(Some(&sdk)).unwrap(), sdk);
        let error = find_sdk(Some(here)).unwrap_err().to_string();
        assert!(error.contains("is not the SDK"), "{error}");
    }
}
