//! Why a module cannot go on, and where.

use std::fmt;

use crate::bindings::Failure;

/// The result of everything that an author writes.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a module cannot go on. The SDK adds the collection, the record's number and its key.
///
/// Any standard error becomes one through `?`; [`Error::new`] and [`Error::field`] make one of
/// words. A record's error sets the record aside where the operator asked for it, and stops the
/// run otherwise.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Details>);

/// The same words as `Display`: they are what an `unwrap` in a test shows.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Details {
    message: String,
    collection: Option<String>,
    record: Option<u64>,
    key: Option<String>,
    field: Option<String>,
    code: Option<String>,
}

impl Error {
    /// An error in these words.
    pub fn new(message: impl fmt::Display) -> Self {
        Self(Box::new(Details { message: message.to_string(), ..Details::default() }))
    }

    /// An error of one field of a record.
    pub fn field(name: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::new(message).or_field(name)
    }

    /// The words, without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The collection, once the SDK has added it.
    pub fn collection(&self) -> Option<&str> {
        self.0.collection.as_deref()
    }

    /// Index of the record in its chunk, from 0, once the SDK has added it.
    pub fn record(&self) -> Option<u64> {
        self.0.record
    }

    /// The record's key as JSON: one value, or an array of several; once the SDK has added it.
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// The field to blame, where there is one.
    pub fn field_name(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// The host's code of a failure of SQL or of a file tree: an SQLSTATE or the engine's own code, or a case of
    /// `files.error` in `wit/migration.wit`, as `not-found`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    pub(crate) fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    pub(crate) fn or_field(mut self, name: impl Into<String>) -> Self {
        self.0.field.get_or_insert_with(|| name.into());
        self
    }

    pub(crate) fn in_collection(mut self, name: &str) -> Self {
        self.0.collection.get_or_insert_with(|| name.to_owned());
        self
    }

    pub(crate) fn at_record(mut self, record: u64, key: Option<String>) -> Self {
        self.0.record.get_or_insert(record);
        self.0.key = self.0.key.or(key);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.0;
        let mut place = Vec::new();
        place.extend(details.collection.clone());
        if let Some(record) = details.record {
            let key = details.key.as_ref().map(|key| format!(" (key {key})")).unwrap_or_default();
            place.push(format!("record {record}{key}"));
        }
        place.extend(details.field.as_ref().map(|field| format!("field {field}")));
        let colon = if place.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}", place.join(", "), details.message)
    }
}

// As in other crates of catch-all errors, `Error` is itself no `std::error::Error`: it could not be made of any other then.
impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        Self::new(message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let Details { message, collection, record, key, field, code: _ } = *error.0;
        Self { message, collection, record, key, field }
    }
}

/// Names the field that an error is about: `text.parse::<i64>().in_field("length")?`.
pub trait InField<T> {
    /// The same with its error turned into one of this field.
    fn in_field(self, name: &str) -> Result<T>;
}

impl<T, E: Into<Error>> InField<T> for Result<T, E> {
    fn in_field(self, name: &str) -> Result<T> {
        self.map_err(|error| error.into().or_field(name))
    }
}

/// What serde_json has to say, without its `at line 1 column 9`, which means nothing to an operator.
pub(crate) fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_as_much_of_the_place_as_is_known() {
        let error = Error::field("status", "unknown value \"x\"");
        assert_eq!(error.to_string(), "field status: unknown value \"x\"");
        let error = error.at_record(3, Some("7".into())).in_collection("devices");
        assert_eq!(error.to_string(), "devices, record 3 (key 7), field status: unknown value \"x\"");
        assert_eq!(Error::new("no").to_string(), "no");
    }

    #[test]
    fn the_first_to_name_a_place_is_right() {
        let error = Error::field("inner", "wrong").at_record(1, None);
        let error = Err::<(), _>(error).in_field("outer").unwrap_err().at_record(9, Some("2".into()));
        assert_eq!((error.field_name(), error.record(), error.key()), (Some("inner"), Some(1), Some("2")));
    }

    #[test]
    fn standard_errors_become_ours() {
        let parse = || -> Result<i64> { "x".parse::<i64>().in_field("length") };
        assert_eq!(parse().unwrap_err().to_string(), "field length: invalid digit found in string");
    }
}
