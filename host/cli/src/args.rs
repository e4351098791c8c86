//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use godwit_files::TreeLimits;
use semver::Version;

/// Moves an application's data between versions, safely, with code that nobody has to trust.
#[derive(Debug, Parser)]
#[command(name = "godwit", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit status: 0 done · 2 usage or configuration · 3 refused by a rule, nothing touched · \
4 archive damaged · 5 a module failed or was stopped · 6 a database or file system failed · \
7 another run holds the lock · 130 interrupted")]
pub struct Args {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The command that makes a worker process of this program.
pub const WORKER: &str = "worker";

/// How results are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Tables and sentences.
    Human,
    /// One JSON document on standard output.
    Json,
}

/// Options of every command.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The configuration
    #[arg(long, global = true, value_name = "FILE", default_value = "godwit.toml", env = "GODWIT_CONFIG")]
    pub config: PathBuf,
    /// How results are shown
    #[arg(long = "output", global = true, value_enum, default_value = "human", value_name = "FORMAT")]
    pub format: Output,
    /// Append what happens to a file, a JSON document a line
    #[arg(long, global = true, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Show what modules log, too
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Show errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// No progress bars
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// Threads that transform records [default: one a core]
    #[arg(long, global = true, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub workers: usize,
    /// Where compiled modules are kept between runs [default: the user's cache directory]
    #[arg(long, global = true, value_name = "DIR", env = "GODWIT_CACHE")]
    pub cache: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented godwit.toml from what is there
    Init(Init),
    /// Back the application up into an archive
    Backup(Backup),
    /// Restore an archive into the application, under the version rule
    Restore(Restore),
    /// Make a new archive from an archive, at another version
    Migrate(Migrate),
    /// Show what a migration would do, proven on all the data; writes nothing
    Plan(Plan),
    /// Show what modules ask for, and approve them: none runs before
    Grants(Grants),
    /// Say what is in an archive
    Inspect(ArchiveOnly),
    /// Check every digest, and with --deep every record, of an archive
    Verify(Verify),
    /// Write the records as plain JSON lines into a new directory
    Export(Export),
    /// What a module's author does: begin, build, look at, check and test one
    #[command(subcommand)]
    Module(ModuleCommand),
    /// Play the whole story on a sample application, in a new folder
    Demo(Demo),
    /// Run modules for another godwit, which talks to it through pipes
    #[command(name = WORKER, hide = true)]
    Worker(Worker),
    /// Print a completion script for a shell
    Completions(Completions),
}

/// Which modules may be used, and what they may use up.
#[derive(Debug, ClapArgs)]
pub struct Modules {
    /// A directory of modules (*.wasm); may be repeated
    #[arg(long = "modules", value_name = "DIR", env = "GODWIT_MODULES")]
    pub directories: Vec<PathBuf>,
    /// A value for a module's parameter; JSON, or else text
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, serde_json::Value)>,
    /// Let a module lead across a major version
    #[arg(long)]
    pub across_major: bool,
    /// Let references lead nowhere, with a warning: the data may have had such before
    #[arg(long)]
    pub allow_dangling: bool,
    /// Memory for one instance of a module, in MiB
    #[arg(long, value_name = "MIB", default_value_t = godwit_sandbox::limits::MEMORY_BYTES >> 20)]
    pub module_memory: usize,
    /// Time for one call of a module, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = godwit_sandbox::limits::CALL_TIME.as_secs())]
    pub module_time: u64,
    /// Records that one call of a module may return, in MiB
    #[arg(long, value_name = "MIB", default_value_t = godwit_sandbox::limits::OUTPUT_BYTES >> 20)]
    pub module_output: usize,
    /// Rows that one query of a module may give
    #[arg(long, value_name = "ROWS", default_value_t = godwit_sandbox::limits::ROWS)]
    pub module_rows: u64,
    /// The private database of a module, in MiB
    #[arg(long, value_name = "MIB", default_value_t = godwit_sandbox::limits::SCRATCH_BYTES >> 20)]
    pub module_scratch: u64,
    /// Files that a module may write
    #[arg(long, value_name = "FILES", default_value_t = TreeLimits::default().files_written)]
    pub module_files: u64,
    /// What a module may write into files, in MiB
    #[arg(long, value_name = "MIB", default_value_t = TreeLimits::default().bytes_written >> 20)]
    pub module_file_size: u64,
}

fn version(text: &str) -> Result<Version, String> {
    Version::parse(text).map_err(|error| format!("write three numbers, such as 1.2.0 ({error})"))
}

/// The name of an archive to make; one that another program would take for compressed is a slip.
fn new_archive(text: &str) -> Result<PathBuf, String> {
    match [".gz", ".tgz", ".zst", ".xz", ".bz2", ".zip"].iter().find(|ending| text.ends_with(**ending)) {
        Some(ending) => Err(format!(
            "an archive is a folder, or one file that ends in .tar; it is compressed within, so leave out {ending}"
        )),
        None => Ok(text.into()),
    }
}

fn parameter(text: &str) -> Result<(String, serde_json::Value), String> {
    let (name, value) = text.split_once('=').ok_or("a parameter is NAME=VALUE")?;
    let json = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), json))
}

/// `godwit init`
#[derive(Debug, ClapArgs)]
pub struct Init {
    /// Databases: sqlite://path
    #[arg(required = true, value_name = "URL")]
    pub urls: Vec<String>,
    /// A file tree of the application; may be repeated
    #[arg(long, value_name = "DIR")]
    pub files: Vec<PathBuf>,
    /// The application's name [default: the first database's]
    #[arg(long)]
    pub name: Option<String>,
    /// The application's data version
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub data_version: Option<Version>,
    /// Show it, write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `godwit backup`
#[derive(Debug, ClapArgs)]
pub struct Backup {
    /// The archive to make; a name that ends in .tar makes one file [default: NAME-VERSION-TIME]
    #[arg(short = 'o', long = "archive", value_name = "ARCHIVE", value_parser = new_archive)]
    pub output: Option<PathBuf>,
    /// What to back up: all, db, files, or a name; may be repeated
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<String>,
    /// Collections and files to leave out; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// The application's data version, in place of godwit.toml's
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub target_version: Option<Version>,
    /// Read and count everything, write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `godwit restore`
#[derive(Debug, ClapArgs)]
pub struct Restore {
    /// The archive
    pub archive: PathBuf,
    /// What to restore: all, db, files, or a name; may be repeated
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<String>,
    /// The application's version, in place of godwit.toml's
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub target_version: Option<Version>,
    /// Replace the database and the file trees: what they hold now is gone, so back up first
    #[arg(long)]
    pub empty: bool,
    /// Restore older data as it is: the application upgrades it on its own
    #[arg(long)]
    pub without_migration: bool,
    /// Modules, for older data
    #[command(flatten)]
    pub modules: Modules,
    /// Do everything but write
    #[arg(long)]
    pub dry_run: bool,
}

/// `godwit migrate`
#[derive(Debug, ClapArgs)]
pub struct Migrate {
    /// The archive
    pub archive: PathBuf,
    /// The data version wanted
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub to: Version,
    /// The archive to make
    #[arg(short = 'o', long = "archive-out", value_name = "ARCHIVE", value_parser = new_archive)]
    pub output: PathBuf,
    /// Modules
    #[command(flatten)]
    pub modules: Modules,
    /// Do everything but write
    #[arg(long)]
    pub dry_run: bool,
}

/// `godwit plan`
#[derive(Debug, ClapArgs)]
pub struct Plan {
    /// The archive; none: the live application
    pub archive: Option<PathBuf>,
    /// The data version wanted
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub to: Version,
    /// Modules
    #[command(flatten)]
    pub modules: Modules,
}

/// `godwit grants`
#[derive(Debug, ClapArgs)]
pub struct Grants {
    /// The archive to be migrated; none: the live application
    pub archive: Option<PathBuf>,
    /// The data version wanted: only the modules that lead there [default: all modules]
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub to: Option<Version>,
    /// A directory of modules (*.wasm); may be repeated
    #[arg(long = "modules", value_name = "DIR", env = "GODWIT_MODULES")]
    pub directories: Vec<PathBuf>,
    /// Approve what is shown, without asking; written to godwit.lock beside the configuration
    #[arg(long)]
    pub approve: bool,
    /// Approve modules, too, that are not signed by a key of [modules] trust
    #[arg(long)]
    pub allow_unsigned: bool,
    /// Take the approval of a module back; may be repeated
    #[arg(long, value_name = "VENDOR/NAME", conflicts_with_all = ["archive", "to", "approve", "allow_unsigned"])]
    pub revoke: Vec<godwit_model::ModuleName>,
}

/// A command with an archive and nothing else.
#[derive(Debug, ClapArgs)]
pub struct ArchiveOnly {
    /// The archive
    pub archive: PathBuf,
}

/// `godwit verify`
#[derive(Debug, ClapArgs)]
pub struct Verify {
    /// The archive
    pub archive: PathBuf,
    /// Decompress and count every record, too
    #[arg(long)]
    pub deep: bool,
}

/// `godwit export`
#[derive(Debug, ClapArgs)]
pub struct Export {
    /// The archive; none: the live application
    pub archive: Option<PathBuf>,
    /// The directory to make
    #[arg(short = 'o', long = "directory", value_name = "DIR")]
    pub output: PathBuf,
    /// What of the live application: all, db, files, or a name; may be repeated
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<String>,
    /// Read and count everything, write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `godwit worker`
#[derive(Debug, ClapArgs)]
pub struct Worker {
    /// What a step of the chain may query
    #[arg(long, value_name = "STEP=FILE")]
    pub input: Vec<OsString>,
    /// Bytes of the private database of a step
    #[arg(long, value_name = "STEP=BYTES")]
    pub scratch: Vec<String>,
}

/// `godwit demo`
#[derive(Debug, ClapArgs)]
pub struct Demo {
    /// The folder to make
    #[arg(default_value = "godwit-demo")]
    pub folder: PathBuf,
    /// The directory that holds the sample application's modules
    #[arg(long, value_name = "DIR", env = "GODWIT_MODULES")]
    pub modules: PathBuf,
}

/// `godwit module`
#[derive(Debug, Subcommand)]
pub enum ModuleCommand {
    /// Write a crate that builds and passes its tests, to go on from
    New(ModuleNew),
    /// Make a component of a crate
    Build(ModuleBuild),
    /// Make a module of what another language's tools made: a core file or a component
    Pack(ModulePack),
    /// Say what a module does and asks for, without running it
    Inspect(ModuleInspect),
    /// Look for what a host would refuse, and for whatever is not deterministic
    Check(ModuleCheck),
    /// Build a crate and run its golden cases
    Test(ModuleTest),
    /// Make a key to sign with, in minisign's format
    Keygen(ModuleKeygen),
    /// Sign modules: writes FILE.wasm.minisig beside each
    Sign(ModuleSign),
    /// Check the signatures of modules
    Verify(ModuleVerify),
}

/// `godwit module new`
#[derive(Debug, ClapArgs)]
pub struct ModuleNew {
    /// The module's name: vendor/name, such as acme/shop-1.1
    #[arg(value_name = "VENDOR/NAME")]
    pub name: godwit_model::ModuleName,
    /// The data it takes: a version to start from, or a semver requirement
    #[arg(long, value_name = "VERSION")]
    pub from: String,
    /// The data version it makes
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub to: Version,
    /// Whose data [default: the name without vendor and version]
    #[arg(long, value_name = "NAME")]
    pub application: Option<String>,
    /// The folder to make [default: the name without its vendor]
    #[arg(long, value_name = "DIR")]
    pub path: Option<PathBuf>,
    /// The folder guest-sdk of a checkout of Godwit [default: of the checkout around the program, or around this folder]
    #[arg(long, value_name = "DIR", env = "GODWIT_SDK")]
    pub sdk: Option<PathBuf>,
}

/// `godwit module build`
#[derive(Debug, ClapArgs)]
pub struct ModuleBuild {
    /// The crate's folder
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// The file to write [default: modules/FOLDER.wasm in cargo's target directory]
    #[arg(short = 'o', long = "file", value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `godwit module pack`
#[derive(Debug, ClapArgs)]
pub struct ModulePack {
    /// What they made, still without a manifest
    #[arg(value_name = "FILE.wasm")]
    pub file: PathBuf,
    /// The manifest
    #[arg(long, value_name = "FILE.json", default_value = "module.json")]
    pub manifest: PathBuf,
    /// The file to write [default: FILE.module.wasm beside it]
    #[arg(short = 'o', long = "file", value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `godwit module inspect`
#[derive(Debug, ClapArgs)]
pub struct ModuleInspect {
    /// The module
    #[arg(value_name = "FILE.wasm")]
    pub module: PathBuf,
}

/// `godwit module check`
#[derive(Debug, ClapArgs)]
pub struct ModuleCheck {
    /// The module
    #[arg(value_name = "FILE.wasm")]
    pub module: PathBuf,
    /// A catalog to try it on: an archive, or its catalog.json
    #[arg(long, value_name = "ARCHIVE|FILE.json")]
    pub catalog: Option<PathBuf>,
    /// A folder of golden cases to run
    #[arg(long, value_name = "DIR")]
    pub cases: Option<PathBuf>,
    /// A value for a parameter; JSON, or else text
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, serde_json::Value)>,
}

/// `godwit module test`
#[derive(Debug, ClapArgs)]
pub struct ModuleTest {
    /// The crate's folder; its cases are in cases/
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Run this case only; may be repeated
    #[arg(long = "case", value_name = "NAME")]
    pub cases: Vec<String>,
    /// Test this file; build nothing
    #[arg(long, value_name = "FILE.wasm")]
    pub module: Option<PathBuf>,
    /// Make what the module returns the expectation; read it before you keep it
    #[arg(long)]
    pub bless: bool,
}

/// `godwit module keygen`
#[derive(Debug, ClapArgs)]
pub struct ModuleKeygen {
    /// The secret key to make; the public one is written beside it, as .pub
    #[arg(long, value_name = "FILE", default_value = "vendor.key")]
    pub key: PathBuf,
    /// A file that holds the password to protect it with [default: asked for at the terminal]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Protect it with no password: whoever reads the file can sign
    #[arg(long, conflicts_with = "password_file")]
    pub no_password: bool,
}

/// `godwit module sign`
#[derive(Debug, ClapArgs)]
pub struct ModuleSign {
    /// The modules
    #[arg(value_name = "FILE.wasm", required = true)]
    pub modules: Vec<PathBuf>,
    /// The secret key
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// A file that holds its password [default: asked for at the terminal]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// `godwit module verify`
#[derive(Debug, ClapArgs)]
pub struct ModuleVerify {
    /// The modules
    #[arg(value_name = "FILE.wasm", required = true)]
    pub modules: Vec<PathBuf>,
    /// A public key, or its file; may be repeated [default: [modules] trust of godwit.toml]
    #[arg(long = "public-key", value_name = "KEY|FILE")]
    pub public_keys: Vec<String>,
}

/// `godwit completions`
#[derive(Debug, ClapArgs)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Args;

    #[test]
    fn no_two_arguments_of_a_command_have_the_same_name() {
        Args::command().debug_assert();
    }
}
