//! A new module: a crate that builds and passes its tests as it is.

use std::fs;
use std::path::{Path, PathBuf};

use godwit_model::{Crossing, Line, ModuleManifest, ModuleName};
use semver::{Version, VersionReq};
use serde_json::Value;

use crate::{AuthorError, find_sdk};

/// What a new module is to be.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// `vendor/name`.
    pub name: ModuleName,
    /// The data that it takes: a version (`1.0`: from there on, up to `to`), or a semver requirement.
    pub from: String,
    /// The data that it makes.
    pub to: Version,
    /// Whose data; none: the name without its vendor and version.
    pub application: Option<String>,
    /// The folder to make; none: named like the module, here.
    pub path: Option<PathBuf>,
    /// The SDK's folder; none: looked for.
    pub sdk: Option<PathBuf>,
}

/// What was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Begun {
    /// The folder.
    pub path: PathBuf,
    /// The SDK that it depends on.
    pub sdk: PathBuf,
    /// Its manifest.
    pub manifest: ModuleManifest,
}

/// Writes the crate. Whole or not at all: a folder that is there is never touched.
///
/// # Errors
/// The folder exists, the versions make no step, the SDK is not found, or a file cannot be written.
pub fn begin(wanted: &Beginning) -> Result<Begun, AuthorError> {
    let manifest = manifest(wanted)?;
    let sdk = find_sdk(wanted.sdk.as_deref())?;
    let short = wanted.name.as_str().rsplit('/').next().unwrap_or_default();
    let path = wanted.path.clone().unwrap_or_else(|| short.into());
    if path.symlink_metadata().is_ok() {
        return Err(AuthorError::Exists { path });
    }
    let partial = path.with_added_extension("partial");
    make(&partial)?;
    let finished = write(&partial, &files(wanted, &manifest, &sdk))
        .and_then(|()| take_lock_file(&partial, &sdk))
        .and_then(|()| fs::rename(&partial, &path).map_err(AuthorError::file("make", &path)));
    finished.inspect_err(|_| {
        // Best effort: the error that counts is the first one.
        let _removed = fs::remove_dir_all(&partial);
    })?;
    Ok(Begun { path, sdk, manifest })
}

/// A folder that is nobody else's.
fn make(folder: &Path) -> Result<(), AuthorError> {
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).map_err(AuthorError::file("make", parent))?;
    }
    fs::create_dir(folder).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => AuthorError::Exists { path: folder.to_owned() },
        _ => AuthorError::file("make", folder)(source),
    })
}

fn manifest(wanted: &Beginning) -> Result<ModuleManifest, AuthorError> {
    let impossible =
        |problem: String| AuthorError::Versions { from: wanted.from.clone(), to: wanted.to.clone(), problem };
    let (from, start) = range(&wanted.from, &wanted.to).map_err(impossible)?;
    let (here, there) = (Line::of(&start), Line::of(&wanted.to));
    if start >= wanted.to {
        return Err(impossible("modules only lead forward".to_owned()));
    }
    let collections = |names: &[&str]| names.iter().map(|name| name.parse().expect("a plain name")).collect();
    let application = wanted.application.clone().unwrap_or_else(|| application_of(&wanted.name));
    Ok(ModuleManifest {
        name: wanted.name.clone(),
        version: Version::new(0, 1, 0),
        description: format!("Takes the data of {application} to {}.", wanted.to),
        application,
        from,
        to: wanted.to.clone(),
        crosses: (here != there).then(|| Crossing { from: here.to_string(), to: there.to_string() }),
        database: None,
        rewrites: collections(&["customers", "products"]),
        creates: collections(&[]),
        drops: collections(&[]),
        reads: std::collections::BTreeSet::new(),
        indexes: std::collections::BTreeSet::new(),
        scratch: false,
        target: std::collections::BTreeMap::new(),
        files: std::collections::BTreeMap::new(),
        parameters: std::collections::BTreeMap::new(),
        ordered: false,
    })
}

/// The requirement, and the version it starts at.
fn range(from: &str, to: &Version) -> Result<(VersionReq, Version), String> {
    let wrong = |error: semver::Error| format!("{from:?} is no version: {error}");
    if from.starts_with(|c: char| c.is_ascii_digit()) && !from.contains(',') {
        let start = whole(from).map_err(wrong)?;
        let range = VersionReq::parse(&format!(">={start}, <{to}")).map_err(wrong)?;
        return Ok((range, start));
    }
    let range = VersionReq::parse(from).map_err(wrong)?;
    let first = range.comparators.first().ok_or("`*` takes every version; name the first and the last")?;
    let start = Version::new(first.major, first.minor.unwrap_or(0), first.patch.unwrap_or(0));
    let start = Version { pre: first.pre.clone(), ..start };
    Ok((range, start))
}

/// `1`, `1.0` and `1.0.0` are the same version.
fn whole(text: &str) -> Result<Version, semver::Error> {
    let missing = 2_usize.saturating_sub(text.matches('.').count());
    Version::parse(text).or_else(|_| Version::parse(&(text.to_owned() + &".0".repeat(missing))))
}

/// `acme/shop-1.1` is of `shop`.
fn application_of(name: &ModuleName) -> String {
    let short = name.as_str().rsplit('/').next().unwrap_or_default();
    match short.rsplit_once(['-', '_']) {
        Some((application, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => application.to_owned(),
        _ => short.to_owned(),
    }
}

/// A name that cargo takes, and whose library has a name that Rust takes.
fn crate_name(name: &ModuleName) -> String {
    let short = name.as_str().rsplit('/').next().unwrap_or_default().replace('.', "-");
    let taken = ["alloc", "core", "proc_macro", "std", "test", "serde", "godwit-sdk", "godwit_sdk"];
    // A single word may be one of the language's; with two, none is.
    match short.contains('-') && !taken.contains(&&*short) && short.starts_with(|c: char| c.is_ascii_lowercase()) {
        true => short.trim_end_matches('-').to_owned() + if short.ends_with('-') { "-module" } else { "" },
        false => format!("module-{}", short.trim_matches(['-', '_'])),
    }
}

fn files(wanted: &Beginning, manifest: &ModuleManifest, sdk: &Path) -> Vec<(&'static str, String)> {
    let name = crate_name(&wanted.name);
    let lib = name.replace('-', "_");
    let sdk = Value::from(sdk.to_string_lossy()).to_string();
    let fill = |template: &str| {
        template
            .replace("{{crate}}", &name)
            .replace("{{lib}}", &lib)
            .replace("{{sdk}}", &sdk)
            .replace("{{description}}", &manifest.description)
    };
    let manifest = serde_json::to_string_pretty(manifest).expect("a manifest has string keys and no odd values");
    let mut files = vec![("module.json", manifest + "\n")];
    files.extend(TEMPLATES.map(|(path, template)| (path, fill(template))));
    files
}

const TEMPLATES: [(&str, &str); 10] = [
    ("Cargo.toml", include_str!("../templates/Cargo.toml.in")),
    (".gitignore", include_str!("../templates/gitignore.in")),
    ("src/lib.rs", include_str!("../templates/lib.rs.in")),
    ("tests/migration.rs", include_str!("../templates/migration.rs.in")),
    ("cases/sample/case.json", include_str!("../templates/cases/sample/case.json")),
    ("cases/sample/catalog.json", include_str!("../templates/cases/sample/catalog.json")),
    ("cases/sample/input/customers.jsonl", include_str!("../templates/cases/sample/input/customers.jsonl")),
    ("cases/sample/input/products.jsonl", include_str!("../templates/cases/sample/input/products.jsonl")),
    ("cases/sample/expected/customers.jsonl", include_str!("../templates/cases/sample/expected/customers.jsonl")),
    ("cases/sample/expected/products.jsonl", include_str!("../templates/cases/sample/expected/products.jsonl")),
];

fn write(folder: &Path, files: &[(&str, String)]) -> Result<(), AuthorError> {
    for (name, text) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(AuthorError::file("make", parent))?;
        fs::write(&path, text).map_err(AuthorError::file("write", &path))?;
    }
    Ok(())
}

/// The versions that the SDK itself is built with, so that a first build needs no others. Cargo takes
/// out what the crate does not use.
fn take_lock_file(folder: &Path, sdk: &Path) -> Result<(), AuthorError> {
    let lock = sdk.parent().unwrap_or(sdk).join("Cargo.lock");
    if !lock.is_file() {
        return Ok(());
    }
    let copied = fs::copy(&lock, folder.join("Cargo.lock"));
    copied.map(|_| ()).map_err(AuthorError::file("copy", &lock))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str, from: &str, to: &str) -> Beginning {
        Beginning {
            name: name.parse().unwrap(),
            from: from.to_owned(),
            to: to.parse().unwrap(),
            application: None,
            path: None,
            sdk: None,
        }
    }

    #[test]
    fn versions_become_a_range_that_ends_where_the_module_leads() {
        for (from, to, range, crosses) in [
            ("1.0", "1.1.0", ">=1.0.0, <1.1.0", None),
            ("1", "1.1.0", ">=1.0.0, <1.1.0", None),
            ("1.2.0-rc.1", "1.2.0", ">=1.2.0-rc.1, <1.2.0", None),
            (">=1.0.3, <1.1.0", "1.1.0", ">=1.0.3, <1.1.0", None),
            ("1.9", "2.0.0", ">=1.9.0, <2.0.0", Some(("1", "2"))),
            ("0.3.1", "0.4.0", ">=0.3.1, <0.4.0", Some(("0.3", "0.4"))),
        ] {
            let manifest = manifest(&wanted("acme/shop-1.1", from, to)).unwrap();
            assert_eq!(manifest.from.to_string(), range);
            let crossing = manifest.crosses.as_ref().map(|crossing| (&*crossing.from, &*crossing.to));
            assert_eq!(crossing, crosses, "{from} to {to}");
        }
        for (from, to) in [("1.1", "1.1.0"), ("2.0", "1.9.0"), ("x", "1.0.0"), ("*", "1.0.0"), ("1.2.3.4", "2.0.0")] {
            assert!(manifest(&wanted("acme/shop", from, to)).is_err(), "{from} to {to}");
        }
    }

    #[test]
    fn names_are_ones_that_cargo_and_rust_take() {
        for (module, application, name) in [
            ("acme/shop-1.1", "shop", "shop-1-1"),
            ("acme/my-shop-2", "my-shop", "my-shop-2"),
            ("acme/shop", "shop", "module-shop"),
            ("acme/test", "test", "module-test"),
            ("acme/1.2-shop", "1.2-shop", "module-1-2-shop"),
            ("acme/-x-", "-x-", "module-x"),
            ("acme/x-", "x-", "x-module"),
        ] {
            let parsed = module.parse().unwrap();
            assert_eq!((application_of(&parsed).as_str(), crate_name(&parsed).as_str()), (application, name));
        }
    }

    #[test]
    fn a_folder_that_is_there_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine");
        fs::create_dir(&path).unwrap();
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-sdk");
        let wanted = Beginning { path: Some(path.clone()), sdk: Some(sdk), ..wanted("acme/shop-1.1", "1.0", "1.1.0") };
        let error = begin(&wanted).unwrap_err().to_string();
        assert!(error.contains("mine exists already"), "{error}");
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing partial stays");
    }
}
