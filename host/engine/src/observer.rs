//! What the outside sees of a run while it goes on, and how it stops one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use godwit_model::Fault;
use godwit_sandbox::LogLevel;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// A new stage began.
    Stage {
        /// What is done now.
        name: &'a str,
        /// Bytes of JSON lines expected, where known.
        total: Option<u64>,
    },
    /// Bytes of JSON lines and records passed the current stage.
    Advance {
        /// Bytes.
        bytes: u64,
        /// Records.
        records: u64,
    },
    /// A module wrote to its log.
    Log {
        /// The module.
        module: &'a str,
        /// How much it matters.
        level: LogLevel,
        /// What it says.
        message: &'a str,
    },
    /// Something the operator should know.
    Note(&'a str),
    /// Something that the report will say, too.
    Warning(&'a str),
}

/// Sees a run's events; called from one thread at a time.
pub trait Observer: Sync {
    /// Takes an event.
    fn event(&self, event: Event<'_>);
}

/// Sees nothing.
impl Observer for () {
    fn event(&self, _: Event<'_>) {}
}

/// Asks a run to stop; it ends at the next chunk, with everything put back.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The flag itself, for those who only look.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// An error if it was asked.
    pub fn check(&self) -> Result<(), Fault> {
        if self.asked() { Err(Fault::interrupted()) } else { Ok(()) }
    }
}
