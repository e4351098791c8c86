//! What a module queries: its declaration held against a catalog.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Collection, CollectionName, Database, ManifestError, ModuleManifest, plain};

/// The part of a database that a module may query, with the indexes that it wants on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// Columns by collection.
    pub collections: BTreeMap<CollectionName, BTreeSet<String>>,
    /// Collection and column of each index.
    pub indexes: BTreeSet<(CollectionName, String)>,
}

impl Reads {
    /// Resolves `reads` and `indexes` of a manifest: each entry is a `collection`, or a `collection.column`.
    ///
    /// # Errors
    /// An entry names what the catalog does not have, or an index is on what is not read.
    pub fn of(manifest: &ModuleManifest, database: &Database) -> Result<Self, ManifestError> {
        let mut reads = Self::default();
        let unknown = |entry: &String| ManifestError::NothingToRead {
            module: manifest.name.clone(),
            entry: entry.clone(),
            there: there(database, entry),
        };
        for entry in &manifest.reads {
            let (collection, column) = find(database, entry).ok_or_else(|| unknown(entry))?;
            let columns = reads.collections.entry(collection.name.clone()).or_default();
            match column {
                Some(column) => _ = columns.insert(column),
                None => columns.extend(collection.stored_columns().map(|column| column.name.clone())),
            }
        }
        for entry in &manifest.indexes {
            let (collection, column) = find(database, entry).ok_or_else(|| unknown(entry))?;
            let column = column.filter(|column| reads.has(&collection.name, column));
            let column = column
                .ok_or_else(|| ManifestError::IndexOfNothing { module: manifest.name.clone(), entry: entry.clone() })?;
            reads.indexes.insert((collection.name.clone(), column));
        }
        Ok(reads)
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.collections.is_empty()
    }

    fn has(&self, collection: &CollectionName, column: &str) -> bool {
        self.collections.get(collection).is_some_and(|columns| columns.contains(column))
    }
}

/// A collection of that name, or else a column; names may hold dots.
fn find<'a>(database: &'a Database, entry: &str) -> Option<(&'a Collection, Option<String>)> {
    if let Some(whole) = database.collection(entry) {
        return Some((whole, None));
    }
    entry.match_indices('.').find_map(|(dot, _)| {
        let (collection, name) = (database.collection(&entry[..dot])?, &entry[dot + 1..]);
        let column = collection.stored_columns().find(|column| column.name == name)?;
        Some((collection, Some(column.name.clone())))
    })
}

/// What an entry may have meant: the columns of the collection that it begins with, or else the collections.
fn there(database: &Database, entry: &str) -> String {
    const MOST: usize = 20;
    let of = entry.match_indices('.').find_map(|(dot, _)| database.collection(&entry[..dot]));
    let (what, names): (_, Vec<&str>) = match of {
        Some(of) => (of.name.as_str(), of.stored_columns().map(|column| column.name.as_str()).collect()),
        None => ("the database", database.collections.iter().map(|of| of.name.as_str()).collect()),
    };
    let more = if names.len() > MOST { ", …" } else { "" };
    let shown: Vec<_> = names.into_iter().take(MOST).map(plain).collect();
    format!("{} has {}{more}", plain(what), shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, EngineKind, Kind};

    fn database() -> Database {
        let two = |name: &str| Collection::new(name, [Column::new("id", Kind::Int64), Column::new("name", Kind::Text)]);
        Database { collections: vec![two("devices"), two("dcim.site")], ..Database::new(EngineKind::Sqlite) }
    }

    fn manifest(rest: &str) -> ModuleManifest {
        let text = format!(r#"{{"name":"a/b","version":"1.0.0","application":"x","from":"1","to":"1.1.0",{rest}}}"#);
        ModuleManifest::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn an_entry_is_a_collection_or_one_of_its_columns() {
        let reads =
            Reads::of(&manifest(r#""reads":["devices","dcim.site.id"],"indexes":["devices.name"]"#), &database());
        let reads = reads.unwrap();
        let columns = |name: &str| reads.collections[name].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(columns("devices"), ["id", "name"]);
        assert_eq!(columns("dcim.site"), ["id"]);
        assert_eq!(reads.indexes.len(), 1);
    }

    #[test]
    fn what_is_not_there_is_named() {
        for (rest, named) in [
            (r#""reads":["device"]"#, "the database has devices, dcim.site"),
            (r#""reads":["devices.nam"]"#, "devices has id, name"),
            (r#""reads":["devices.id"],"indexes":["devices.name"]"#, "\"devices.name\""),
            (r#""reads":["devices.id"],"indexes":["devices"]"#, "\"devices\""),
        ] {
            let error = Reads::of(&manifest(rest), &database()).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
