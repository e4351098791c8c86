//! What every command works with.

use std::path::{Path, PathBuf};

use godwit_engine::{Config, Context, Event, Grants, ModuleOptions, Observer, Stop};
use godwit_files::TreeLimits;
use godwit_model::Fault;
use godwit_sandbox::{Limits, Options, Sandbox, Workers};
use semver::Version;
use serde::Serialize;
use serde_json::json;

use crate::args::{Global, Modules, Output, WORKER};
use crate::exit;
use crate::log::Log;
use crate::progress::Progress;

/// One run of the program.
pub struct Session {
    config_path: PathBuf,
    pub format: Output,
    pub quiet: bool,
    pub progress: Progress,
    pub stop: Stop,
    cache: Option<PathBuf>,
    threads: usize,
}

impl Session {
    pub fn open(global: &Global, stop: Stop) -> Result<Self, Fault> {
        let progress = Progress::new(global, Log::open(global.log.as_deref())?);
        progress.log().line("start", &json!({ "version": env!("CARGO_PKG_VERSION") }));
        Ok(Self {
            config_path: global.config.clone(),
            format: global.format,
            quiet: global.quiet,
            progress,
            stop,
            cache: global.cache.clone(),
            threads: global.workers,
        })
    }

    /// The configuration.
    pub fn config(&self) -> Result<Config, Fault> {
        Ok(Config::load(&self.config_path)?)
    }

    /// The configuration, where there is one.
    pub fn config_if_any(&self) -> Result<Option<Config>, Fault> {
        if self.config_path.exists() { self.config().map(Some) } else { Ok(None) }
    }

    pub fn config_path(&self) -> &std::path::Path {
        &self.config_path
    }

    /// What was approved, is allowed and is trusted; `directories` are those that the command line names.
    pub fn grants(
        &self,
        directories: &[PathBuf],
        config: Option<&Config>,
        on: (Option<&Path>, Option<&Version>),
    ) -> Grants {
        Grants {
            lock: self.config_path.with_file_name("godwit.lock"),
            ceilings: config.map(|config| config.grants.clone()).unwrap_or_default(),
            trust: config.map(|config| config.modules.trust.clone()).unwrap_or_default(),
            command: self.grants_command(directories, on),
        }
    }

    /// What to type to see what the same modules ask for.
    fn grants_command(&self, directories: &[PathBuf], on: (Option<&Path>, Option<&Version>)) -> String {
        let mut words = vec!["godwit grants".to_owned()];
        if let (archive, Some(to)) = on {
            words.extend(archive.map(word));
            words.push(format!("--to {to}"));
        }
        if self.config_path != Path::new("godwit.toml") {
            words.push(format!("--config {}", word(&self.config_path)));
        }
        words.extend(directories.iter().map(|directory| format!("--modules {}", word(directory))));
        words.join(" ")
    }

    /// The user's cache directory is a convenience: where it cannot be used, modules are compiled anew. One that the
    /// command line names must do.
    fn sandbox_options(&self) -> Options {
        let stop = Some(self.stop.flag());
        if self.cache.is_some() {
            return Options { cache: self.cache.clone(), stop };
        }
        let options = Options { cache: cache_directory(), stop };
        match options.check_cache() {
            Ok(()) => options,
            Err(error) => {
                let note = format!("compiled modules are not kept, for {error}; name a directory with --cache");
                self.progress.event(Event::Note(&note));
                Options { cache: None, ..options }
            }
        }
    }

    /// Runs modules in this process: for their author's tools, which hold no data but the author's own.
    pub fn sandbox(&self) -> Result<Sandbox, Fault> {
        Ok(Sandbox::new(&self.sandbox_options())?)
    }

    /// Starts this program itself to run modules, as `godwit worker`.
    pub fn workers(&self) -> Result<Workers, Fault> {
        Ok(Workers::new(&self.sandbox_options(), &[WORKER])?)
    }

    pub fn context<'a>(&'a self, workers: &'a Workers) -> Context<'a> {
        Context { observer: &self.progress, stop: &self.stop, workers, threads: self.threads }
    }

    /// Shows a result: the document, or the text for people.
    pub fn show(&self, document: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Fault> {
        self.progress.clear();
        let document = serde_json::to_value(document).map_err(Fault::system)?;
        self.progress.log().line("result", &document);
        match self.format {
            Output::Json => println!("{document:#}"),
            Output::Human if self.quiet => {}
            Output::Human => print!("{}", text()),
        }
        Ok(())
    }

    pub fn log_failure(&self, fault: &Fault) {
        self.progress.clear();
        let error = json!({ "message": exit::text(fault), "exit_status": exit::status(fault.class()) });
        self.progress.log().line("error", &error);
    }
}

/// The modules of the command line, else of the configuration, and what may be done with them.
/// `on` is the archive and the version wanted, as far as the command line names them.
pub fn module_options(
    session: &Session,
    args: &Modules,
    config: Option<&Config>,
    on: (Option<&Path>, Option<&Version>),
) -> ModuleOptions {
    let mut parameters = config.map(Config::parameters).unwrap_or_default();
    parameters.extend(args.parameters.iter().cloned());
    ModuleOptions {
        directories: directories(&args.directories, config),
        grants: session.grants(&args.directories, config, on),
        parameters,
        asked: args.parameters.iter().map(|(name, _)| name.clone()).collect(),
        across_major: args.across_major,
        allow_dangling: args.allow_dangling,
        limits: Limits {
            memory_bytes: args.module_memory.saturating_mul(1 << 20),
            call_time: std::time::Duration::from_secs(args.module_time),
            output_bytes: args.module_output.saturating_mul(1 << 20),
            rows: args.module_rows,
            scratch_bytes: args.module_scratch.saturating_mul(1 << 20),
        },
        tree_limits: TreeLimits {
            files_written: args.module_files,
            bytes_written: args.module_file_size.saturating_mul(1 << 20),
        },
    }
}

/// The directories of modules that were given, else those of the configuration.
pub fn directories(given: &[PathBuf], config: Option<&Config>) -> Vec<PathBuf> {
    let configured = || config.map(|config| config.modules.path.clone()).unwrap_or_default();
    if given.is_empty() { configured() } else { given.to_owned() }
}

/// A word as a shell takes it.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// `$XDG_CACHE_HOME/godwit`, else `~/.cache/godwit`.
fn cache_directory() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache"))).map(|base| base.join("godwit"))
}
