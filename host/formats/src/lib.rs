//! Fixture directories: an application's data as plain files that people read, edit and keep under
//! version control. One folder per format; so far there is one.
//!
//! JSON lines ([`JsonLinesDirectory`] writes what [`JsonLinesSource`] reads):
//!
//! ```text
//! <directory>/
//!   catalog.json                      the shape of the data
//!   <database>/<collection>.jsonl     a record a line, in the record encoding of archives
//!   files/<tree>/…                    the file trees as they are
//! ```
//!
//! A name's bytes other than letters, digits, `_`, `-` and `.` are written as `%XX` (so is a `.` at its
//! beginning); names too long for a file end in `%-` and their digest.
//!
//! Nothing here is verified by digests, and no database is ever opened.

#![forbid(unsafe_code)]

mod error;
mod json_lines;
mod layout;
mod staging;

pub use error::FormatsError;
pub use json_lines::{JsonLinesDirectory, JsonLinesSource};
