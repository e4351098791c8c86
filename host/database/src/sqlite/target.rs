//! A database file as a target: built beside the live one, then put in its place.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use godwit_model::{
    Access, Catalog, Chunk, CollectionName, Database, DatabaseName, EngineKind, Fault, Form, RecordTarget,
    SqlConnection, Staged,
};

use super::build::{self, Piece, Trouble};
use super::error::{DatabaseError, SqliteError, engine};
use super::insert::Layout;
use super::open;
use super::raw::{Connection, Handle};
use super::references::Violations;
use super::session::{Grants, on_target};
use super::swap::{Present, Replaced, Site};
use crate::api::Replace;

/// A database to be replaced.
pub(crate) struct Target {
    name: DatabaseName,
    site: Site,
    stage: Stage,
}

enum Stage {
    Opened,
    Building(Box<Building>),
    /// Built, but not yet found to be sound.
    Closed,
    Prepared,
    Committed(Replaced),
    Done,
}

struct Building {
    connection: Connection,
    database: Database,
    layouts: HashMap<CollectionName, Layout>,
    wide: bool,
    /// What stands upon the records is there too.
    completed: bool,
    /// The connection is one for modules.
    amending: bool,
    /// The references that led nowhere before a module could change anything.
    before_modules: Option<Violations>,
}

impl Target {
    pub(crate) fn open(name: &DatabaseName, path: &Path, replace: Replace) -> Result<Self, Fault> {
        let site = Site::new(path)?;
        let present = site.present();
        site.check_former(&present)?;
        if replace == Replace::Never {
            refuse_tables(path, present)?;
        }
        Ok(Self { name: name.clone(), site, stage: Stage::Opened })
    }

    fn database<'a>(&self, catalog: &'a Catalog) -> Result<&'a Database, Fault> {
        let missing = || Fault::refused(DatabaseError::NoDatabase(self.name.clone()));
        let database = catalog.databases.get(&self.name).ok_or_else(missing)?;
        if database.engine != EngineKind::Sqlite {
            return Err(Fault::refused(DatabaseError::OtherEngine(database.engine)));
        }
        database.check().map_err(|error| Fault::refused(DatabaseError::Catalog(error)))?;
        Ok(database)
    }

    fn build(&self, database: &Database) -> Result<Building, Fault> {
        let failed = engine("building", &self.site.fresh);
        let settings = Settings::of(&database.settings)?;
        let mut connection = open::builder(&self.site.fresh).map_err(&failed)?;
        let handle = connection.lock().map_err(&failed)?;
        settings.before.iter().try_for_each(|setting| handle.run(setting)).map_err(&failed)?;
        handle.run("BEGIN EXCLUSIVE").map_err(&failed)?;
        create(&handle, build::tables(database), &failed)?;
        let wide = handle.scalar("PRAGMA encoding").map_err(&failed)? != "UTF-8";
        drop(handle);
        let layouts = database.collections.iter().map(|c| (c.name.clone(), Layout::of(c))).collect();
        let database = database.clone();
        Ok(Building { connection, database, layouts, wide, completed: false, amending: false, before_modules: None })
    }

    /// Checks the file as a stranger would find it, and gives it its journal mode.
    fn finish(&self, wal: bool) -> Result<(), Fault> {
        let failed = engine("checking", &self.site.fresh);
        let mut connection = open::finisher(&self.site.fresh).map_err(&failed)?;
        let handle = connection.lock().map_err(&failed)?;
        let problem = handle.scalar("PRAGMA quick_check(1)").map_err(&failed)?;
        if problem != "ok" {
            let path = self.site.live.clone();
            return Err(Fault::system(DatabaseError::Check { path, problem }));
        }
        if wal {
            handle.run("PRAGMA journal_mode = WAL").map_err(&failed)?;
        }
        Ok(())
    }
}

fn refuse_tables(path: &Path, present: Present) -> Result<(), Fault> {
    match present {
        Present::Missing | Present::Empty => Ok(()),
        Present::Tables(table) => Err(Fault::refused(DatabaseError::NotEmpty { path: path.to_owned(), table })),
        Present::Damaged => Err(Fault::refused(DatabaseError::NotDatabase(path.to_owned()))),
        Present::Unknown(error) => Err(engine("reading", path)(error)),
    }
}

fn create(handle: &Handle<'_>, pieces: Vec<Piece<'_>>, failed: &impl Fn(SqliteError) -> Fault) -> Result<(), Fault> {
    let fault = |piece: &Piece<'_>, trouble| {
        let (kind, name) = (piece.kind().to_owned(), piece.name().to_owned());
        match trouble {
            Trouble::Definition(message) => Fault::refused(DatabaseError::Definition { kind, name, message }),
            Trouble::Records(message) => Fault::system(DatabaseError::Definition { kind, name, message }),
            Trouble::Engine(error) => failed(error),
        }
    };
    pieces.into_iter().try_for_each(|piece| piece.create(handle).map_err(|trouble| fault(&piece, trouble)))
}

impl Building {
    /// Everything that comes after the records. The transaction stays open.
    fn complete(&mut self, failed: &impl Fn(SqliteError) -> Fault) -> Result<(), Fault> {
        let settings = Settings::of(&self.database.settings)?;
        let handle = self.connection.lock().map_err(failed)?;
        build::set_sequences(&handle, &self.database).map_err(|trouble| match trouble {
            Trouble::Engine(error) => failed(error),
            Trouble::Definition(message) | Trouble::Records(message) => {
                let (kind, name) = ("table".to_owned(), "sqlite_sequence".to_owned());
                Fault::refused(DatabaseError::Definition { kind, name, message })
            }
        })?;
        create(&handle, build::objects(&self.database), failed)?;
        settings.after.iter().try_for_each(|setting| handle.run(setting)).map_err(failed)?;
        drop(handle);
        self.completed = true;
        Ok(())
    }

    /// Makes ready for statements that may fail half-way. Without a journal those would leave a damaged file, and a
    /// connection does not know the virtual tables that it wrote into its schema: so the transaction ends
    /// here, in a file that nobody sees yet, and another begins on another connection.
    fn admit_modules(&mut self, path: &Path) -> Result<(), SqliteError> {
        self.connection.lock()?.run("COMMIT")?;
        drop(std::mem::replace(&mut self.connection, open::memory()?)); // lets go of the file
        self.connection = open::amender(path)?;
        self.connection.lock()?.run("BEGIN EXCLUSIVE")?;
        self.amending = true;
        Ok(())
    }

    /// A connection for a module that may touch these collections.
    fn session(
        &mut self,
        path: &Path,
        access: &BTreeMap<CollectionName, Access>,
    ) -> Result<Box<dyn SqlConnection + '_>, SqliteError> {
        if !self.amending {
            self.admit_modules(path)?;
        }
        let handle = self.connection.lock()?;
        if self.before_modules.is_none() && access.values().any(|access| *access == Access::ReadWrite) {
            self.before_modules = Some(Violations::find(&handle)?);
        }
        let grants = Grants::of(&handle, access)?;
        drop(handle);
        on_target(&mut self.connection, grants)
    }

    /// Ends the transaction; what modules wrote must refer to what is there.
    fn end(&mut self, failed: &impl Fn(SqliteError) -> Fault) -> Result<bool, Fault> {
        let wal = Settings::of(&self.database.settings)?.wal;
        let handle = self.connection.lock().map_err(failed)?;
        if !handle.in_transaction() {
            return Err(Fault::module(DatabaseError::RolledBack));
        }
        if let Some(before) = &self.before_modules {
            let after = Violations::find(&handle).map_err(failed)?;
            if let Some(found) = after.beyond(before) {
                return Err(Fault::module(DatabaseError::Reference(found)));
            }
        }
        handle.run("COMMIT").map_err(failed)?;
        Ok(wal)
    }
}

impl RecordTarget for Target {
    fn form(&self) -> Form {
        Form::Lines
    }

    fn begin(&mut self, catalog: &Catalog) -> Result<(), Fault> {
        let Stage::Opened = self.stage else { return Err(out_of_turn("begin")) };
        let database = self.database(catalog)?;
        self.site.claim()?;
        match self.build(database) {
            Ok(building) => {
                self.stage = Stage::Building(Box::new(building));
                Ok(())
            }
            Err(fault) => {
                let _ = self.site.discard();
                Err(fault)
            }
        }
    }

    fn write(&mut self, chunk: Chunk) -> Result<(), Fault> {
        let building = match &mut self.stage {
            Stage::Building(building) if !building.completed => building,
            _ => return Err(out_of_turn("write")),
        };
        let id = &chunk.collection;
        let layout = building.layouts.get_mut(&id.name).filter(|_| id.database == self.name);
        let layout = layout.ok_or_else(|| Fault::damaged(DatabaseError::NoCollection(id.to_string())))?;
        let failed = engine("building", &self.site.fresh);
        let lines = chunk.body.into_lines()?;
        let handle = building.connection.lock().map_err(&failed)?;
        layout.insert(&handle, &lines, building.wide, &failed)
    }

    fn complete(&mut self) -> Result<(), Fault> {
        match &mut self.stage {
            Stage::Building(building) if !building.completed => {
                building.complete(&engine("building", &self.site.fresh))
            }
            _ => Err(out_of_turn("complete")),
        }
    }

    fn session(
        &mut self,
        database: &DatabaseName,
        access: &BTreeMap<CollectionName, Access>,
    ) -> Result<Option<Box<dyn SqlConnection + '_>>, Fault> {
        if *database != self.name {
            return Ok(None);
        }
        let Stage::Building(building) = &mut self.stage else { return Err(out_of_turn("session")) };
        if !building.completed {
            return Err(out_of_turn("session"));
        }
        if let Some(missing) = access.keys().find(|name| building.database.collection(name.as_str()).is_none()) {
            return Err(Fault::refused(DatabaseError::NoCollection(missing.to_string())));
        }
        let failed = engine("opening", &self.site.fresh);
        building.session(&self.site.fresh, access).map(Some).map_err(&failed)
    }
}

impl Staged for Target {
    fn prepare(&mut self) -> Result<(), Fault> {
        let Stage::Building(building) = &mut self.stage else { return Err(out_of_turn("prepare")) };
        let failed = engine("building", &self.site.fresh);
        if !building.completed {
            building.complete(&failed)?;
        }
        let wal = building.end(&failed)?;
        // Closes the connection: what follows looks at the file from outside.
        self.stage = Stage::Closed;
        self.finish(wal)?;
        self.site.seal()?;
        self.stage = Stage::Prepared;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Fault> {
        let Stage::Prepared = self.stage else { return Err(out_of_turn("commit")) };
        self.stage = Stage::Committed(self.site.publish()?);
        Ok(())
    }

    fn settle(&mut self) -> Result<(), Fault> {
        let Stage::Committed(_) = self.stage else { return Err(out_of_turn("settle")) };
        self.site.settle()?;
        self.stage = Stage::Done;
        Ok(())
    }

    fn undo(&mut self) -> Result<(), Fault> {
        let Stage::Committed(replaced) = self.stage else { return Err(out_of_turn("undo")) };
        self.site.undo(replaced)?;
        self.stage = Stage::Done;
        Ok(())
    }
}

fn out_of_turn(step: &'static str) -> Fault {
    Fault::system(DatabaseError::OutOfTurn(step))
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Stage::Building(_) | Stage::Closed | Stage::Prepared = self.stage {
            self.stage = Stage::Done; // closes the connection first
            let _ = self.site.discard();
        }
    }
}

/// The settings of a catalog as statements, each checked.
struct Settings {
    /// In this order: a page size is taken only before anything else.
    before: Vec<String>,
    after: Vec<String>,
    wal: bool,
}

const BEFORE: [&str; 3] = ["page_size", "auto_vacuum", "encoding"];
const AFTER: [&str; 2] = ["user_version", "application_id"];

impl Settings {
    fn of(settings: &BTreeMap<String, String>) -> Result<Self, Fault> {
        settings.iter().try_for_each(|(name, value)| check_setting(name, value))?;
        let statement = |name: &&str| Some(format!("PRAGMA {name} = '{}'", settings.get(*name)?));
        Ok(Self {
            before: BEFORE.iter().filter_map(statement).collect(),
            after: AFTER.iter().filter_map(statement).collect(),
            wal: settings.get("journal_mode").is_some_and(|mode| mode == "wal"),
        })
    }
}

/// What is not known is not used, and so need not be checked.
fn check_setting(name: &str, value: &str) -> Result<(), Fault> {
    let fits = match name {
        "page_size" => value.parse::<u32>().is_ok_and(|size| size.is_power_of_two() && (512..=65536).contains(&size)),
        "encoding" => matches!(value, "UTF-8" | "UTF-16le" | "UTF-16be"),
        "auto_vacuum" => matches!(value, "0" | "1" | "2"),
        "journal_mode" => matches!(value, "wal" | "delete"),
        "user_version" | "application_id" => value.parse::<i32>().is_ok(),
        _ => true,
    };
    let wrong = || DatabaseError::Setting { name: name.to_owned(), value: value.to_owned() };
    if fits { Ok(()) } else { Err(Fault::refused(wrong())) }
}
