//! Progress bars on a terminal, and the run's events in the log.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use godwit_engine::{Event, Observer};
use godwit_sandbox::LogLevel;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::args::Global;
use crate::log::Log;

/// Lines of modules that a terminal is shown; a module may log without end.
const LINES_SHOWN: usize = 200;

/// Shows events.
pub struct Progress {
    bar: Mutex<ProgressBar>,
    log: Log,
    verbose: bool,
    quiet: bool,
    bars: bool,
    /// Lines of modules shown so far.
    shown: AtomicUsize,
}

impl Progress {
    pub fn new(global: &Global, log: Log) -> Self {
        let bars = !global.no_progress && !global.quiet;
        Self {
            bar: Mutex::new(ProgressBar::hidden()),
            log,
            verbose: global.verbose,
            quiet: global.quiet,
            bars,
            shown: AtomicUsize::new(0),
        }
    }

    /// The log file.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Takes the bar away, so that results stand alone.
    pub fn clear(&self) {
        self.bar().finish_and_clear();
    }

    fn bar(&self) -> ProgressBar {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn stage(&self, name: &str, total: Option<u64>) {
        self.log.line("stage", &json!({ "name": name, "bytes": total }));
        self.clear();
        if self.bars {
            *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = bar(name, total);
        }
    }

    fn module_line(&self, module: &str, level: LogLevel, message: &str) {
        self.log.line(
            "module",
            &json!({ "module": module, "level": format!("{level:?}").to_lowercase(), "message": message }),
        );
        if self.verbose || (level >= LogLevel::Warn && !self.quiet) {
            match self.shown.fetch_add(1, Ordering::Relaxed) {
                0..LINES_SHOWN => self.say(&format!("{module}: {message}")),
                LINES_SHOWN => self.say("the modules log more; --log FILE keeps all of it"),
                _ => {}
            }
        }
    }

    fn say(&self, line: &str) {
        self.bar().suspend(|| eprintln!("{line}"));
    }
}

/// indicatif hides a bar by itself where standard error is no terminal.
fn bar(name: &str, total: Option<u64>) -> ProgressBar {
    let template = match total {
        Some(_) => "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}, {eta} left",
        None => "{msg} {spinner} {binary_bytes}  {elapsed}",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr()).with_style(style);
    bar.set_message(name.to_owned());
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

impl Observer for Progress {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Stage { name, total } => self.stage(name, total),
            Event::Advance { bytes, .. } => self.bar().inc(bytes),
            Event::Log { module, level, message } => self.module_line(module, level, message),
            Event::Warning(text) => self.log.line("warning", &json!(text)),
            Event::Note(text) => {
                self.log.line("note", &json!(text));
                if !self.quiet {
                    self.say(text);
                }
            }
        }
    }
}
