//! What can go wrong at an end of the pipeline, sorted by what the operator should think of it.

use std::error::Error;
use std::fmt;

/// The four answers an operator needs; each has an exit status of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultClass {
    /// Usage or configuration is wrong.
    Usage,
    /// A rule refuses; nothing was touched.
    Refused,
    /// An archive is damaged or is none.
    Damaged,
    /// A module failed or was stopped.
    Module,
    /// A database or file system failed.
    System,
    /// Another run holds the lock.
    Locked,
    /// The operator interrupted the run.
    Interrupted,
}

/// An error with its class. `Display` and `source` are those of the error inside.
pub struct Fault {
    class: FaultClass,
    error: Box<dyn Error + Send + Sync>,
}

impl Fault {
    /// Classifies an error.
    pub fn new(class: FaultClass, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { class, error: error.into() }
    }

    /// A rule refuses.
    pub fn refused(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(FaultClass::Refused, error)
    }

    /// An archive is damaged.
    pub fn damaged(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(FaultClass::Damaged, error)
    }

    /// A database or file system failed.
    pub fn system(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(FaultClass::System, error)
    }

    /// A module failed or was stopped.
    pub fn module(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(FaultClass::Module, error)
    }

    /// Usage or configuration is wrong.
    pub fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(FaultClass::Usage, error)
    }

    /// The operator interrupted the run.
    pub fn interrupted() -> Self {
        Self::new(FaultClass::Interrupted, "interrupted")
    }

    /// What kind of thing went wrong.
    pub fn class(&self) -> FaultClass {
        self.class
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?}", self.class, self.error)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}
