//! Where attacks are tried: a folder with one hostile module and a good archive.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use godwit_tests::{Shop, godwit, guests, tree, with_manifest};
use serde_json::Value;
use tempfile::TempDir;

use crate::table::Watched;

/// What the program may take, whatever a module does: its own needs, and the module's limit for two workers.
const MEMORY_MIB: u64 = 400;

/// Time in which a run must be over whose module may take a second a call.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder with `modules/hostile.wasm`, for one attack.
pub(crate) struct Range {
    dir: TempDir,
    name: &'static str,
    archive: PathBuf,
}

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Range {
    pub(crate) fn new(module: &[u8]) -> Self {
        let dir = tempfile::Builder::new().prefix("range").tempdir().expect("there is room for temporary files");
        let range = Self { dir, name: "", archive: archive().to_owned() };
        fs::create_dir(range.path("modules")).expect("a new folder can be filled");
        range.add("hostile", module);
        range
    }

    /// The same with a live application at 1.1.0, whose data differ from those of the archive.
    pub(crate) fn live(module: &[u8]) -> Self {
        let range = Self::new(module);
        let shop = Shop::new();
        shop.sql("DELETE FROM audit_log; UPDATE devices SET notes = 'live'");
        let configuration = fs::read_to_string(shop.path("godwit.toml")).expect("a sample has its configuration");
        range.write("godwit.toml", &configuration.replace("\"1.0.0\"", "\"1.1.0\""));
        range.write("config/inventory.conf", "listen = 0.0.0.0:1\n");
        range.write("config/live.conf", "kept = yes\n");
        fs::copy(shop.database(), range.path("inventory.db")).expect("a database that nobody uses can be copied");
        range
    }

    /// What the attack is called in the table of measurements.
    pub(crate) fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// With another archive.
    pub(crate) fn on(self, archive: PathBuf) -> Self {
        Self { archive, ..self }
    }

    /// Adds `modules/NAME.wasm`.
    pub(crate) fn add(&self, name: &str, module: &[u8]) {
        fs::write(self.path("modules").join(format!("{name}.wasm")), module).expect("a new folder can be filled");
        self.approve();
    }

    /// As a careless operator would; what cannot be read cannot be approved either, and a run says the same of it.
    fn approve(&self) {
        let mut grants = godwit();
        grants.args(["grants", "--modules", "modules", "--approve", "--allow-unsigned"]);
        godwit_tests::run(grants.current_dir(self.dir.path()));
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        let folder = path.parent().expect("it is in a folder");
        fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).expect("a new folder can be filled");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts a command on the good archive; what it says goes to files beside the folder.
    pub(crate) fn start(&self, command: &str, options: &[&str]) -> Running {
        let said = tempfile::tempdir().expect("there is room for temporary files");
        let file = |name: &str| File::create(said.path().join(name)).expect("a new folder can be filled");
        let mut program = godwit();
        program.current_dir(self.dir.path()).arg(command).arg(&self.archive).args(["--modules", "modules"]);
        program.args(match command {
            "migrate" => &["--to", "1.1.0", "-o", "new"][..],
            "restore" => &["--empty"],
            _ => &["--to", "1.1.0"],
        });
        program.args(options);
        let child = program.stdout(file("out")).stderr(file("err")).spawn().expect("the program can be started");
        Running { child, said, watched: Watched::new(self.name, command) }
    }

    /// Runs a command to its end, and holds it to what every run is held to.
    #[track_caller]
    pub(crate) fn run(&self, command: &str, options: &[&str]) -> Ended {
        let before = (tree(self.dir.path()), digest_of_archive());
        let ended = self.start(command, options).ended();
        if ended.status != Some(0) || command == "plan" {
            assert_eq!(tree(self.dir.path()), before.0, "something was left behind\n{}", ended.stderr);
        }
        assert_eq!(digest_of_archive(), before.1, "the source archive was changed");
        ended
    }

    /// The records of a collection in the archive that `migrate` made.
    pub(crate) fn records(&self, collection: &str) -> String {
        let mut export = godwit();
        export.current_dir(self.dir.path()).args(["export", "new", "-o", "plain"]);
        godwit_tests::run(&mut export).succeeded();
        let text = fs::read_to_string(self.path("plain/main").join(format!("{collection}.jsonl")));
        fs::remove_dir_all(self.path("plain")).expect("what was made can be removed");
        text.unwrap_or_else(|error| panic!("{collection}: {error}"))
    }
}

/// A run under way.
pub(crate) struct Running {
    pub(crate) child: Child,
    said: TempDir,
    watched: Watched,
}

impl Running {
    #[track_caller]
    pub(crate) fn ended(mut self) -> Ended {
        let status = wait(&mut self.child, &mut self.watched);
        let text =
            |name: &str| fs::read_to_string(self.said.path().join(name)).expect("what the program writes is UTF-8");
        let ended = Ended { status: status.code(), stdout: text("out"), stderr: text("err") };
        self.watched.write(&ended);
        assert!(self.watched.peak < MEMORY_MIB, "it took {} MiB\n{}", self.watched.peak, ended.stderr);
        ended
    }
}

fn wait(child: &mut Child, watched: &mut Watched) -> ExitStatus {
    loop {
        watched.look(child.id());
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return status;
        }
        if watched.since.elapsed() > PATIENCE {
            child.kill().and_then(|()| child.wait()).expect("a child can be killed");
            panic!("it ran longer than {} s", PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(3));
    }
}

/// An archive of the sample application at 1.0.0; made once, never to be changed.
pub(crate) fn archive() -> &'static Path {
    static ARCHIVE: OnceLock<(Shop, PathBuf)> = OnceLock::new();
    let (_, path) = ARCHIVE.get_or_init(|| {
        let shop = Shop::new();
        for (target, name) in [("/etc/passwd", "passwd"), ("/etc", "etc"), ("..", "up")] {
            symlink(target, shop.path("config").join(name)).expect("a new folder can be filled");
        }
        shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
        let path = shop.path("old.tar");
        (shop, path)
    });
    path
}

fn digest_of_archive() -> String {
    let folder = archive().parent().expect("the archive lies in a folder");
    format!("{:?}", tree(folder))
}

/// The misbehaving module with its manifest changed.
pub(crate) fn hostile(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    static MODULE: OnceLock<Vec<u8>> = OnceLock::new();
    let module = MODULE.get_or_init(|| fs::read(guests().join("hostile.wasm")).expect("the guests are built"));
    with_manifest(module, &manifest(change))
}

/// The manifest of the misbehaving module, changed.
pub(crate) fn manifest(change: impl FnOnce(&mut Value)) -> Value {
    let mut manifest = serde_json::from_str(hostile_guest::MANIFEST).expect("the guest's manifest is JSON");
    change(&mut manifest);
    manifest
}

/// What was said, without what differs from machine to machine and from build to build.
pub(crate) fn filtered(range: &Range, ended: &Ended) -> String {
    let folder = range.path("").display().to_string();
    let known = ended.stderr.replace(&folder, "").replace(&range.archive.display().to_string(), "old.tar");
    let lines: Vec<_> = known.lines().filter(|line| !is_inner_frame(line)).map(shortened).collect();
    format!("exit status {}\n{}", ended.status.map_or("none".to_owned(), |status| status.to_string()), lines.join("\n"))
}

/// Frames of the standard library and the SDK change with either; those of the module stay.
fn is_inner_frame(line: &str) -> bool {
    line.starts_with("    at ") && !line.contains("hostile_guest::") && !line.contains("hand-made")
}

fn shortened(line: &str) -> String {
    let line = &without_offsets(line);
    let mut text: String = line.chars().take(300).collect();
    if text.len() < line.len() {
        text.push_str(" [cut for this file]");
    }
    // Where in its source a module panicked moves with every change of it.
    match (text.find(".rs:"), text.find(":\u{fffd}").or(text.rfind(':'))) {
        (Some(start), Some(_)) => {
            let rest = text[start + 4..].trim_start_matches(|c: char| c.is_ascii_digit() || c == ':').to_owned();
            format!("{}.rs:[place]{rest}", &text[..start])
        }
        _ => text,
    }
}

/// Where in a file something is wrong, and in which of its functions, moves with every change of the guest.
fn without_offsets(line: &str) -> String {
    if let Some((before, after)) = line.split_once("wasm[0]::function[")
        && let Some((_, problem)) = after.split_once(": WebAssembly translation error")
    {
        let problem = problem.split_once(" at offset ").map_or(problem, |(problem, _)| problem);
        return format!("{before}[function]: WebAssembly translation error{problem} at [place]");
    }
    match line.split_once("(at offset 0x") {
        Some((before, _)) => format!("{before}(at [place])"),
        None => line.to_owned(),
    }
}
