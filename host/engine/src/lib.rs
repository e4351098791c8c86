//! Everything Godwit does is one sentence with different ends:
//!
//! ```text
//! Source ──chunks──▶ Chain (0..n modules) ──chunks──▶ Target
//! ```
//!
//! [`plan`](Plan) reads, decides and never writes; the commands carry a finished plan out and decide
//! nothing. The whole way is one function, in `pipeline.rs`.
#![forbid(unsafe_code)]

mod chain;
mod commands;
mod config;
mod error;
mod keys;
mod live;
mod modules;
mod observer;
mod pipeline;
mod plan;
mod report;
mod scope;

pub use chain::{Chain, Step};
pub use commands::backup::{BackupRequest, backup};
pub use commands::export::{ExportRequest, export};
pub use commands::migrate::{MigrateRequest, migrate};
pub use commands::plan::{PlanRequest, plan};
pub use commands::restore::{RestoreRequest, restore};
pub use commands::{Context, ModuleOptions};
pub use config::{Application, Config, DatabaseConfig, TreeConfig, VersionSource};
pub use error::EngineError;
pub use observer::{Event, Observer, Stop};
pub use plan::{CatalogChange, Plan, PlannedStep};
pub use report::{CollectionCount, Report, TreeCount, Violation};
pub use scope::Scope;
