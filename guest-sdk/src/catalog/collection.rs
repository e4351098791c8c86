//! Changes of one collection.

use super::{Catalog, Collection, Column, DefaultValue, Kind, Reference, find};
use crate::{Error, Result};

/// A collection of a catalog, to be changed. Every change clears the collection's own definition:
/// the host then writes one from the columns and keys.
pub struct CollectionEditor<'a> {
    catalog: &'a mut Catalog,
    at: usize,
}

impl<'a> CollectionEditor<'a> {
    pub(super) fn new(catalog: &'a mut Catalog, at: usize) -> Self {
        Self { catalog, at }
    }

    /// The collection as it now is.
    pub fn get(&self) -> &Collection {
        &self.catalog.collections[self.at]
    }

    /// Gives a column another name; keys and the references of all collections follow. The text
    /// of indexes, triggers and views does not: replace them.
    pub fn rename_column(&mut self, old: &str, new: &str) -> Result<&mut Self> {
        let at = self.column(old)?;
        self.refuse_second(new)?;
        let collection = self.changed();
        new.clone_into(&mut collection.columns[at].name);
        collection.follow_column(old, new);
        let name = collection.name.clone();
        for other in &mut self.catalog.collections {
            other.follow_foreign_column(&name, old, new);
        }
        Ok(self)
    }

    /// Adds a column behind all others.
    pub fn add_column(&mut self, column: Column) -> Result<&mut Self> {
        self.insert(self.get().columns.len(), column)
    }

    /// Adds a column behind another.
    pub fn add_column_after(&mut self, other: &str, column: Column) -> Result<&mut Self> {
        let at = self.column(other)? + 1;
        self.insert(at, column)
    }

    /// Puts another column in a column's place; where the name changes, keys and references follow.
    pub fn replace_column(&mut self, name: &str, column: Column) -> Result<&mut Self> {
        if column.name != name {
            self.rename_column(name, &column.name)?;
        }
        let at = self.column(&column.name)?;
        self.changed().columns[at] = column;
        Ok(self)
    }

    /// Removes a column that no key and no reference uses.
    pub fn drop_column(&mut self, name: &str) -> Result<&mut Self> {
        self.take_column(name)?;
        Ok(self)
    }

    /// Removes a column that no key and no reference uses, to put it elsewhere.
    pub fn take_column(&mut self, name: &str) -> Result<Column> {
        let at = self.column(name)?;
        if let Some(user) = self.user_of(name) {
            let collection = &self.get().name;
            return Err(Error::new(format!("{collection}.{name} is used by {user}; change that first")));
        }
        Ok(self.changed().columns.remove(at))
    }

    /// Changes a column's type; the engine's own type goes with it.
    pub fn set_kind(&mut self, name: &str, kind: Kind) -> Result<&mut Self> {
        self.change(name, |column| (column.kind, column.native_type) = (kind, None))
    }

    /// Gives a column a type in the engine's words.
    pub fn set_native_type(&mut self, name: &str, native_type: &str) -> Result<&mut Self> {
        self.change(name, |column| column.native_type = Some(native_type.to_owned()))
    }

    /// Says whether a column may hold NULL.
    pub fn set_nullable(&mut self, name: &str, nullable: bool) -> Result<&mut Self> {
        self.change(name, |column| column.nullable = nullable)
    }

    /// Sets or removes a column's default.
    pub fn set_default(&mut self, name: &str, default: Option<DefaultValue>) -> Result<&mut Self> {
        self.change(name, |column| column.default = default)
    }

    /// Sets the primary key; none with no columns.
    pub fn set_primary_key(&mut self, columns: &[&str]) -> Result<&mut Self> {
        let key = self.known(columns)?;
        self.changed().primary_key = key;
        Ok(self)
    }

    /// Adds a unique key.
    pub fn add_unique(&mut self, columns: &[&str]) -> Result<&mut Self> {
        let key = self.known(columns)?;
        self.changed().unique.push(key);
        Ok(self)
    }

    /// Removes the unique key of exactly these columns.
    pub fn drop_unique(&mut self, columns: &[&str]) -> Result<&mut Self> {
        let at = self.get().unique.iter().position(|key| key == columns);
        let at = at.ok_or_else(|| self.lacks("unique key", columns))?;
        self.changed().unique.remove(at);
        Ok(self)
    }

    /// Adds a foreign key.
    pub fn add_reference(&mut self, reference: Reference) -> Result<&mut Self> {
        let names: Vec<&str> = reference.columns.iter().map(String::as_str).collect();
        self.known(&names)?;
        self.changed().references.push(reference);
        Ok(self)
    }

    /// Removes the foreign keys of exactly these columns.
    pub fn drop_reference(&mut self, columns: &[&str]) -> Result<&mut Self> {
        if !self.get().references.iter().any(|reference| reference.columns == columns) {
            return Err(self.lacks("reference", columns));
        }
        self.changed().references.retain(|reference| reference.columns != columns);
        Ok(self)
    }

    /// Sets the table's options in the engine's words: `STRICT`, `WITHOUT ROWID`, `AUTOINCREMENT`.
    pub fn set_options(&mut self, options: &[&str]) -> &mut Self {
        self.changed().options = options.iter().map(|&option| option.to_owned()).collect();
        self
    }

    /// Gives the engine's own definition, `CREATE TABLE …`: after all other changes, which clear it.
    pub fn definition(&mut self, sql: &str) -> &mut Self {
        self.changed().definition = Some(sql.to_owned());
        self
    }

    fn changed(&mut self) -> &mut Collection {
        let collection = &mut self.catalog.collections[self.at];
        collection.definition = None;
        collection
    }

    fn change(&mut self, name: &str, change: impl FnOnce(&mut Column)) -> Result<&mut Self> {
        let at = self.column(name)?;
        change(&mut self.changed().columns[at]);
        Ok(self)
    }

    fn insert(&mut self, at: usize, column: Column) -> Result<&mut Self> {
        self.refuse_second(&column.name)?;
        self.changed().columns.insert(at, column);
        Ok(self)
    }

    fn column(&self, name: &str) -> Result<usize> {
        self.get().place_of(name)
    }

    fn known(&self, columns: &[&str]) -> Result<Vec<String>> {
        columns.iter().map(|&name| self.column(name).map(|_| name.to_owned())).collect()
    }

    fn refuse_second(&self, name: &str) -> Result<()> {
        let collection = self.get();
        if collection.columns.iter().any(|column| column.name == name) {
            Err(Error::new(format!("{} already has a column {name}", collection.name)))
        } else {
            Ok(())
        }
    }

    fn lacks(&self, what: &str, columns: &[&str]) -> Error {
        Error::new(format!("{} has no {what} of {}", self.get().name, columns.join(", ")))
    }

    fn user_of(&self, column: &str) -> Option<String> {
        let holds = |names: &[String]| names.iter().any(|name| name == column);
        let this = self.get();
        if holds(&this.primary_key) {
            return Some("the primary key".to_owned());
        }
        if this.unique.iter().any(|key| holds(key)) {
            return Some("a unique key".to_owned());
        }
        if let Some(reference) = this.references.iter().find(|reference| holds(&reference.columns)) {
            return Some(format!("the reference to {}", reference.collection));
        }
        let refers = |other: &&Collection| {
            other
                .references
                .iter()
                .any(|reference| reference.collection == this.name && holds(&reference.foreign_columns))
        };
        self.catalog.collections.iter().find(refers).map(|other| format!("a reference of {}", other.name))
    }
}

/// What follows a change of a name.
impl Collection {
    pub(super) fn place_of(&self, column: &str) -> Result<usize> {
        find(&format!("column of {} named", self.name), column, self.columns.iter().map(|column| column.name.as_str()))
    }

    pub(super) fn follow_collection(&mut self, old: &str, new: &str) {
        for reference in self.references.iter_mut().filter(|reference| reference.collection == old) {
            new.clone_into(&mut reference.collection);
            self.definition = None;
        }
    }

    fn follow_column(&mut self, old: &str, new: &str) {
        let keys = std::iter::once(&mut self.primary_key).chain(&mut self.unique);
        keys.chain(self.references.iter_mut().map(|reference| &mut reference.columns))
            .for_each(|names| replace(names, old, new));
    }

    fn follow_foreign_column(&mut self, collection: &str, old: &str, new: &str) {
        let follows = |reference: &&mut Reference| {
            reference.collection == collection && reference.foreign_columns.iter().any(|name| name == old)
        };
        for reference in self.references.iter_mut().filter(follows) {
            replace(&mut reference.foreign_columns, old, new);
            self.definition = None;
        }
    }
}

fn replace(names: &mut [String], old: &str, new: &str) {
    names.iter_mut().filter(|name| *name == old).for_each(|name| new.clone_into(name));
}
