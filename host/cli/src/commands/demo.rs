//! `godwit demo`: the whole story on a sample application, told with the commands a user would type.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use godwit_model::Fault;
use godwit_trust::PublicKey;

use crate::args::Demo;
use crate::session::Session;

const SCHEMA: &str = include_str!("../../../../migrations-wasm/inventory-1.0-to-1.1/schema-1.0.sql");
const SAMPLE: &str = include_str!("../../../../migrations-wasm/inventory-1.0-to-1.1/sample-1.0.sql");

pub fn run(session: &Session, args: &Demo) -> Result<ExitCode, Fault> {
    let demo = Story::new(args)?;
    demo.make_application("old", "1.0.0")?;
    say("An inventory application at 1.0.0: an SQLite database and a folder of configuration.");

    say("Back it up, while the application goes on writing.");
    let written = demo.while_writing(|| demo.godwit("old/godwit.toml", &["backup", "-o", "inventory-1.0.0.tar"]))?;
    println!("  (the application wrote {written} rows meanwhile; the archive holds one moment of them)");
    demo.godwit("old/godwit.toml", &["verify", "inventory-1.0.0.tar"])?;

    say("The vendor ships its migration modules, signed with the vendor's key.");
    demo.sign_modules()?;

    say("The operator trusts that key; what do the modules ask for? Nothing of them has run yet.");
    demo.trust_vendor()?;
    let grants = ["grants", "inventory-1.0.0.tar", "--to", "1.2.0", "--modules", MODULES];
    demo.godwit_refused("old/godwit.toml", &grants)?;
    say("Approved, once: from now on these files may run, with these wishes, and no others.");
    demo.godwit("old/godwit.toml", &[&["-q"], &grants[..], &["--approve"]].concat())?;

    say("What would the upgrade to 1.2.0 change? A dry run over all the data, in the sandbox; nothing is written.");
    demo.godwit("old/godwit.toml", &["plan", "inventory-1.0.0.tar", "--to", "1.2.0", "--modules", MODULES])?;

    say("Do it, from archive to archive: the backup stays as it is.");
    let migrate =
        ["migrate", "inventory-1.0.0.tar", "--to", "1.2.0", "-o", "inventory-1.2.0.tar", "--modules", MODULES];
    demo.godwit("old/godwit.toml", &migrate)?;
    demo.godwit("old/godwit.toml", &["inspect", "inventory-1.2.0.tar"])?;

    say("Restore it into a fresh installation of 1.2.0.");
    demo.write_config("new", "1.2.0")?;
    demo.godwit("new/godwit.toml", &["restore", "inventory-1.2.0.tar"])?;

    say("The version rule: newer data never goes into an older application.");
    demo.godwit_refused(
        "old/godwit.toml",
        &["restore", "inventory-1.2.0.tar", "--target-version", "1.0.0", "--empty"],
    )?;

    say("The difference, in the records themselves.");
    demo.difference(session)?;
    say(&format!("All of it is in {}.", demo.folder.display()));
    Ok(ExitCode::SUCCESS)
}

fn say(text: &str) {
    println!("\n\u{2500}\u{2500} {text}");
}

/// The vendor's modules, in the demo's folder.
const MODULES: &str = "modules";

struct Story {
    folder: PathBuf,
    /// Where they are copied from.
    modules: PathBuf,
}

impl Story {
    fn new(args: &Demo) -> Result<Self, Fault> {
        let modules = args.modules.canonicalize().map_err(|error| {
            Fault::usage(format!("the module directory {} cannot be opened: {error}", args.modules.display()))
        })?;
        fs::create_dir(&args.folder).map_err(|error| {
            Fault::refused(format!("the folder {} cannot be made: {error}; name another", args.folder.display()))
        })?;
        let folder = args.folder.canonicalize().map_err(Fault::system)?;
        Ok(Self { folder, modules })
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.folder.join("old/inventory.db").display())
    }

    fn make_application(&self, name: &str, version: &str) -> Result<(), Fault> {
        self.write_config(name, version)?;
        let made = Self::make_files(&self.folder.join(name).join("config"));
        made.map_err(|error| Fault::system(format!("the sample's files cannot be made: {error}")))?;
        godwit_database::run_script(&self.url(), "PRAGMA journal_mode = WAL")?;
        godwit_database::run_script(&self.url(), SCHEMA)?;
        godwit_database::run_script(&self.url(), SAMPLE)
    }

    fn make_files(config: &Path) -> std::io::Result<()> {
        fs::create_dir_all(config.join("sites"))?;
        fs::write(config.join("inventory.conf"), "listen = 127.0.0.1:8080\ntheme = plain\n")?;
        fs::write(config.join("sites/dc1.conf"), "racks = 12\n")?;
        symlink("sites/dc1.conf", config.join("default.conf"))
    }

    fn write_config(&self, name: &str, version: &str) -> Result<(), Fault> {
        let text = format!(
            "[application]\nname = \"inventory\"\nversion = \"{version}\"\n\n\
             [databases.main]\nurl = \"sqlite://inventory.db\"\n\n[files.config]\npath = \"config\"\n"
        );
        let folder = self.folder.join(name);
        let written = fs::create_dir(&folder).and_then(|()| fs::write(folder.join("godwit.toml"), text));
        written.map_err(|error| Fault::system(format!("{} cannot be written: {error}", folder.display())))
    }

    /// What a vendor does: the modules are copied, so that no file is written where they came from.
    fn sign_modules(&self) -> Result<(), Fault> {
        let copied = self.copy_modules();
        let names = copied.map_err(|error| Fault::system(format!("the modules cannot be copied: {error}")))?;
        self.godwit("old/godwit.toml", &["-q", "module", "keygen", "--key", "vendor.key", "--no-password"])?;
        let files: Vec<_> = names.iter().map(|name| format!("{MODULES}/{name}")).collect();
        let mut words = vec!["module", "sign", "--key", "vendor.key"];
        words.extend(files.iter().map(String::as_str));
        self.godwit("old/godwit.toml", &words)
    }

    fn copy_modules(&self) -> std::io::Result<Vec<String>> {
        let to = self.folder.join(MODULES);
        fs::create_dir(&to)?;
        let mut names = vec![];
        for entry in fs::read_dir(&self.modules)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with("inventory-") && path.extension().is_some_and(|extension| extension == "wasm") {
                fs::copy(&path, to.join(&name))?;
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn trust_vendor(&self) -> Result<(), Fault> {
        let key = PublicKey::load(&self.folder.join("vendor.pub"))?;
        let path = self.folder.join("old/godwit.toml");
        let line = format!("\n[modules]\ntrust = [\"{key}\"]\n");
        println!("{line}");
        let added =
            fs::OpenOptions::new().append(true).open(&path).and_then(|mut file| file.write_all(line.as_bytes()));
        added.map_err(|error| Fault::system(format!("{} cannot be written: {error}", path.display())))
    }

    /// Runs `work` while another thread writes to the database like the application would.
    fn while_writing(&self, work: impl FnOnce() -> Result<(), Fault>) -> Result<u64, Fault> {
        let (url, done, rows) = (self.url(), AtomicBool::new(false), AtomicU64::new(0));
        thread::scope(|scope| {
            let application = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    godwit_database::run_script(&url, ONE_WRITE)?;
                    rows.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(1));
                }
                Ok::<(), Fault>(())
            });
            let result = work();
            done.store(true, Ordering::Relaxed);
            let wrote = application.join().unwrap_or_else(|_| Err(Fault::system("the writing thread was lost")));
            result.and(wrote)
        })?;
        Ok(rows.into_inner())
    }

    fn command(&self, config: &str, words: &[&str]) -> Result<Command, Fault> {
        println!("$ godwit --config {config} {}", words.join(" "));
        let mut command = Command::new(std::env::current_exe().map_err(Fault::system)?);
        command.current_dir(&self.folder).args(["--config", config]).args(words).stdin(Stdio::null());
        command.env_remove("GODWIT_CONFIG").env_remove("GODWIT_MODULES");
        Ok(command)
    }

    fn godwit(&self, config: &str, words: &[&str]) -> Result<(), Fault> {
        let status = self.command(config, words)?.status().map_err(Fault::system)?;
        if status.success() { Ok(()) } else { Err(Fault::system(format!("the command ended with {status}"))) }
    }

    fn godwit_refused(&self, config: &str, words: &[&str]) -> Result<(), Fault> {
        let status = self.command(config, words)?.stderr(Stdio::inherit()).status().map_err(Fault::system)?;
        println!("  ({status})");
        if status.code() == Some(3) { Ok(()) } else { Err(Fault::system("the command was not refused")) }
    }

    fn difference(&self, session: &Session) -> Result<(), Fault> {
        session.progress.clear();
        for version in ["1.0.0", "1.2.0"] {
            self.godwit("old/godwit.toml", &["-q", "export", &format!("inventory-{version}.tar"), "-o", version])?;
        }
        for collection in ["users", "devices", "links"] {
            println!("{collection}");
            for version in ["1.0.0", "1.2.0"] {
                let path = self.folder.join(version).join("main").join(format!("{collection}.jsonl"));
                let text =
                    fs::read_to_string(&path).map_err(|error| Fault::system(format!("{}: {error}", path.display())))?;
                println!("  {version}  {}", text.lines().next().unwrap_or("(no record)"));
            }
        }
        Ok(())
    }
}

const ONE_WRITE: &str = "INSERT INTO audit_log (at, actor, action, detail) \
VALUES ('2026-01-01 00:00:00', 'demo', 'login', 'written while the backup runs')";
