//! `godwit init`

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

use godwit_model::Fault;
use serde_json::json;

use crate::args::Init;
use crate::session::Session;

pub fn run(session: &Session, args: &Init) -> Result<ExitCode, Fault> {
    let path = session.config_path();
    let text = configuration(args)?;
    match args.dry_run {
        true if path.symlink_metadata().is_ok() => return Err(exists(path)),
        true => {}
        false => write_new(path, &text)?,
    }
    session.show(&json!({ "command": "init", "config": path, "dry_run": args.dry_run, "text": text }), || {
        if args.dry_run {
            text.clone()
        } else {
            format!("wrote {}; look it over, then: godwit backup\n", path.display())
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// 0600: it may come to hold a password.
fn write_new(path: &Path, text: &str) -> Result<(), Fault> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(path),
        _ => Fault::system(format!("{} cannot be written: {error}", path.display())),
    })?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| Fault::system(format!("{} cannot be written: {error}", path.display())))
}

fn exists(path: &Path) -> Fault {
    Fault::refused(format!("{} exists; edit it, or name another with --config", path.display()))
}

fn configuration(args: &Init) -> Result<String, Fault> {
    let name = args.name.clone().unwrap_or_else(|| stem(&args.urls[0]));
    let mut text = format!("[application]\nname = {}\n", quoted(&name));
    match &args.data_version {
        Some(version) => {
            let _ = writeln!(text, "version = \"{version}\"");
        }
        None => text.push_str(VERSION_HINT),
    }
    for (i, url) in args.urls.iter().enumerate() {
        let key = if i == 0 { "main".to_owned() } else { key_of(&stem(url), i) };
        let _ = write!(text, "\n[databases.{key}]\nurl = {}\n", quoted(url));
        text.push_str(&collections(url)?);
        text.push_str("# exclude = [\"sessions\"]        # collections whose records are left out\n");
    }
    for (i, tree) in args.files.iter().enumerate() {
        let key = key_of(&tree.file_name().unwrap_or_default().to_string_lossy(), i + 1);
        let _ = write!(text, "\n[files.{key}]\npath = {}\n", quoted(&tree.to_string_lossy()));
        text.push_str("# exclude = [\"*.log\"]\n");
    }
    text.push_str(MODULES_HINT);
    Ok(text)
}

const VERSION_HINT: &str = "\
# The version of the application's data; one of:
# version = \"1.0.0\"
# version = { file = \"/opt/app/VERSION\" }
# version = { query = \"select value from app_meta where key = 'version'\", database = \"main\" }
";

const MODULES_HINT: &str = "
[modules]
# path = [\"modules\"]             # directories that hold the vendor's *.wasm
# trust = [\"RWQ…\"]              # the vendor's public key; `godwit grants` shows what the modules ask for

# What a module may have at most, whatever is approved. A key that is left out allows nothing of its kind;
# rewrites, creates and drops are not limited here: each approval shows them.
# [grants.\"vendor/name\"]
# read = [\"devices.id\"]           # what it may query; \"links\" covers \"links.device_a\"
# files = { config = \"read\" }     # the file trees that it may open; \"read-write\" covers \"read\"
# target = { devices = \"read\" }   # the collections of the live target that it may open
# scratch = false                 # whether it may keep a private database
";

fn collections(url: &str) -> Result<String, Fault> {
    let path = url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    if path.is_some_and(|path| !Path::new(path).exists()) {
        return Ok("# does not exist yet; a restore makes it\n".to_owned());
    }
    let mut text = String::new();
    for listed in godwit_database::list_collections(url)? {
        let rows = format!(", {} records", listed.rows);
        let _ = writeln!(text, "# {}{rows}", listed.name);
    }
    Ok(text)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn stem(url: &str) -> String {
    Path::new(url).file_stem().map_or_else(|| "application".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

fn key_of(name: &str, number: usize) -> String {
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect();
    if plain.is_empty() { format!("part{number}") } else { plain.to_lowercase() }
}
