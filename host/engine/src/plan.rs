//! The plan: the immutable list of what will happen. Making one reads and decides, and never writes.

use std::collections::{BTreeMap, BTreeSet};

use godwit_archive::Lineage;
use godwit_model::{Catalog, Collection, CollectionId, Wishes};
use godwit_sandbox::{tame, tame_line};
use godwit_trust::SignatureState;
use semver::Version;
use serde::Serialize;

use crate::chain::{Chain, Step};
use crate::report::Report;

/// What will happen, and what a dry run found.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// Whose data.
    pub application: String,
    /// The version of the data.
    pub from: Version,
    /// The version wanted.
    pub to: Version,
    /// The modules, in order.
    pub chain: Vec<PlannedModule>,
    /// What the chain makes of the catalog.
    pub changes: Vec<CatalogChange>,
    /// What the dry run found; none where nothing was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

/// One module of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedModule {
    /// What an archive will keep of it.
    #[serde(flatten)]
    pub lineage: Lineage,
    /// Who signed it.
    pub signature: SignatureState,
    /// What it may do.
    pub grants: Wishes,
}

impl PlannedModule {
    fn of(step: &Step) -> Self {
        Self { lineage: step.lineage(), signature: step.signature.clone(), grants: step.module.manifest().wishes() }
    }
}

/// One difference between the catalog before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CatalogChange {
    /// `database.collection`, or `database` for its objects.
    pub place: String,
    /// In words: `created`, `column hostname removed`, …
    pub change: String,
}

impl Plan {
    /// The plan of a chain, nothing run yet.
    pub(crate) fn of(application: &str, from: &Version, to: &Version, chain: &Chain) -> Self {
        Self {
            application: application.to_owned(),
            from: from.clone(),
            to: to.clone(),
            chain: chain.steps.iter().map(PlannedModule::of).collect(),
            changes: changes(&chain.before, &chain.after),
            report: None,
        }
    }
}

/// The differences between two catalogs, in words.
pub(crate) fn changes(before: &Catalog, after: &Catalog) -> Vec<CatalogChange> {
    let ids: BTreeSet<CollectionId> = before.collections().chain(after.collections()).map(|(id, _)| id).collect();
    let mut changes = vec![];
    for id in ids {
        let place = id.to_string();
        let mut say = |change: String| changes.push(CatalogChange { place: tame_line(&place), change: tame(&change) });
        match (before.collection(&id), after.collection(&id)) {
            (Some(_), None) => say("dropped".to_owned()),
            (None, Some(new)) => say(format!("created with {}", names(new))),
            (Some(old), Some(new)) => collection_changes(old, new).into_iter().for_each(say),
            (None, None) => {}
        }
    }
    changes.extend(object_changes(before, after));
    changes
}

fn names(collection: &Collection) -> String {
    collection.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn collection_changes(old: &Collection, new: &Collection) -> Vec<String> {
    let mut changes = vec![];
    for column in &old.columns {
        match new.column(&column.name) {
            None => changes.push(format!("column {} removed", column.name)),
            Some(now) if now.kind != column.kind || now.array != column.array => {
                changes.push(format!("column {} from {:?} to {:?}", column.name, column.kind, now.kind).to_lowercase());
            }
            Some(now) if now.nullable != column.nullable => {
                let what = if now.nullable { "may be null now" } else { "may not be null any more" };
                changes.push(format!("column {} {what}", column.name));
            }
            Some(_) => {}
        }
    }
    let added = new.columns.iter().filter(|column| old.column(&column.name).is_none());
    changes.extend(added.map(|column| format!("column {} added", column.name)));
    if old.primary_key != new.primary_key {
        changes.push(format!(
            "primary key ({}) instead of ({})",
            new.primary_key.join(", "),
            old.primary_key.join(", ")
        ));
    }
    if old.unique != new.unique {
        changes.push("unique keys changed".to_owned());
    }
    if old.references != new.references {
        changes.push("references changed".to_owned());
    }
    changes
}

fn object_changes(before: &Catalog, after: &Catalog) -> Vec<CatalogChange> {
    let objects = |catalog: &Catalog| -> BTreeMap<(String, String, String), String> {
        let of_database = catalog.databases.iter().flat_map(|(name, database)| {
            let key = |object: &godwit_model::Object| (name.to_string(), object.kind.clone(), object.name.clone());
            database.objects.iter().map(move |object| (key(object), object.definition.clone()))
        });
        of_database.collect()
    };
    let (old, new) = (objects(before), objects(after));
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let change = |key: &&(String, String, String)| match (old.get(*key), new.get(*key)) {
        (Some(_), None) => Some("dropped"),
        (None, Some(_)) => Some("created"),
        (one, other) if one != other => Some("changed"),
        _ => None,
    };
    let said = |key: &(String, String, String)| {
        let said = format!("{} {} {}", tame_line(&key.1), tame_line(&key.2), change(&key)?);
        Some(CatalogChange { place: key.0.clone(), change: said })
    };
    keys.into_iter().filter_map(said).collect()
}
