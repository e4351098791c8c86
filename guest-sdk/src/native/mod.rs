//! What answers in a native test where the host would: parameters, the log, connections and file trees.

pub(crate) mod database;
pub(crate) mod files;

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::host::Level;

/// What a test has put in place, and what the calls made of it.
#[derive(Default)]
pub(crate) struct Backend {
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) log: Vec<(Level, String)>,
    pub(crate) answers: Option<database::Answers>,
    pub(crate) trees: BTreeMap<String, files::Entries>,
    pub(crate) grants: Option<Grants>,
    pub(crate) call: Call,
}

/// The call of the host that is going on.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Call {
    #[default]
    Evolve,
    Transform,
    Finish,
    Verify,
}

/// What a manifest asks for; without a manifest all is granted.
#[derive(Default)]
pub(crate) struct Grants {
    /// Names of connections.
    pub(crate) connections: Vec<&'static str>,
    /// File trees, and whether they may be written.
    pub(crate) trees: BTreeMap<String, bool>,
}

thread_local! {
    static BACKEND: RefCell<Backend> = RefCell::default();
}

/// Makes a call with this behind it.
pub(crate) fn with<T>(backend: &mut Backend, call: Call, run: impl FnOnce() -> T) -> T {
    backend.log.clear();
    backend.call = call;
    BACKEND.set(std::mem::take(backend));
    let result = run();
    *backend = BACKEND.take();
    result
}

pub(crate) fn log(level: Level, message: &str) {
    BACKEND.with_borrow_mut(|backend| backend.log.push((level, message.to_owned())));
}

pub(crate) fn parameter(name: &str) -> Option<String> {
    BACKEND.with_borrow(|backend| backend.parameters.get(name).cloned())
}
