//! The changes to a record.

use serde::Serialize;
use serde::de::IgnoredAny;

use super::names::Quoted;
use super::{ESCAPED, Field, Record, Text};
use crate::error::words;
use crate::{Error, Result};

impl Record {
    /// Gives a field another name; place and value stay.
    ///
    /// # Errors
    /// There is no such field, or one of the new name.
    pub fn rename(&mut self, old: &str, new: &str) -> Result<()> {
        let at = self.expect(old)?;
        self.refuse_second(new)?;
        let name = self.new_name(new);
        self.fields[at] = Field { value: self.fields[at].value, ..name };
        self.touched = true;
        Ok(())
    }

    /// Sets a field where it stands; a new one comes last.
    pub fn set(&mut self, name: &str, value: impl Serialize) -> Result<()> {
        let value = self.new_value(name, &value)?;
        self.put(name, value);
        Ok(())
    }

    /// Sets a field to a JSON text, which is copied as it is.
    ///
    /// # Errors
    /// It is not one JSON value in one line.
    pub fn set_raw(&mut self, name: &str, json: &str) -> Result<()> {
        let checked = serde_json::from_str::<IgnoredAny>(json).map_err(|error| Error::field(name, words(&error)))?;
        let IgnoredAny = checked;
        if json.contains('\n') {
            return Err(Error::field(name, "a record is one line, so its JSON cannot hold a line feed"));
        }
        let start = self.side.len();
        self.side.extend_from_slice(json.as_bytes());
        self.put(name, Text::Side { start, end: self.side.len() });
        Ok(())
    }

    /// Puts a new field behind another.
    ///
    /// # Errors
    /// There is no such other field, or already one of the new name.
    pub fn insert_after(&mut self, name: &str, new: &str, value: impl Serialize) -> Result<()> {
        let at = self.expect(name)? + 1;
        self.insert(at, new, &value)
    }

    /// Puts a new field before another.
    ///
    /// # Errors
    /// There is no such other field, or already one of the new name.
    pub fn insert_before(&mut self, name: &str, new: &str, value: impl Serialize) -> Result<()> {
        let at = self.expect(name)?;
        self.insert(at, new, &value)
    }

    /// Removes a field that must be there.
    pub fn remove(&mut self, name: &str) -> Result<()> {
        let at = self.expect(name)?;
        self.remove_at(at);
        Ok(())
    }

    /// Leaves the record out of the new data.
    pub fn drop_record(&mut self) {
        self.dropped = true;
    }

    pub(super) fn remove_at(&mut self, at: usize) {
        self.fields.remove(at);
        self.touched = true;
    }

    fn insert(&mut self, at: usize, name: &str, value: &impl Serialize) -> Result<()> {
        self.refuse_second(name)?;
        let value = self.new_value(name, value)?;
        let field = Field { value, ..self.new_name(name) };
        self.fields.insert(at, field);
        self.touched = true;
        Ok(())
    }

    fn put(&mut self, name: &str, value: Text) {
        if let Some(at) = self.position(name) {
            self.fields[at].value = value;
        } else {
            let field = Field { value, ..self.new_name(name) };
            self.fields.push(field);
        }
        self.touched = true;
    }

    fn refuse_second(&self, name: &str) -> Result<()> {
        if self.has(name) { Err(Error::field(name, "the record already has a field of this name")) } else { Ok(()) }
    }

    /// A field of this name, still without its value.
    fn new_name(&mut self, name: &str) -> Field {
        let Quoted { start, end, escaped } = self.names.quote(name);
        let quoted_length = if escaped { ESCAPED } else { end - start };
        Field { name: Text::Name { start, end }, quoted_length, value: Text::Side { start: 0, end: 0 } }
    }

    fn new_value(&mut self, name: &str, value: &impl Serialize) -> Result<Text> {
        let start = self.side.len();
        serde_json::to_writer(&mut self.side, value).map_err(|error| Error::field(name, words(&error)))?;
        Ok(Text::Side { start, end: self.side.len() })
    }
}
