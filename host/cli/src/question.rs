//! A question to a person. While it is open nothing is begun that would have to be put back, so that one Ctrl-C ends it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::exit;

static OPEN: Mutex<Option<Question>> = Mutex::new(None);

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Question {
    /// A line; an interrupt says what did not happen.
    Line(&'static str),
    /// A password. What reads it sees Ctrl-C itself, and has a terminal to put back before the end.
    Password,
}

/// Open until it is dropped.
pub struct Open(());

impl Question {
    pub fn open(self) -> Open {
        *question() = Some(self);
        Open(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        *question() = None;
    }
}

/// Ends the program where a line is asked for; says whether a password is. No answer is taken meanwhile.
pub fn interrupt() -> bool {
    let open = question();
    if let Some(Question::Line(outcome)) = *open {
        eprintln!("\nerror: interrupted; {outcome}");
        std::process::exit(i32::from(exit::INTERRUPTED));
    }
    open.is_some()
}

fn question() -> MutexGuard<'static, Option<Question>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}
