//! The catalog, and its changes.
//!
//! The types are those of the WIT; what is added here are builders and changes that keep keys,
//! references and definitions in step.

mod build;
mod collection;

pub use collection::CollectionEditor;

pub use crate::bindings::godwit::migration::catalog::{
    Catalog, Collection, Column, DefaultValue, Kind, Object, Reference,
};
use crate::host::{self, Level};
use crate::{Error, Result};

impl Catalog {
    /// An empty catalog of an engine: `sqlite`, `postgres` or `mysql`. For tests.
    pub fn new(engine: &str) -> Self {
        Self { engine: engine.to_owned(), collections: Vec::new(), objects: Vec::new() }
    }

    /// The same with another collection. For tests.
    pub fn with(mut self, collection: Collection) -> Self {
        self.collections.push(collection);
        self
    }

    /// The same with another object. For tests.
    pub fn with_object(mut self, object: Object) -> Self {
        self.objects.push(object);
        self
    }

    /// Whether there is a collection of this name.
    pub fn has(&self, name: &str) -> bool {
        self.collections.iter().any(|collection| collection.name == name)
    }

    /// A collection, to be changed.
    pub fn collection(&mut self, name: &str) -> Result<CollectionEditor<'_>> {
        let at = self.place(name)?;
        Ok(CollectionEditor::new(self, at))
    }

    /// Adds a collection behind all others.
    pub fn create(&mut self, collection: Collection) -> Result<()> {
        self.refuse_second(&collection.name)?;
        self.collections.push(collection);
        Ok(())
    }

    /// Removes a collection with its indexes and triggers. References to it stay: drop those too,
    /// or what they refer to is gone.
    pub fn drop_collection(&mut self, name: &str) -> Result<()> {
        let at = self.place(name)?;
        self.collections.remove(at);
        self.objects.retain(|object| {
            object.collection.as_deref() != Some(name) || !matches!(object.kind.as_str(), "index" | "trigger")
        });
        Ok(())
    }

    /// Gives a collection another name; references and the owners of objects follow. The text of
    /// its indexes, triggers and views does not: replace them.
    pub fn rename_collection(&mut self, old: &str, new: &str) -> Result<()> {
        let at = self.place(old)?;
        self.refuse_second(new)?;
        new.clone_into(&mut self.collections[at].name);
        self.collections[at].definition = None;
        for collection in &mut self.collections {
            collection.follow_collection(old, new);
        }
        for owner in self.objects.iter_mut().filter_map(|object| object.collection.as_mut()) {
            if owner == old {
                new.clone_into(owner);
            }
        }
        Ok(())
    }

    /// An index, view or trigger.
    pub fn object(&self, name: &str) -> Result<&Object> {
        Ok(&self.objects[self.object_place(name)?])
    }

    /// Adds an index, view or trigger.
    pub fn add_object(&mut self, object: Object) -> Result<()> {
        if self.objects.iter().any(|other| other.name == object.name) {
            return Err(Error::new(format!("there already is an object {}; use replace_object", object.name)));
        }
        self.objects.push(object);
        Ok(())
    }

    /// Gives an index, view or trigger another definition: the whole `CREATE …`.
    pub fn replace_object(&mut self, name: &str, definition: &str) -> Result<()> {
        let at = self.object_place(name)?;
        definition.clone_into(&mut self.objects[at].definition);
        Ok(())
    }

    /// Removes an index, view or trigger.
    pub fn drop_object(&mut self, name: &str) -> Result<()> {
        let at = self.object_place(name)?;
        self.objects.remove(at);
        Ok(())
    }

    fn place(&self, name: &str) -> Result<usize> {
        let names = self.collections.iter().map(|collection| collection.name.as_str());
        find("collection", name, names)
    }

    fn object_place(&self, name: &str) -> Result<usize> {
        find("object", name, self.objects.iter().map(|object| object.name.as_str()))
    }

    fn refuse_second(&self, name: &str) -> Result<()> {
        if self.has(name) { Err(Error::new(format!("there already is a collection {name}"))) } else { Ok(()) }
    }
}

/// The place of a name, or an error that tells which there are.
fn find<'a>(what: &str, sought: &str, mut names: impl Iterator<Item = &'a str> + Clone) -> Result<usize> {
    let all = names.clone();
    names.position(|name| name == sought).ok_or_else(|| {
        let all: Vec<_> = all.collect();
        let which = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
        Error::new(format!("there is no {what} {sought}; there is {which}"))
    })
}

/// Says so where a changed collection loses something that only its own definition held.
pub(crate) fn warn_of_lost_clauses(before: &Catalog, after: &Catalog) {
    for collection in after.collections.iter().filter(|collection| collection.definition.is_none()) {
        let old = before.collections.iter().find(|old| old.name == collection.name);
        let Some(definition) = old.and_then(|old| old.definition.as_deref()) else { continue };
        for clause in lost_clauses(definition) {
            let name = &collection.name;
            host::log(
                Level::Warn,
                &format!(
                    "{name} changes and its new definition will be without the {clause} of its old one; a module that wants it gives the definition itself"
                ),
            );
        }
    }
}

fn lost_clauses(definition: &str) -> impl Iterator<Item = &'static str> {
    let words: Vec<String> =
        definition.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(str::to_ascii_uppercase).collect();
    ["CHECK", "COLLATE", "CONFLICT", "DEFERRABLE", "GENERATED"]
        .into_iter()
        .filter(move |clause| words.iter().any(|word| word == clause))
}

#[cfg(test)]
mod tests;
