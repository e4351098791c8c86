//! The log file: a JSON document a line.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use godwit_model::Fault;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A log file, or none.
pub struct Log(Option<Mutex<File>>);

impl Log {
    /// Opens a log file for appending, readable by its owner only.
    pub fn open(path: Option<&Path>) -> Result<Self, Fault> {
        let Some(path) = path else { return Ok(Self(None)) };
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        let file =
            file.map_err(|error| Fault::usage(format!("the log {} cannot be opened: {error}", path.display())))?;
        Ok(Self(Some(Mutex::new(file))))
    }

    /// Writes a line. A log that cannot be written never ends a run.
    pub fn line(&self, kind: &str, fields: &Value) {
        if let Some(file) = &self.0 {
            let line = json!({ "at": Timestamp::now().to_string(), "kind": kind, "data": fields });
            let _ = writeln!(file.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
        }
    }
}
