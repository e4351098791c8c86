//! A directory of JSON lines: a file per collection.

mod lines;
mod source;
mod target;

pub use source::JsonLinesSource;
pub use target::JsonLinesDirectory;

const EXTENSION: &str = "jsonl";
