//! What a module may reach beside its records: connections and file trees, opened and held to the grants by
//! whoever starts the instance. Here they are handed to the module, counted and bounded.

mod database;
mod files;

use std::time::{Duration, Instant};

use godwit_model::{FileAccess, SqlConnection};

#[allow(unreachable_pub)] // see there
pub use database::{Connection, Rows};
#[allow(unreachable_pub)]
pub use files::Tree;

/// SQL that outlives its module's call is ended by so much later: the module's own end comes first.
const GRACE: Duration = Duration::from_secs(1);

/// What an instance may reach. What is none answers like what does not exist.
#[derive(Default)]
pub struct Capabilities {
    /// What the module declared to read, as it is before the module.
    pub input: Option<Box<dyn SqlConnection>>,
    /// A database of its own.
    pub scratch: Option<Box<dyn SqlConnection>>,
    /// The live target.
    pub target: Option<Box<dyn SqlConnection>>,
    /// File trees.
    pub files: Option<Box<dyn FileAccess>>,
}

impl Capabilities {
    /// Ends statements that run on after a call should be over.
    pub(crate) fn end_after(&mut self, time: Duration) {
        let Some(moment) = Instant::now().checked_add(time.saturating_add(GRACE)) else { return };
        for connection in [&mut self.input, &mut self.scratch, &mut self.target].into_iter().flatten() {
            connection.end_by(moment);
        }
    }
}

/// Which of its functions the module is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Start,
    Evolve,
    Transform,
    Finish,
    Verify,
}

impl Phase {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Start => "its start",
            Self::Evolve => "evolve",
            Self::Transform => "transform",
            Self::Finish => "finish",
            Self::Verify => "verify",
        }
    }

    /// Whether capabilities answer; before, a module sees the catalog and its parameters only.
    fn has_capabilities(self) -> bool {
        self >= Self::Transform
    }
}
