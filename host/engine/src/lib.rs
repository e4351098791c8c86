//! Everything Godwit does is one sentence with different ends:
//!
//! ```text
//! Source ──chunks──▶ Chain (0..n modules) ──chunks──▶ Target
//! ```
//!
//! [`plan`](Plan) reads, decides and never writes; the commands carry a finished plan out and decide
//! nothing. The whole way is one function, in `pipeline.rs`.
//!
//! ```
//! use godwit_engine::{BackupRequest, Config, Context, RestoreRequest, Scope, Stop, backup, restore};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let home = tempfile::tempdir()?;
//! # let home = home.path();
//! let application = "[application]\nname = 'shop'\nversion = '1.0.0'\n[databases.main]\nurl = 'sqlite://shop.db'\n";
//! let config = Config::parse(application, home)?;
//! godwit_database::run_script(&config.databases["main"].url, "CREATE TABLE goods (id INTEGER PRIMARY KEY, name TEXT);
//!     INSERT INTO goods (name) VALUES ('tea'), ('salt')")?;
//!
//! let workers = godwit_sandbox::Workers::new(&godwit_sandbox::Options::default(), &["worker"])?;
//! let context = Context { observer: &(), stop: &Stop::default(), workers: &workers, threads: 0 };
//! let archive = home.join("shop-1.0.0.tar");
//! let request = BackupRequest {
//!     config: &config,
//!     scope: Scope::default(),
//!     exclude: vec![],
//!     version: None,
//!     output: archive.clone(),
//!     dry_run: false,
//! };
//! let (report, id) = backup(&context, &request)?;
//! assert_eq!(report.records_in(), 2);
//! assert!(id.is_some());
//!
//! std::fs::remove_file(home.join("shop.db"))?;
//! let request = RestoreRequest {
//!     config: &config,
//!     archive,
//!     scope: Scope::default(),
//!     target_version: None,
//!     without_migration: false,
//!     empty: false,
//!     modules: Default::default(),
//!     dry_run: false,
//! };
//! restore(&context, &request)?;
//! let goods = godwit_database::query_scalar(&config.databases["main"].url, "SELECT count(*) FROM goods")?;
//! assert_eq!(goods, "2");
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod chain;
mod commands;
mod config;
mod error;
mod grants;
mod keys;
mod live;
mod modules;
mod narrowed;
mod observer;
mod pipeline;
mod plan;
mod report;
mod scope;
mod views;

pub use chain::{Chain, Step};
pub use commands::backup::{BackupRequest, backup};
pub use commands::export::{ExportRequest, export};
pub use commands::grants::{Asked, GrantsRequest, IdleCeiling, Overview, approve, grants, revoke};
pub use commands::migrate::{MigrateRequest, migrate};
pub use commands::plan::{PlanRequest, plan};
pub use commands::restore::{RestoreRequest, restore};
pub use commands::{Context, ModuleOptions};
pub use config::{Application, Config, DatabaseConfig, TreeConfig, VersionSource};
pub use error::EngineError;
pub use grants::Grants;
pub use observer::{Event, Observer, Stop};
pub use plan::{CatalogChange, Plan, PlannedModule};
pub use report::{CollectionCount, Report, TreeCount, Violation};
pub use scope::Scope;
pub use views::Statement;
