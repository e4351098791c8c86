//! What the host answers: the run's log and the parameters. Natively, what a test has put in place.

use serde::de::DeserializeOwned;

use crate::error::words;
use crate::{Error, Result};

pub use crate::bindings::godwit::migration::log::Level;
#[cfg(target_family = "wasm")]
use crate::bindings::godwit::migration::{log as imported_log, parameters as imported_parameters};

/// Writes a line to the run's log. The host keeps 1,000 lines a call, each up to 4 KiB.
pub fn log(level: Level, message: &str) {
    #[cfg(target_family = "wasm")]
    imported_log::write(level, message);
    #[cfg(not(target_family = "wasm"))]
    crate::native::log(level, message);
}

/// A parameter as JSON text; none where it is neither given, nor has a default, nor is declared.
pub fn parameter_text(name: &str) -> Option<String> {
    #[cfg(target_family = "wasm")]
    return imported_parameters::get(name);
    #[cfg(not(target_family = "wasm"))]
    return crate::native::parameter(name);
}

/// A parameter that must be there. In `evolve`; with a [`crate::Context`] at hand use its own.
pub fn parameter<T: DeserializeOwned>(name: &str) -> Result<T> {
    optional_parameter(name)?.ok_or_else(|| missing(name))
}

/// A parameter that may be missing.
pub fn optional_parameter<T: DeserializeOwned>(name: &str) -> Result<Option<T>> {
    parameter_text(name).map(|text| read(name, &text)).transpose()
}

pub(crate) fn read<T: DeserializeOwned>(name: &str, text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| Error::new(format!("the parameter {name} cannot be {text}: {}", words(&error))))
}

pub(crate) fn missing(name: &str) -> Error {
    Error::new(format!("the parameter {name} has no value; declare it in module.json, with a default or without"))
}
