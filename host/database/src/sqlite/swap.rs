//! How a new file takes the place of the live one, and how it gives it back.
//!
//! Beside the live file `shop.db` stand, while a run lasts, `.shop.db.godwit-new` (being built) and
//! `.shop.db.godwit-old` (the former state, from commit to settle). What if the power goes:
//!
//! 1. *while building*: the live file is untouched; the next run replaces the new file.
//! 2. *live file taken over*: SQLite has folded its WAL into it or rolled its journal back, so it is complete on
//!    its own. It is then switched to a rollback journal: whoever still has it open and writes is told by
//!    SQLite that the file has moved, where a WAL connection would write into the WAL of the new file.
//! 3. *side files removed, directory synced*: there is no WAL or journal left that SQLite could apply
//!    to the new file once that has the live name. Only from here on may it get it.
//! 4. *former state linked*: both names are the same file; the next run drops the link.
//! 5. *new file renamed over the live one*: atomic. The live name is the old or the new file, each complete.
//! 6. *directory synced*: committed. The former state stays until settled; the next run that
//!    commits finds the live file sound and drops it.
//!
//! Undoing goes the same way: take over, remove side files, sync, rename, sync.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use godwit_model::{Fault, FaultClass};

use super::error::{DatabaseError, Result, SqliteError, engine, files};
use super::open;
use super::raw::{Connection, Handle};

/// What SQLite keeps beside a database file.
const SIDE_FILES: [&str; 3] = ["-journal", "-wal", "-shm"];

/// The live file and what stands beside it.
pub(super) struct Site {
    pub(super) live: PathBuf,
    /// The file being built.
    pub(super) fresh: PathBuf,
    former: PathBuf,
    directory: PathBuf,
}

/// What is at the live path.
pub(super) enum Present {
    Missing,
    /// A database without tables.
    Empty,
    /// A database with this table among others.
    Tables(String),
    /// No database, or a damaged one.
    Damaged,
    /// It cannot be told without writing to it.
    Unknown(SqliteError),
}

/// A live file that was replaced.
#[derive(Clone, Copy)]
pub(super) struct Replaced {
    /// There was a live file before.
    former: bool,
    /// It used a WAL.
    wal: bool,
}

impl Site {
    /// Resolves links, so that the file itself is replaced and not a link to it.
    pub(super) fn new(path: &Path) -> Result<Self, Fault> {
        let live = resolve(path).map_err(files("finding", path))?;
        let (Some(directory), Some(name)) = (live.parent(), live.file_name()) else {
            return Err(files("finding", path)(ErrorKind::IsADirectory.into()));
        };
        let beside = |suffix: &str| {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(suffix);
            directory.join(hidden)
        };
        let (fresh, former) = (beside(".godwit-new"), beside(".godwit-old"));
        Ok(Self { fresh, former, directory: directory.to_owned(), live })
    }

    /// Looks at the live file without changing it.
    pub(super) fn present(&self) -> Present {
        match fs::metadata(&self.live) {
            Err(error) if error.kind() == ErrorKind::NotFound => Present::Missing,
            Ok(metadata) if metadata.len() == 0 => Present::Empty,
            _ => match first_table(&self.live) {
                Ok(None) => Present::Empty,
                Ok(Some(table)) => Present::Tables(table),
                Err(error) if error.is_unreadable() => Present::Damaged,
                Err(error) => Present::Unknown(error),
            },
        }
    }

    /// Refuses to go on where a former state may be the only sound one.
    pub(super) fn check_former(&self, present: &Present) -> Result<(), Fault> {
        let unsound = matches!(present, Present::Missing | Present::Damaged);
        if unsound && self.former.exists() && !self.is_former_the_live() {
            let (former, path) = (self.former.clone(), self.live.clone());
            return Err(Fault::refused(DatabaseError::Orphan { former, path }));
        }
        Ok(())
    }

    fn is_former_the_live(&self) -> bool {
        let identity = |path: &Path| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).ok();
        identity(&self.live).is_some_and(|live| identity(&self.former) == Some(live))
    }

    /// Makes the empty file to build in. What a killed run left is replaced; a run that goes on is not.
    pub(super) fn claim(&self) -> Result<(), Fault> {
        if is_being_built(&self.fresh) {
            return Err(Fault::new(FaultClass::Locked, DatabaseError::OtherRun(self.live.clone())));
        }
        self.discard()?;
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.fresh);
        made.map(drop).map_err(files("making", &self.fresh))
    }

    /// Removes the file being built.
    pub(super) fn discard(&self) -> Result<(), Fault> {
        remove_side_files(&self.fresh)?;
        remove(&self.fresh)
    }

    /// Makes the built file durable, with the mode and the owner of the live one.
    pub(super) fn seal(&self) -> Result<(), Fault> {
        let failed = || files("writing", &self.fresh);
        if let Ok(live) = fs::metadata(&self.live) {
            fs::set_permissions(&self.fresh, permissions(&self.fresh, &live)).map_err(failed())?;
        }
        File::open(&self.fresh).and_then(|file| file.sync_all()).map_err(failed())?;
        self.sync()
    }

    fn sync(&self) -> Result<(), Fault> {
        File::open(&self.directory)
            .and_then(|directory| directory.sync_all())
            .map_err(files("syncing", &self.directory))
    }

    /// Puts the new file in the live one's place.
    pub(super) fn publish(&self) -> Result<Replaced, Fault> {
        let seized = self.seize()?;
        let replaced = Replaced { former: seized.exists, wal: seized.wal };
        let published = self.exchange(&seized);
        drop(seized);
        if published.is_err() && replaced.wal && self.is_live_still_old() {
            restore_wal(&self.live)?;
        }
        published.map(|()| replaced)
    }

    fn is_live_still_old(&self) -> bool {
        self.fresh.exists()
    }

    fn exchange(&self, seized: &Seized) -> Result<(), Fault> {
        self.clear_side_files(seized)?;
        // Kept open until the live file is let go of: closing it would drop SQLite's locks with it.
        let _copied = if seized.exists { self.keep_former()? } else { None };
        self.sync()?;
        fs::rename(&self.fresh, &self.live).map_err(files("replacing", &self.live))?;
        self.sync().inspect_err(|_| self.take_back(seized.exists))
    }

    /// The rename may not last: leave what would have been there without it.
    fn take_back(&self, existed: bool) {
        let _ = if existed { fs::rename(&self.former, &self.live) } else { fs::remove_file(&self.live) };
    }

    /// A damaged file may need its WAL to be repaired: that goes aside with it.
    fn clear_side_files(&self, seized: &Seized) -> Result<(), Fault> {
        if seized.exists && seized.connection.is_none() {
            for suffix in SIDE_FILES {
                rename_if_there(&with_suffix(&self.live, suffix), &with_suffix(&self.former, suffix))?;
            }
        }
        remove_side_files(&self.live)?;
        self.sync()
    }

    fn keep_former(&self) -> Result<Option<File>, Fault> {
        remove(&self.former)?;
        match fs::hard_link(&self.live, &self.former) {
            Ok(()) => Ok(None),
            Err(_) => self.copy_former().map(Some).map_err(files("copying", &self.live)),
        }
    }

    /// For file systems without hard links.
    fn copy_former(&self) -> io::Result<File> {
        let mut live = File::open(&self.live)?;
        let mode = live.metadata()?.permissions();
        let mut former = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.former)?;
        io::copy(&mut live, &mut former)?;
        former.set_permissions(mode)?;
        former.sync_all()?;
        Ok(live)
    }

    /// Lets go of the former state.
    pub(super) fn settle(&self) -> Result<(), Fault> {
        remove_side_files(&self.former)?;
        remove(&self.former)?;
        self.sync()
    }

    /// Brings the former state back.
    pub(super) fn undo(&self, replaced: Replaced) -> Result<(), Fault> {
        let seized = self.seize()?;
        remove_side_files(&self.live)?;
        self.sync()?;
        if replaced.former {
            for suffix in SIDE_FILES {
                rename_if_there(&with_suffix(&self.former, suffix), &with_suffix(&self.live, suffix))?;
            }
            fs::rename(&self.former, &self.live).map_err(files("bringing back", &self.live))?;
        } else {
            remove(&self.live)?;
        }
        self.sync()?;
        drop(seized);
        if replaced.wal { restore_wal(&self.live) } else { Ok(()) }
    }

    /// Takes the live file away from everyone, complete in itself.
    fn seize(&self) -> Result<Seized, Fault> {
        match self.present() {
            Present::Missing => return Ok(Seized { connection: None, exists: false, wal: false }),
            // Opened for writing, SQLite would remove a WAL that may be of use yet.
            Present::Damaged => return Ok(Seized { connection: None, exists: true, wal: false }),
            Present::Empty | Present::Tables(_) | Present::Unknown(_) => {}
        }
        match seize(&self.live) {
            Ok((connection, wal)) => Ok(Seized { connection: Some(connection), exists: true, wal }),
            Err(error) if error.is_busy() => {
                Err(Fault::new(FaultClass::Locked, DatabaseError::InUse(self.live.clone())))
            }
            Err(error) if error.is_unreadable() => Ok(Seized { connection: None, exists: true, wal: false }),
            Err(error) => Err(engine("taking over", &self.live)(error)),
        }
    }
}

/// A live file that nobody else can use; none too, if there is no file.
struct Seized {
    /// Holds the lock; none for a damaged file.
    connection: Option<Connection>,
    exists: bool,
    wal: bool,
}

fn seize(live: &Path) -> Result<(Connection, bool)> {
    let mut connection = open::seizer(live)?;
    let handle = connection.lock()?;
    let wal = handle.scalar("PRAGMA main.journal_mode")? == "wal";
    // Out of WAL mode SQLite goes only when no other connection is there.
    expect_rollback(&handle.scalar("PRAGMA main.journal_mode = DELETE")?)?;
    if let Err(error) = hold(&handle) {
        // Someone came in between: leave the file as it was found, as far as they let us.
        if wal {
            let _ = handle.run("PRAGMA main.journal_mode = WAL");
        }
        return Err(error);
    }
    drop(handle);
    Ok((connection, wal))
}

/// Locks everyone out until the connection is closed.
fn hold(handle: &Handle<'_>) -> Result<()> {
    handle.run("BEGIN EXCLUSIVE")?;
    handle.scalar("SELECT count(*) FROM sqlite_schema")?;
    expect_rollback(&handle.scalar("PRAGMA main.journal_mode")?)
}

fn expect_rollback(mode: &str) -> Result<()> {
    match mode {
        "wal" => Err(SqliteError::new(libsqlite3_sys::SQLITE_BUSY, "another connection uses the WAL")),
        _ => Ok(()),
    }
}

fn restore_wal(live: &Path) -> Result<(), Fault> {
    let restore = || open::seizer(live)?.lock()?.run("PRAGMA journal_mode = WAL");
    restore().map_err(engine("bringing back", live))
}

fn first_table(path: &Path) -> Result<Option<String>> {
    let mut connection = open::read_only(path)?;
    let handle = connection.lock()?;
    let names = handle.query("SELECT name FROM sqlite_schema WHERE type = 'table'", &[], |row| row.string(0))?;
    Ok(names.into_iter().next())
}

/// A run that goes on holds an exclusive lock; a file that a killed run left has none.
fn is_being_built(fresh: &Path) -> bool {
    let try_lock = || open::finisher(fresh)?.lock()?.run("BEGIN EXCLUSIVE");
    fresh.exists() && try_lock().is_err_and(|error| error.is_busy())
}

/// The live file's mode. Where its group cannot be had, the group gets no rights.
fn permissions(fresh: &Path, live: &fs::Metadata) -> Permissions {
    let owned = chown(fresh, Some(live.uid()), Some(live.gid())).or_else(|_| chown(fresh, None, Some(live.gid())));
    let mode = live.mode() & 0o777;
    Permissions::from_mode(if owned.is_ok() { mode } else { mode & !0o070 })
}

fn resolve(path: &Path) -> io::Result<PathBuf> {
    match path.canonicalize() {
        // A link to nothing would be replaced itself.
        Err(error) if error.kind() == ErrorKind::NotFound && path.symlink_metadata().is_err() => {
            let name = path.file_name().ok_or(error)?;
            Ok(path.parent().unwrap_or(Path::new("/")).canonicalize()?.join(name))
        }
        resolved => resolved,
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn remove_side_files(path: &Path) -> Result<(), Fault> {
    SIDE_FILES.iter().try_for_each(|suffix| remove(&with_suffix(path, suffix)))
}

fn remove(path: &Path) -> Result<(), Fault> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(files("removing", path)(error)),
        _ => Ok(()),
    }
}

fn rename_if_there(from: &Path, to: &Path) -> Result<(), Fault> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(files("moving aside", from)(error)),
        _ => Ok(()),
    }
}
