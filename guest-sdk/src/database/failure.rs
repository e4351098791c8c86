//! What went wrong with a statement, in words that name it.

use crate::Error;
use crate::bindings::godwit::migration::database::Failure;

/// What the host answers where a connection does not.
pub(crate) const NO_ANSWER: &str = "08001";

/// The longest part of a statement that a message shows, in characters.
const SHOWN: usize = 100;

/// A statement on its connection, for messages.
#[derive(Clone, Copy)]
pub(super) struct Statement<'q> {
    pub(super) connection: &'static str,
    pub(super) sql: &'q str,
}

impl Statement<'_> {
    /// What the host says of it.
    #[cold]
    pub(super) fn failed(self, failure: Failure) -> Error {
        let Failure { code, message } = failure;
        self.wrong(&Error::new(format!("{message} ({code})"))).with_code(code)
    }

    /// What is wrong with what goes in or comes out.
    #[cold]
    pub(super) fn wrong(self, error: &Error) -> Error {
        Error::new(format!("{}, `{}`: {}", self.connection, shortened(self.sql), error.message()))
    }
}

/// A connection that did not open.
#[cold]
pub(super) fn of_opening(name: &str, failure: Failure) -> Error {
    let Failure { code, message } = failure;
    let declared = match name {
        "input" => "module.json declares what it shows in \"reads\"",
        "scratch" => "module.json asks for it with \"scratch\": true and \"ordered\": true",
        _ => "module.json declares what it shows in \"target\"; it answers in verify only",
    };
    Error::new(format!("the connection {name} cannot be opened: {message} ({code}); {declared}")).with_code(code)
}

/// On one line, and not the whole of a long one.
fn shortened(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
