//! Names, checked at the door.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits::{NAME_BYTES_MAX, TREE_PATH_BYTES_MAX};

/// A name that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} {problem}")]
pub struct NameError {
    /// What the name was to be for.
    pub what: &'static str,
    /// The text as given.
    pub value: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(Arc<str>);

        impl $type {
            /// Checks and wraps a name.
            pub fn new(value: impl AsRef<str>) -> Result<Self, NameError> {
                let value = value.as_ref();
                match $check(value) {
                    Ok(()) => Ok(Self(value.into())),
                    Err(problem) => Err(NameError { what: $what, value: value.to_owned(), problem }),
                }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(value: String) -> Result<Self, NameError> {
                Self::new(value)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0.as_ref().to_owned()
            }
        }

        impl std::str::FromStr for $type {
            type Err = NameError;
            fn from_str(value: &str) -> Result<Self, NameError> {
                Self::new(value)
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// Name of a database in `godwit.toml`: letters, digits, `_` and `-`.
    DatabaseName, "database name", check_key
);
name!(
    /// Name of a file tree in `godwit.toml`: letters, digits, `_` and `-`.
    TreeName, "file tree name", check_key
);
name!(
    /// Name of a table, or of a type of document, as the database has it.
    CollectionName, "collection name", check_identifier
);
name!(
    /// `vendor/name` of a module.
    ModuleName, "module name", check_module
);
name!(
    /// A path inside a file tree: relative, `/` between parts, no empty part, no `.` and no `..`.
    ///
    /// A name that is not UTF-8 has its odd bytes written as `%XX`, and `%` itself as `%25`.
    TreePath, "path", check_tree_path
);

fn check_key(value: &str) -> Result<(), &'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match value {
        "" => Err("is empty"),
        _ if value.len() > 64 => Err("is longer than 64 characters"),
        _ if !value.chars().all(plain) => Err("may hold letters, digits, `_` and `-` only"),
        _ => Ok(()),
    }
}

fn check_identifier(value: &str) -> Result<(), &'static str> {
    match value {
        "" => Err("is empty"),
        _ if value.len() > NAME_BYTES_MAX => Err("is too long"),
        _ if value.contains('\0') => Err("holds a NUL"),
        _ => Ok(()),
    }
}

fn check_module(value: &str) -> Result<(), &'static str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    match value.split_once('/') {
        _ if value.len() > 128 => Err("is longer than 128 characters"),
        Some((vendor, name))
            if !vendor.is_empty() && !name.is_empty() && vendor.chars().chain(name.chars()).all(plain) =>
        {
            Ok(())
        }
        _ => Err("must be `vendor/name` in lower-case letters, digits, `-`, `_` and `.`"),
    }
}

fn check_tree_path(value: &str) -> Result<(), &'static str> {
    match value {
        "" => Err("is empty"),
        _ if value.len() > TREE_PATH_BYTES_MAX => Err("is too long"),
        _ if value.contains('\0') => Err("holds a NUL"),
        _ if value.starts_with('/') => Err("is absolute"),
        _ if value.split('/').any(|part| matches!(part, "" | "." | "..")) => Err("has an empty, `.` or `..` part"),
        _ => Ok(()),
    }
}

/// A collection of one database, shown as `database.collection`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CollectionId {
    /// The database it is in.
    pub database: DatabaseName,
    /// Its name there.
    pub name: CollectionName,
}

impl fmt::Display for CollectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_paths_are_refused() {
        for path in ["", "/etc/passwd", "..", "a/../b", "a//b", "./a", "a/.", "a\0b", "a/"] {
            assert!(TreePath::new(path).is_err(), "{path:?}");
        }
        for path in ["a", "a/b", "..a", "a..", "ä/ö", " ", "a\\..\\b"] {
            assert!(TreePath::new(path).is_ok(), "{path:?}");
        }
    }

    #[test]
    fn module_names_need_a_vendor() {
        assert!(ModuleName::new("acme/inventory-1.2").is_ok());
        for name in ["inventory", "acme/", "/x", "acme/../x", "Acme/x"] {
            assert!(ModuleName::new(name).is_err(), "{name:?}");
        }
    }
}
