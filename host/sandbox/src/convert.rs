//! The catalog across the boundary, and back with every claim of the module checked.

use std::collections::BTreeSet;

use godwit_model::{
    Collection, CollectionName, Column, Database, Default, Kind, ModuleManifest, ModuleName, NameError, Object,
    Reference,
};

use crate::bindings::catalog as wit;
use crate::limits::{CATALOG_ITEMS, COLUMNS};
use crate::text::is_plain;
use crate::{SandboxError, tame, tame_line};

/// What a module sees of a database: all but what the engine keeps for itself.
pub(crate) fn to_wit(database: &Database) -> wit::Catalog {
    wit::Catalog {
        engine: database.engine.as_str().to_owned(),
        collections: database.collections.iter().filter(|c| !c.internal).map(collection_to_wit).collect(),
        objects: database.objects.iter().map(object_to_wit).collect(),
    }
}

fn collection_to_wit(collection: &Collection) -> wit::Collection {
    wit::Collection {
        name: collection.name.to_string(),
        columns: collection.columns.iter().map(column_to_wit).collect(),
        primary_key: collection.primary_key.clone(),
        unique: collection.unique.clone(),
        references: collection.references.iter().map(reference_to_wit).collect(),
        definition: collection.definition.clone(),
        options: collection.options.clone(),
    }
}

fn column_to_wit(column: &Column) -> wit::Column {
    wit::Column {
        name: column.name.clone(),
        kind: kind_to_wit(column.kind),
        array: column.array,
        nullable: column.nullable,
        default: column.default.as_ref().map(|default| match default {
            Default::Value(json) => wit::DefaultValue::Value(json.clone()),
            Default::Expression(sql) => wit::DefaultValue::Expression(sql.clone()),
        }),
        native_type: column.native_type.clone(),
        generated: column.generated,
    }
}

fn reference_to_wit(reference: &Reference) -> wit::Reference {
    wit::Reference {
        columns: reference.columns.clone(),
        collection: reference.collection.to_string(),
        foreign_columns: reference.foreign_columns.clone(),
        on_update: reference.on_update.clone(),
        on_delete: reference.on_delete.clone(),
    }
}

fn object_to_wit(object: &Object) -> wit::Object {
    wit::Object {
        kind: object.kind.clone(),
        name: object.name.clone(),
        collection: object.collection.as_ref().map(ToString::to_string),
        definition: object.definition.clone(),
    }
}

macro_rules! kinds {
    ($($kind:ident),*) => {
        fn kind_to_wit(kind: Kind) -> wit::Kind {
            match kind { $(Kind::$kind => wit::Kind::$kind),* }
        }
        fn kind_from_wit(kind: wit::Kind) -> Kind {
            match kind { $(wit::Kind::$kind => Kind::$kind),* }
        }
    };
}
kinds!(
    Boolean,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Decimal,
    Text,
    Bytes,
    Date,
    Time,
    Timestamp,
    Timestamptz,
    Interval,
    Uuid,
    Json,
    Any,
    Native
);

/// The database as the module leaves it; what a module does not see comes from `before`.
fn from_wit(module: &ModuleName, catalog: wit::Catalog, before: &Database) -> Result<Database, SandboxError> {
    let bad = |problem: &str| SandboxError::BadCatalog { module: module.clone(), problem: tame(problem) };
    check_size(&catalog).map_err(|problem| bad(&problem))?;
    let wrong_name =
        |error: NameError| bad(&format!("the {} {} {}", error.what, tame_line(&error.value), error.problem));
    if catalog.engine != before.engine.as_str() {
        return Err(bad(&format!("it changes the engine to {}", tame_line(&catalog.engine))));
    }
    let mut after =
        Database { engine: before.engine, settings: before.settings.clone(), ..Database::new(before.engine) };
    for collection in catalog.collections {
        after.collections.push(collection_from_wit(collection, before).map_err(wrong_name)?);
    }
    after.collections.extend(before.collections.iter().filter(|c| c.internal).cloned());
    for object in catalog.objects {
        after.objects.push(object_from_wit(object, before).map_err(wrong_name)?);
    }
    let kept = |sequence: &&godwit_model::Sequence| {
        before.collection(&sequence.name).is_none() || after.collection(&sequence.name).is_some()
    };
    after.sequences = before.sequences.iter().filter(kept).cloned().collect();
    after.check().map_err(|error| bad(&error.to_string()))?;
    check_new_names(before, &after).map_err(|problem| bad(&problem))?;
    Ok(after)
}

/// Names go to terminals and into file names. Odd ones that the data has may stay; none is added.
fn check_new_names(before: &Database, after: &Database) -> Result<(), String> {
    let names = |database: &Database| -> BTreeSet<String> {
        let columns =
            |collection: &Collection| collection.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        let collections = database.collections.iter().flat_map(|c| columns(c).into_iter().chain([c.name.to_string()]));
        collections
            .chain(database.objects.iter().map(|object| object.name.clone()))
            .filter(|name| !is_plain(name))
            .collect()
    };
    match names(after).difference(&names(before)).next() {
        Some(odd) => Err(format!("the new name {:?} holds control characters", tame_line(odd))),
        None => Ok(()),
    }
}

/// Before anything is done whose time grows faster than the catalog.
fn check_size(catalog: &wit::Catalog) -> Result<(), String> {
    let fits = |what: &str, count: usize, limit: usize| {
        if count > limit { Err(format!("it has {count} {what}; {limit} are allowed")) } else { Ok(()) }
    };
    fits("collections", catalog.collections.len(), CATALOG_ITEMS)?;
    fits("objects", catalog.objects.len(), CATALOG_ITEMS)?;
    catalog.collections.iter().try_for_each(|collection| {
        let unique: usize = collection.unique.iter().map(|key| key.len() + 1).sum();
        let references: usize = collection.references.iter().map(|reference| reference.columns.len() + 1).sum();
        let within = format!("in {}", tame_line(&collection.name));
        fits(&format!("columns {within}"), collection.columns.len(), COLUMNS)?;
        fits(&format!("columns in keys {within}"), collection.primary_key.len() + unique + references, COLUMNS)
    })
}

fn collection_from_wit(collection: wit::Collection, before: &Database) -> Result<Collection, NameError> {
    let references: Result<Vec<_>, _> = collection.references.into_iter().map(reference_from_wit).collect();
    Ok(Collection {
        order: before.collection(&collection.name).and_then(|old| old.order),
        name: CollectionName::new(collection.name)?,
        columns: collection.columns.into_iter().map(column_from_wit).collect(),
        primary_key: collection.primary_key,
        unique: collection.unique,
        references: references?,
        definition: collection.definition,
        options: collection.options,
        internal: false,
    })
}

fn column_from_wit(column: wit::Column) -> Column {
    Column {
        name: column.name,
        kind: kind_from_wit(column.kind),
        array: column.array,
        nullable: column.nullable,
        default: column.default.map(|default| match default {
            wit::DefaultValue::Value(json) => Default::Value(json),
            wit::DefaultValue::Expression(sql) => Default::Expression(sql),
        }),
        native_type: column.native_type,
        generated: column.generated,
    }
}

fn reference_from_wit(reference: wit::Reference) -> Result<Reference, NameError> {
    Ok(Reference {
        columns: reference.columns,
        collection: CollectionName::new(reference.collection)?,
        foreign_columns: reference.foreign_columns,
        on_update: reference.on_update,
        on_delete: reference.on_delete,
    })
}

fn object_from_wit(object: wit::Object, before: &Database) -> Result<Object, NameError> {
    let old = before.objects.iter().find(|old| old.name == object.name && old.kind == object.kind);
    Ok(Object {
        order: old.and_then(|old| old.order),
        kind: object.kind,
        name: object.name,
        collection: object.collection.map(CollectionName::new).transpose()?,
        definition: object.definition,
    })
}

/// The database as a module leaves it, held to what its manifest declares.
pub(crate) fn checked(
    manifest: &ModuleManifest,
    catalog: wit::Catalog,
    before: &Database,
) -> Result<Database, SandboxError> {
    let after = from_wit(&manifest.name, catalog, before)?;
    check_declared(manifest, before, &after)?;
    Ok(after)
}

/// Holds the difference between two catalogs to what the manifest declares.
fn check_declared(manifest: &ModuleManifest, before: &Database, after: &Database) -> Result<(), SandboxError> {
    for old in &before.collections {
        let name = old.name.as_str();
        match after.collection(name) {
            None if !manifest.drops.contains(name) => return Err(undeclared(manifest, &old.name, "drops")),
            Some(new) if !same_records(old, new) && !manifest.rewrites.contains(name) => {
                return Err(undeclared(manifest, &old.name, "changes"));
            }
            _ => {}
        }
    }
    let is_new = |new: &&Collection| before.collection(new.name.as_str()).is_none();
    if let Some(new) = after.collections.iter().filter(is_new).find(|new| !manifest.creates.contains(&new.name)) {
        return Err(undeclared(manifest, &new.name, "creates"));
    }
    check_promises(manifest, before, after)
}

/// A collection whose records stay may be defined anew: a column that it refers to was renamed.
fn same_records(old: &Collection, new: &Collection) -> bool {
    old.columns == new.columns && old.primary_key == new.primary_key && old.unique == new.unique
}

fn check_promises(manifest: &ModuleManifest, before: &Database, after: &Database) -> Result<(), SandboxError> {
    let broken = |promise: String| Err(SandboxError::BrokenPromise { module: manifest.name.clone(), promise });
    if let Some(name) = manifest.drops.iter().find(|name| after.collection(name.as_str()).is_some()) {
        return broken(format!("to drop {name}, but its catalog still has it"));
    }
    let here = |name: &&CollectionName| after.collection(name.as_str()).is_none();
    if let Some(name) = manifest.creates.iter().chain(&manifest.rewrites).find(here) {
        return broken(format!("records of {name}, but its catalog does not have it"));
    }
    if let Some(name) = manifest.creates.iter().find(|name| before.collection(name.as_str()).is_some()) {
        return broken(format!("to create {name}, but the data has it already"));
    }
    let gone = |name: &&CollectionName| before.collection(name.as_str()).is_none();
    match manifest.rewrites.iter().chain(&manifest.drops).find(gone) {
        Some(name) => broken(format!("to take {name}, but the data does not have it")),
        None => Ok(()),
    }
}

fn undeclared(manifest: &ModuleManifest, collection: &CollectionName, change: &'static str) -> SandboxError {
    SandboxError::UndeclaredChange {
        module: manifest.name.clone(),
        collection: collection.clone(),
        change: change.into(),
    }
}
