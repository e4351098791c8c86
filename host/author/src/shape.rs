//! Catalogs to try a module on: from an archive, its `catalog.json`, or the catalog of one database.

use std::path::Path;

use godwit_archive::Archive;
use godwit_model::{Catalog, Database, Fault, ModuleManifest, limits};

use crate::AuthorError;
use crate::build::bounded;

/// Reads an archive's catalog, or a file that holds one; picks the database that the module works on.
pub fn read(path: &Path, manifest: &ModuleManifest) -> Result<Database, Fault> {
    let is_json = path.extension() == Some("json".as_ref());
    let unusable = |problem| AuthorError::Catalog { path: path.to_owned(), problem };
    if is_json {
        return Ok(of_file(path, manifest)?);
    }
    let archive = Archive::open(path)?;
    Ok(pick(archive.catalog().clone(), manifest).map_err(unusable)?)
}

pub(crate) fn of_file(path: &Path, manifest: &ModuleManifest) -> Result<Database, AuthorError> {
    let json = bounded(path, limits::METADATA_BYTES_MAX)?;
    of_json(&json, manifest).map_err(|problem| AuthorError::Catalog { path: path.to_owned(), problem })
}

fn of_json(json: &[u8], manifest: &ModuleManifest) -> Result<Database, String> {
    // Not by trying one form and then the other: the message of the wrong one would be the one shown.
    let value: serde_json::Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    of_value(value, manifest)
}

pub(crate) fn of_value(value: serde_json::Value, manifest: &ModuleManifest) -> Result<Database, String> {
    let database = match value.get("databases") {
        Some(_) => pick(serde_json::from_value(value).map_err(|error| error.to_string())?, manifest)?,
        None => serde_json::from_value(value).map_err(|error| error.to_string())?,
    };
    database.check().map_err(|error| error.to_string())?;
    Ok(database)
}

fn pick(mut catalog: Catalog, manifest: &ModuleManifest) -> Result<Database, String> {
    let names = || catalog.databases.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let wanted = match (&manifest.database, catalog.databases.len()) {
        (Some(name), _) => name.clone(),
        (None, 1) => catalog.databases.keys().next().expect("there is one").clone(),
        (None, _) => {
            return Err(format!(
                "the manifest names no database, and there is not just one here (there are: {})",
                names()
            ));
        }
    };
    let missing = format!("it has no database {wanted} (there are: {})", names());
    catalog.databases.remove(wanted.as_str()).ok_or(missing)
}
