//! New columns, collections, references and objects.

use super::{Collection, Column, DefaultValue, Kind, Object, Reference};

macro_rules! kinds {
    ($($name:ident $kind:ident $doc:literal,)*) => {
        $(#[doc = concat!("A column of ", $doc, "; not nullable.")]
        pub fn $name(name: &str) -> Self {
            Self::of(name, Kind::$kind)
        })*
    };
}

impl Column {
    kinds! {
        boolean Boolean "`true` and `false`",
        int16 Int16 "16-bit integers",
        int32 Int32 "32-bit integers",
        int64 Int64 "64-bit integers",
        float32 Float32 "32-bit floating-point numbers",
        float64 Float64 "64-bit floating-point numbers",
        decimal Decimal "exact numbers, in records a string",
        text Text "text",
        bytes Bytes "bytes, in records `{\"$bytes\": …}`",
        date Date "dates",
        time Time "times of day",
        timestamp Timestamp "times without a time zone",
        timestamptz Timestamptz "times in UTC",
        interval Interval "spans of time",
        uuid Uuid "UUIDs",
        json Json "documents, in place",
        any Any "any value that the engine can hold",
    }

    /// A column of a type that only the engine knows, in its words.
    pub fn native(name: &str, native_type: &str) -> Self {
        Self::of(name, Kind::Native).native_type(native_type)
    }

    /// The same, NULL allowed.
    pub fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// The same, an array.
    pub fn array(mut self) -> Self {
        self.array = true;
        self
    }

    /// The same with a default: what a row gets that the application adds later. Records returned
    /// by a module hold every column all the same.
    pub fn default_value(mut self, value: impl Into<serde_json::Value>) -> Self {
        self.default = Some(DefaultValue::Value(value.into().to_string()));
        self
    }

    /// The same with an expression in the engine's SQL for its default.
    pub fn default_expression(mut self, sql: &str) -> Self {
        self.default = Some(DefaultValue::Expression(sql.to_owned()));
        self
    }

    /// The same with the engine's own type: `VARCHAR(20)`.
    pub fn native_type(mut self, native_type: &str) -> Self {
        self.native_type = Some(native_type.to_owned());
        self
    }

    fn of(name: &str, kind: Kind) -> Self {
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
}

impl Collection {
    /// A collection without columns and keys.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            columns: Vec::new(),
            primary_key: Vec::new(),
            unique: Vec::new(),
            references: Vec::new(),
            definition: None,
            options: Vec::new(),
        }
    }

    /// The same with a further column.
    pub fn column(mut self, column: Column) -> Self {
        self.columns.push(column);
        self
    }

    /// The same with this primary key.
    pub fn primary_key(mut self, columns: &[&str]) -> Self {
        self.primary_key = owned(columns);
        self
    }

    /// The same with a further unique key.
    pub fn unique(mut self, columns: &[&str]) -> Self {
        self.unique.push(owned(columns));
        self
    }

    /// The same with a further foreign key.
    pub fn reference(mut self, reference: Reference) -> Self {
        self.references.push(reference);
        self
    }

    /// The same with a table option in the engine's words.
    pub fn option(mut self, option: &str) -> Self {
        self.options.push(option.to_owned());
        self
    }

    /// The same with the engine's own definition.
    pub fn definition(mut self, sql: &str) -> Self {
        self.definition = Some(sql.to_owned());
        self
    }
}

impl Reference {
    /// A foreign key that takes no action on update or delete.
    pub fn new(columns: &[&str], collection: &str, foreign_columns: &[&str]) -> Self {
        Self {
            columns: owned(columns),
            collection: collection.to_owned(),
            foreign_columns: owned(foreign_columns),
            on_update: "NO ACTION".to_owned(),
            on_delete: "NO ACTION".to_owned(),
        }
    }

    /// The same with another action on delete: `RESTRICT`, `CASCADE`, `SET NULL`, `SET DEFAULT`.
    pub fn on_delete(mut self, action: &str) -> Self {
        action.clone_into(&mut self.on_delete);
        self
    }

    /// The same with another action on update.
    pub fn on_update(mut self, action: &str) -> Self {
        action.clone_into(&mut self.on_update);
        self
    }
}

impl Object {
    /// An index, by its `CREATE INDEX …`.
    pub fn index(name: &str, collection: &str, definition: &str) -> Self {
        Self::of("index", name, Some(collection), definition)
    }

    /// A trigger, by its `CREATE TRIGGER …`.
    pub fn trigger(name: &str, collection: &str, definition: &str) -> Self {
        Self::of("trigger", name, Some(collection), definition)
    }

    /// A view, by its `CREATE VIEW …`.
    pub fn view(name: &str, definition: &str) -> Self {
        Self::of("view", name, None, definition)
    }

    fn of(kind: &str, name: &str, collection: Option<&str>, definition: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            collection: collection.map(str::to_owned),
            definition: definition.to_owned(),
        }
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
