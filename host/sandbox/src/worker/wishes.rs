//! What a module asks of the parent through its worker, and the answers. Both sides of it: [`Asker`] in the
//! worker speaks for the module, [`Desk`] in the parent answers.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use godwit_model::{FileAccess, FileChange, FileFailure, FileStat, SqlConnection, SqlFailure, SqlRow, SqlValue};
use serde::{Deserialize, Serialize};

use super::link::Link;
use super::protocol::Reply;

/// What a module wants. Bytes to write are the frame's body.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Wish {
    Files { tree: String, path: String, want: FileWish },
    Target(SqlWish),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FileWish {
    Open,
    List,
    Stat,
    Read { offset: u64, length: u32 },
    Write { offset: u64 },
    Truncate(u64),
    SetMode(u32),
    MakeDirectory,
    Rename(String),
    Remove,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum SqlWish {
    Open,
    Execute { sql: String, values: Vec<SqlValue> },
    Query { sql: String, values: Vec<SqlValue> },
    Columns(u32),
    Next { cursor: u32, limit: u32 },
    Close(u32),
}

/// What the parent answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Files(Result<FileAnswer, FileFailure>),
    Target(Result<SqlAnswer, SqlFailure>),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FileAnswer {
    Done,
    Names(Vec<String>),
    Stat(FileStat),
    /// They are the frame's body.
    Bytes,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum SqlAnswer {
    Done(u64),
    Cursor(u32),
    Columns(Vec<String>),
    Rows(Vec<SqlRow>),
}

/// Who answers for the parent, module by module of the chain. What a worker says of itself is not to be trusted: a
/// desk gives no more than any module of the chain was granted for the present request.
pub trait Desk: Send {
    /// The file trees of a step; none where it was granted none. `finishing`: the step is being finished, and may write.
    fn files(&mut self, step: usize, finishing: bool) -> Option<&mut dyn FileAccess>;

    /// The live target, where the step may use it now.
    fn target(&mut self, step: usize) -> Option<&mut dyn SqlConnection>;
}

/// Grants nothing.
pub struct NoDesk;

impl Desk for NoDesk {
    fn files(&mut self, _step: usize, _finishing: bool) -> Option<&mut dyn FileAccess> {
        None
    }

    fn target(&mut self, _step: usize) -> Option<&mut dyn SqlConnection> {
        None
    }
}

/// The call in which a wish was made, as far as the parent knows.
pub(super) struct During {
    pub(super) step: usize,
    pub(super) finishing: bool,
    pub(super) deadline: Instant,
    /// Set when the operator interrupts the run.
    pub(super) stop: Arc<AtomicBool>,
}

/// Answers one wish; the bytes are the answer's body.
pub(super) fn answer(wish: Wish, body: &[u8], desk: &mut dyn Desk, during: &During) -> (Answer, Vec<u8>) {
    match wish {
        Wish::Files { tree, path, want } => {
            let mut bytes = vec![];
            let files = desk.files(during.step, during.finishing).ok_or(FileFailure::NotFound);
            let answer = files.and_then(|files| answer_files(files, &tree, &path, &want, body, &mut bytes));
            (Answer::Files(answer), bytes)
        }
        Wish::Target(want) => {
            let target = desk.target(during.step).ok_or_else(|| SqlFailure::no_connection("target"));
            let answer = target.and_then(|target| {
                target.end_by(during.deadline);
                target.end_upon(Arc::clone(&during.stop));
                answer_target(target, want)
            });
            (Answer::Target(answer), vec![])
        }
    }
}

fn answer_files(
    files: &mut dyn FileAccess,
    tree: &str,
    path: &str,
    want: &FileWish,
    body: &[u8],
    bytes: &mut Vec<u8>,
) -> Result<FileAnswer, FileFailure> {
    let change = match want {
        FileWish::Open => return files.open(tree).map(|()| FileAnswer::Done),
        FileWish::List => return files.list(tree, path).map(FileAnswer::Names),
        FileWish::Stat => return files.stat(tree, path).map(FileAnswer::Stat),
        FileWish::Read { offset, length } => {
            *bytes = files.read(tree, path, *offset, *length)?;
            return Ok(FileAnswer::Bytes);
        }
        FileWish::Write { offset } => FileChange::Write { offset: *offset, bytes: body },
        FileWish::Truncate(size) => FileChange::Truncate(*size),
        FileWish::SetMode(mode) => FileChange::SetMode(*mode),
        FileWish::MakeDirectory => FileChange::MakeDirectory,
        FileWish::Rename(to) => FileChange::Rename(to),
        FileWish::Remove => FileChange::Remove,
    };
    files.change(tree, path, change).map(|()| FileAnswer::Done)
}

fn answer_target(target: &mut dyn SqlConnection, want: SqlWish) -> Result<SqlAnswer, SqlFailure> {
    match want {
        SqlWish::Open => target.open().map(|()| SqlAnswer::Done(0)),
        SqlWish::Execute { sql, values } => target.execute(&sql, &values).map(SqlAnswer::Done),
        SqlWish::Query { sql, values } => target.query(&sql, &values).map(SqlAnswer::Cursor),
        SqlWish::Columns(cursor) => target.columns(cursor).map(SqlAnswer::Columns),
        SqlWish::Next { cursor, limit } => target.next(cursor, limit).map(SqlAnswer::Rows),
        SqlWish::Close(cursor) => {
            target.close(cursor);
            Ok(SqlAnswer::Done(0))
        }
    }
}

/// Speaks for the modules in a worker. A parent that does not answer is gone, and so is this process, soon.
#[derive(Clone)]
pub(super) struct Asker(pub(super) Arc<Mutex<Link>>);

impl Asker {
    fn ask(&self, wish: Wish, body: &[u8]) -> Option<(Answer, Vec<u8>)> {
        let mut link = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        link.send(&Reply::Wish(wish), body).and_then(|()| link.flush()).ok()?;
        link.receive().ok().flatten()
    }

    fn ask_files(
        &self,
        tree: &str,
        path: &str,
        want: FileWish,
        body: &[u8],
    ) -> Result<(FileAnswer, Vec<u8>), FileFailure> {
        match self.ask(Wish::Files { tree: tree.to_owned(), path: path.to_owned(), want }, body) {
            Some((Answer::Files(answer), bytes)) => answer.map(|answer| (answer, bytes)),
            _ => Err(FileFailure::Io),
        }
    }

    fn ask_target(&self, want: SqlWish) -> Result<SqlAnswer, SqlFailure> {
        match self.ask(Wish::Target(want), &[]) {
            Some((Answer::Target(answer), _)) => answer,
            _ => Err(out_of_turn()),
        }
    }
}

fn out_of_turn() -> SqlFailure {
    SqlFailure { code: "08006".to_owned(), message: "the connection is lost".to_owned() }
}

impl SqlConnection for Asker {
    fn open(&mut self) -> Result<(), SqlFailure> {
        self.ask_target(SqlWish::Open).map(drop)
    }

    fn execute(&mut self, sql: &str, values: &[SqlValue]) -> Result<u64, SqlFailure> {
        match self.ask_target(SqlWish::Execute { sql: sql.to_owned(), values: values.to_vec() })? {
            SqlAnswer::Done(rows) => Ok(rows),
            _ => Err(out_of_turn()),
        }
    }

    fn query(&mut self, sql: &str, values: &[SqlValue]) -> Result<u32, SqlFailure> {
        match self.ask_target(SqlWish::Query { sql: sql.to_owned(), values: values.to_vec() })? {
            SqlAnswer::Cursor(cursor) => Ok(cursor),
            _ => Err(out_of_turn()),
        }
    }

    fn columns(&mut self, cursor: u32) -> Result<Vec<String>, SqlFailure> {
        match self.ask_target(SqlWish::Columns(cursor))? {
            SqlAnswer::Columns(names) => Ok(names),
            _ => Err(out_of_turn()),
        }
    }

    fn next(&mut self, cursor: u32, limit: u32) -> Result<Vec<SqlRow>, SqlFailure> {
        match self.ask_target(SqlWish::Next { cursor, limit })? {
            SqlAnswer::Rows(rows) => Ok(rows),
            _ => Err(out_of_turn()),
        }
    }

    fn close(&mut self, cursor: u32) {
        let _ = self.ask_target(SqlWish::Close(cursor));
    }
}

impl FileAccess for Asker {
    fn open(&mut self, tree: &str) -> Result<(), FileFailure> {
        self.ask_files(tree, "", FileWish::Open, &[]).map(|_| ())
    }

    fn list(&mut self, tree: &str, path: &str) -> Result<Vec<String>, FileFailure> {
        match self.ask_files(tree, path, FileWish::List, &[])? {
            (FileAnswer::Names(names), _) => Ok(names),
            _ => Err(FileFailure::Io),
        }
    }

    fn stat(&mut self, tree: &str, path: &str) -> Result<FileStat, FileFailure> {
        match self.ask_files(tree, path, FileWish::Stat, &[])? {
            (FileAnswer::Stat(stat), _) => Ok(stat),
            _ => Err(FileFailure::Io),
        }
    }

    fn read(&mut self, tree: &str, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, FileFailure> {
        self.ask_files(tree, path, FileWish::Read { offset, length }, &[]).map(|(_, bytes)| bytes)
    }

    fn change(&mut self, tree: &str, path: &str, change: FileChange<'_>) -> Result<(), FileFailure> {
        let (want, body) = match change {
            FileChange::Write { offset, bytes } => (FileWish::Write { offset }, bytes),
            FileChange::Truncate(size) => (FileWish::Truncate(size), &[][..]),
            FileChange::SetMode(mode) => (FileWish::SetMode(mode), &[][..]),
            FileChange::MakeDirectory => (FileWish::MakeDirectory, &[][..]),
            FileChange::Rename(to) => (FileWish::Rename(to.to_owned()), &[][..]),
            FileChange::Remove => (FileWish::Remove, &[][..]),
        };
        self.ask_files(tree, path, want, body).map(|_| ())
    }
}
