//! The catalog: what the data looks like.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::limits::NAME_BYTES_MAX;
use crate::{CollectionId, CollectionName, DatabaseName};

/// The shape of everything in an archive or a live application.
#[derive(Debug, Clone, PartialEq, Eq, std::default::Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// By the names in `godwit.toml`.
    pub databases: BTreeMap<DatabaseName, Database>,
}

/// Whose SQL the definitions and expressions of a database are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB.
    Mysql,
}

impl EngineKind {
    /// `sqlite`, `postgres` or `mysql`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
        }
    }
}

impl std::fmt::Display for EngineKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The shape of one database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Whose definitions these are.
    pub engine: EngineKind,
    /// In the order of their creation.
    pub collections: Vec<Collection>,
    /// Indexes, views, triggers and virtual tables, in the order of their creation.
    #[serde(default)]
    pub objects: Vec<Object>,
    /// Counters that outlive the records they counted.
    #[serde(default)]
    pub sequences: Vec<Sequence>,
    /// Settings kept inside the database, such as SQLite's `user_version`.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
}

/// A table, or a set of documents of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// As the database has it.
    pub name: CollectionName,
    /// In the order in which records hold them.
    pub columns: Vec<Column>,
    /// Empty where there is none.
    #[serde(default)]
    pub primary_key: Vec<String>,
    /// Further unique keys; NULLs are distinct.
    #[serde(default)]
    pub unique: Vec<Vec<String>>,
    /// Foreign keys.
    #[serde(default)]
    pub references: Vec<Reference>,
    /// The engine's own `CREATE TABLE`; none: written from the fields above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
    /// Table options in the engine's words.
    #[serde(default)]
    pub options: Vec<String>,
    /// Place in the order of creation among collections and virtual tables; none: after all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u32>,
    /// Kept by the engine for itself (shadow tables of a full-text index, statistics): carried,
    /// but not shown to modules nor counted for people.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub internal: bool,
}

/// A column, or a field of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// As the database has it.
    pub name: String,
    /// Portable type.
    pub kind: Kind,
    /// An array of `kind`, of any depth.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub array: bool,
    /// May hold NULL.
    pub nullable: bool,
    /// What a row gets that leaves the column out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Default>,
    /// The engine's own type, where it says more than `kind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native_type: Option<String>,
    /// Computed by the database: absent from records.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub generated: bool,
}

/// A column's default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Default {
    /// A JSON value in the record encoding, as text.
    Value(String),
    /// An expression in the engine's SQL.
    Expression(String),
}

/// Portable types; [`Kind::Native`] is what only the engine knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Kind {
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
    /// No declared type: any value the engine can hold.
    Any,
    Native,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The collection referred to.
    pub collection: CollectionName,
    /// Its columns, as many.
    pub foreign_columns: Vec<String>,
    /// `NO ACTION`, `RESTRICT`, `CASCADE`, `SET NULL` or `SET DEFAULT`.
    pub on_update: String,
    /// Likewise.
    pub on_delete: String,
}

/// Something the engine defines in its own language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// `index`, `view`, `trigger`, `virtual-table`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The collection it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<CollectionName>,
    /// The engine's own `CREATE …`.
    pub definition: String,
    /// Place in the order of creation; none: last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u32>,
}

/// A counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// Its name; in SQLite the collection's.
    pub name: String,
    /// The last value given out, a JSON scalar as text.
    pub value: String,
}

/// A catalog that does not hold together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// A collection occurs twice.
    #[error("collection {0} occurs twice")]
    CollectionTwice(CollectionName),
    /// A collection has no column.
    #[error("collection {0} has no column")]
    NoColumn(CollectionName),
    /// A column occurs twice.
    #[error("column {column} occurs twice in {collection}")]
    ColumnTwice {
        /// The collection.
        collection: CollectionName,
        /// The column.
        column: String,
    },
    /// A name is empty, too long or holds a NUL.
    #[error("{collection} has a column whose name cannot be used: {column:?}")]
    ColumnName {
        /// The collection.
        collection: CollectionName,
        /// The column.
        column: String,
    },
    /// A key or reference names a column that is not there.
    #[error("{what} of {collection} names the column {column}, which {within} does not have")]
    NoSuchColumn {
        /// `the primary key`, `a unique key`, `a reference`.
        what: &'static str,
        /// Whose key it is.
        collection: CollectionName,
        /// The column named.
        column: String,
        /// Where it was looked for.
        within: CollectionName,
    },
    /// A reference and its target disagree in their number of columns.
    #[error("a reference of {collection} to {target} has {columns} columns on one side and {foreign} on the other")]
    Unequal {
        /// Whose reference it is.
        collection: CollectionName,
        /// What it refers to.
        target: CollectionName,
        /// Columns here.
        columns: usize,
        /// Columns there.
        foreign: usize,
    },
}

impl Catalog {
    /// A catalog of one database.
    pub fn of(name: DatabaseName, database: Database) -> Self {
        Self { databases: BTreeMap::from([(name, database)]) }
    }

    /// All collections, database by database, in their order.
    pub fn collections(&self) -> impl Iterator<Item = (CollectionId, &Collection)> {
        self.databases.iter().flat_map(|(name, database)| {
            database.collections.iter().map(move |collection| {
                (CollectionId { database: name.clone(), name: collection.name.clone() }, collection)
            })
        })
    }

    /// Finds a collection.
    pub fn collection(&self, id: &CollectionId) -> Option<&Collection> {
        self.databases.get(&id.database)?.collection(id.name.as_str())
    }
}

impl Database {
    /// An empty one.
    pub fn new(engine: EngineKind) -> Self {
        Self { engine, collections: vec![], objects: vec![], sequences: vec![], settings: BTreeMap::new() }
    }

    /// Finds a collection.
    pub fn collection(&self, name: &str) -> Option<&Collection> {
        self.collections.iter().find(|collection| collection.name.as_str() == name)
    }

    /// Checks that names are unique and usable and that keys name columns that are there.
    ///
    /// A reference to a collection that does not exist is let pass: SQLite allows it, and real
    /// databases have it.
    pub fn check(&self) -> Result<(), CatalogError> {
        let mut seen = BTreeSet::new();
        for collection in &self.collections {
            if !seen.insert(&collection.name) {
                return Err(CatalogError::CollectionTwice(collection.name.clone()));
            }
            collection.check_columns()?;
            collection.check_keys()?;
            for reference in &collection.references {
                collection.check_reference(reference)?;
            }
        }
        Ok(())
    }
}

impl Collection {
    /// A collection of these columns, without keys.
    pub fn new(name: &str, columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            name: CollectionName::new(name).expect("a collection made in code has a proper name"),
            columns: columns.into_iter().collect(),
            primary_key: vec![],
            unique: vec![],
            references: vec![],
            definition: None,
            options: vec![],
            order: None,
            internal: false,
        }
    }

    /// The same with a primary key.
    pub fn with_primary_key<'a>(mut self, columns: impl IntoIterator<Item = &'a str>) -> Self {
        self.primary_key = columns.into_iter().map(str::to_owned).collect();
        self
    }

    /// The columns that records hold: all but the generated ones.
    pub fn stored_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.generated)
    }

    /// Finds a column.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn check_columns(&self) -> Result<(), CatalogError> {
        if self.columns.is_empty() {
            return Err(CatalogError::NoColumn(self.name.clone()));
        }
        let mut seen = BTreeSet::new();
        for column in &self.columns {
            let (collection, name) = (self.name.clone(), column.name.clone());
            if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains('\0') {
                return Err(CatalogError::ColumnName { collection, column: name });
            }
            if !seen.insert(&column.name) {
                return Err(CatalogError::ColumnTwice { collection, column: name });
            }
        }
        Ok(())
    }

    fn check_keys(&self) -> Result<(), CatalogError> {
        self.check_names("the primary key", &self.primary_key, self)?;
        self.unique.iter().try_for_each(|key| self.check_names("a unique key", key, self))
    }

    fn check_reference(&self, reference: &Reference) -> Result<(), CatalogError> {
        self.check_names("a reference", &reference.columns, self)?;
        if reference.columns.len() == reference.foreign_columns.len() {
            return Ok(());
        }
        Err(CatalogError::Unequal {
            collection: self.name.clone(),
            target: reference.collection.clone(),
            columns: reference.columns.len(),
            foreign: reference.foreign_columns.len(),
        })
    }

    fn check_names(&self, what: &'static str, names: &[String], within: &Self) -> Result<(), CatalogError> {
        match names.iter().find(|name| within.column(name).is_none()) {
            None => Ok(()),
            Some(missing) => Err(CatalogError::NoSuchColumn {
                what,
                collection: self.name.clone(),
                column: missing.clone(),
                within: within.name.clone(),
            }),
        }
    }
}

impl Column {
    /// A column that may not be NULL.
    pub fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            array: false,
            nullable: false,
            default: None,
            native_type: None,
            generated: false,
        }
    }

    /// The same, NULL allowed.
    pub fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }
}
