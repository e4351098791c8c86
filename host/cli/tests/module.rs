//! `godwit module` as an author uses it, from nothing to a module that is shipped.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of this test run, with nothing in it.
fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What is built and compiled is kept from one run to the next; the modules' folders have the same names again.
fn kept_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).unwrap();
    folder
}

fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    let foreign = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        name.starts_with("GODWIT_") || name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    });
    for (name, _) in foreign {
        command.env_remove(name);
    }
    command.env("CARGO_TARGET_DIR", kept_folder("vendor-target")).env("GODWIT_CACHE", kept_folder("cache"));
    command.current_dir(folder);
    command
}

fn godwit(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let output = command(env!("CARGO_BIN_EXE_godwit"), folder).args(["module"]).args(words).output().unwrap();
    told(&output)
}

fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[track_caller]
fn succeeded((status, stdout, stderr): (i32, String, String)) -> String {
    assert_eq!(status, 0, "{stdout}\n{stderr}");
    stdout
}

/// Changes a file as its author would.
fn edit(path: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(old), "{text}");
    fs::write(path, text.replace(old, new)).unwrap();
}

/// Makes a module; the SDK is the one of the checkout that this test is in.
fn new_module(folder: &Path) -> PathBuf {
    let path = folder.join("shop-1.1");
    let words = ["new", "acme/shop-1.1", "--from", "1.0", "--to", "1.1.0", "--path"];
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let said = succeeded(godwit(here, &[&words[..], &[path.to_str().unwrap()]].concat()));
    assert!(said.contains("acme/shop-1.1 takes shop data >=1.0.0, <1.1.0 to 1.1.0"), "{said}");
    path
}

#[test]
fn from_nothing_to_a_module() {
    let folder = empty_folder("from-nothing");
    let module = new_module(&folder);

    // It passes its tests as it is: those of the sandbox, and its own.
    assert_eq!(
        succeeded(godwit(&module, &["test"])),
        "passed   sample: Names of products and customers\n1 passed, 0 failed\n"
    );
    let native = command("cargo", &module).args(["test", "--quiet"]).output().unwrap();
    assert!(native.status.success(), "{}", told(&native).2);

    // It is built, and says what it is.
    let built = succeeded(godwit(&module, &["build", "-o", "out/shop-1.1.wasm"]));
    let inspected = succeeded(godwit(&module, &["inspect", "out/shop-1.1.wasm"]));
    let digest = inspected.lines().find_map(|line| line.trim().strip_prefix("sha256")).unwrap().trim();
    assert!(built.contains(digest) && built.contains("imports  godwit:migration/"), "{built}");
    for part in
        ["takes         shop data >=1.0.0, <1.1.0 to 1.1.0", "rewrites      customers, products", "may see it: no"]
    {
        assert!(inspected.contains(part), "{inspected}");
    }
    let words = ["check", "out/shop-1.1.wasm", "--cases", "cases", "--catalog", "cases/sample/catalog.json"];
    let checked = succeeded(godwit(&module, &words));
    assert!(checked.contains("48 records made up for products, each given twice: 48 taken"), "{checked}");
    assert!(checked.contains("the case sample is as expected"), "{checked}");

    a_wrong_expectation_is_shown(&module);
    what_a_module_keeps_between_calls_is_found(&module);
}

fn a_wrong_expectation_is_shown(module: &Path) {
    let expected = module.join("cases/sample/expected/customers.jsonl");
    edit(&expected, "Lindqvist", "Lindquist");
    let words = ["test", "--module", "out/shop-1.1.wasm"];
    let (status, stdout, _) = godwit(module, &words);
    assert_eq!(status, 5, "{stdout}");
    assert_eq!(
        stdout,
        "FAILED   sample: Names of products and customers\n    \
         customers, record 0 (key 1), field last_name\n      \
         expected  \"Lindquist\"\n      \
         got       \"Lindqvist\"\n\
         0 passed, 1 failed\n"
    );
    let blessed = succeeded(godwit(module, &[&words[..], &["--bless"]].concat()));
    assert!(blessed.starts_with("blessed  sample"), "{blessed}");
    assert!(fs::read_to_string(&expected).unwrap().contains("\"last_name\":\"Lindqvist\""));
    assert!(module.join("cases/sample/expected-catalog.json").is_file());
    succeeded(godwit(module, &words));

    // An error is never taken for a success because someone asked for a new expectation.
    edit(&module.join("cases/sample/input/customers.jsonl"), "Farid", " ");
    let (status, stdout, _) = godwit(module, &[&words[..], &["--bless"]].concat());
    assert!(status == 5 && stdout.contains("(key 2), field full_name: is empty"), "{stdout}");
    assert!(stdout.contains("remove expected first"), "{stdout}");
    fs::remove_dir_all(module.join("cases/sample/expected")).unwrap();
    fs::write(module.join("cases/sample/expected-error.txt"), "customers\n\n(key 2), field full_name: is empty\n")
        .unwrap();
    succeeded(godwit(module, &words));
}

fn what_a_module_keeps_between_calls_is_found(module: &Path) {
    let counter = "static SEEN: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let seen = SEEN.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    record.set(\"title\", format!(\"Number {seen}\"))?;
    record.rename(\"title\", \"name\")";
    edit(&module.join("src/lib.rs"), "record.rename(\"title\", \"name\")", counter);
    fs::remove_file(module.join("cases/sample/input/customers.jsonl")).unwrap();
    fs::remove_file(module.join("cases/sample/expected-error.txt")).unwrap();
    let (status, stdout, stderr) = godwit(module, &["test", "--bless"]);
    assert_eq!(status, 5, "{stdout}{stderr}");
    assert!(stdout.contains("two runs of the same input: differ: the module keeps something"), "{stdout}");
    assert!(stdout.contains("products, record 1 (key 2), field name"), "{stdout}");
    assert!(!module.join("cases/sample/expected").exists(), "what is not deterministic is never blessed");
}

/// What a module with every capability but the live target may do, and when.
const REACHING: &str = r#"#![forbid(unsafe_code)]
use godwit_sdk::prelude::*;

godwit_sdk::module!(migration, manifest = "module.json");

pub fn migration() -> Migration {
    Migration::new().edit("notes", note).finish(finish).verify(verify)
}

fn note(record: &mut Record, cx: &mut Context) -> Result<()> {
    if cx.tree("data")?.write("early", "x").is_ok() {
        return Err(Error::new("a tree is written before the end"));
    }
    let author: i64 = record.get("author")?;
    let scratch = cx.scratch()?;
    scratch.execute("CREATE TABLE IF NOT EXISTS seen (author INTEGER)", ())?;
    scratch.execute("INSERT INTO seen VALUES (?1)", (author,))?;
    let name: String = cx.input()?.value("SELECT name FROM people WHERE id = ?1", (author,))?;
    record.set("name", name)
}

fn finish(cx: &mut Context) -> Result<()> {
    let seen: i64 = cx.scratch()?.value("SELECT count(*) FROM seen", ())?;
    let data = cx.tree("data")?;
    data.write("seen", format!("{seen} notes\n"))?;
    data.set_mode("run", 0o755)?;
    if data.exists("old")? { data.remove("old") } else { Ok(()) }
}

fn verify(cx: &mut Context) -> Result<()> {
    if cx.target()?.is_some() || cx.tree("data")?.read_text("seen")?.is_empty() {
        return Err(Error::new("the result is not what verify sees"));
    }
    Ok(())
}
"#;

const REACHING_MANIFEST: &str = r#"{
  "name": "acme/notes-1.1", "version": "0.1.0", "application": "notes", "from": ">=1.0.0, <1.1.0", "to": "1.1.0",
  "rewrites": ["notes"], "reads": ["people.id", "people.name"], "indexes": ["people.id"],
  "ordered": true, "scratch": true, "files": { "data": "read-write" }
}"#;

const REACHING_CATALOG: &str = r#"{ "engine": "sqlite", "collections": [
  { "name": "people", "columns": [{ "name": "id", "kind": "int64", "nullable": false }, { "name": "name", "kind": "text", "nullable": false }], "primary_key": ["id"] },
  { "name": "notes", "columns": [{ "name": "author", "kind": "int64", "nullable": false }, { "name": "name", "kind": "text", "nullable": false }], "primary_key": ["author"] }
] }"#;

#[test]
fn a_case_brings_what_a_module_may_reach() {
    // Of another name, for the modules of all tests are built in one place.
    let folder = empty_folder("reaching");
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-sdk");
    let words = ["new", "acme/notes-1.1", "--from", "1.0", "--to", "1.1.0", "--sdk", sdk.to_str().unwrap()];
    succeeded(godwit(&folder, &words));
    let module = folder.join("notes-1.1");
    fs::write(module.join("src/lib.rs"), REACHING).unwrap();
    fs::write(module.join("module.json"), REACHING_MANIFEST).unwrap();
    let case = module.join("cases/sample");
    fs::remove_dir_all(&case).unwrap();
    let put = |path: &str, text: &str| {
        fs::create_dir_all(case.join(path).parent().unwrap()).unwrap();
        fs::write(case.join(path), text).unwrap();
    };
    put("case.json", "{}");
    put("input/people.jsonl", "{\"id\":7,\"name\":\"Ada\"}\n{\"id\":8,\"name\":\"Bo\"}\n");
    put("input/notes.jsonl", "{\"author\":8,\"name\":\"\"}\n{\"author\":7,\"name\":\"\"}\n");
    put("files/data/run", "#!/bin/sh\n");
    put("files/data/old", "\0");
    succeeded(godwit(&module, &["build", "-o", "notes.wasm"]));
    let test = |more: &[&str]| godwit(&module, &[&["test", "--module", "notes.wasm"], more].concat());

    let (status, stdout, _) = test(&["--bless"]);
    assert!(status == 5 && stdout.contains("put a catalog.json into the case"), "{stdout}");
    put("catalog.json", REACHING_CATALOG);
    assert!(succeeded(test(&["--bless"])).starts_with("blessed  sample"));
    let notes = fs::read_to_string(case.join("expected/notes.jsonl")).unwrap();
    assert_eq!(notes, "{\"author\":8,\"name\":\"Bo\"}\n{\"author\":7,\"name\":\"Ada\"}\n");
    assert!(!case.join("expected/people.jsonl").exists(), "it is queried, not handed over");
    let names = |folder: &str| {
        let mut names: Vec<_> = fs::read_dir(case.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("expected-files"), ["data"], "nothing is left beside the tree");
    assert_eq!(names("expected-files/data"), ["run", "seen"]);
    assert_eq!(fs::metadata(case.join("expected-files/data/run")).unwrap().mode() & 0o777, 0o755);
    assert_eq!(names("files/data"), ["old", "run"], "the tree before stays as it is");
    assert_eq!(succeeded(test(&[])), "passed   sample\n1 passed, 0 failed\n");

    put("expected-files/data/seen", "3 notes\n");
    put("expected-files/data/old", "\0");
    let (status, stdout, _) = test(&[]);
    assert_eq!(status, 5, "{stdout}");
    assert_eq!(
        stdout,
        "FAILED   sample\n    \
         the tree data, old\n      expected  1 bytes, sha256 6e340b9cffb3\n      got       nothing\n    \
         the tree data, seen, line 1\n      expected  \"3 notes\\n\"\n      got       \"2 notes\\n\"\n\
         0 passed, 1 failed\n"
    );
    fs::remove_dir_all(case.join("expected-files")).unwrap();
    let (_, stdout, _) = test(&[]);
    assert!(
        stdout.contains("the tree data: the module may write it, and the case has no expected-files/data"),
        "{stdout}"
    );
    succeeded(test(&["--bless"]));

    put("files/other/x", "");
    let (_, stdout, _) = test(&[]);
    assert!(stdout.contains("files/ has the tree other, which the manifest does not declare"), "{stdout}");
    fs::remove_dir_all(case.join("files/other")).unwrap();

    // Made up, the people that it looks for may be others: it refuses both times alike, or takes both.
    let checked = succeeded(godwit(&module, &["check", "notes.wasm", "--catalog", "cases/sample/catalog.json"]));
    assert!(checked.contains("ok      the catalog has what the manifest reads"), "{checked}");
}

#[test]
fn a_folder_that_is_there_stays_as_it_is() {
    let folder = empty_folder("taken");
    fs::create_dir(folder.join("shop-1.1")).unwrap();
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-sdk");
    let words = ["new", "acme/shop-1.1", "--from", "1.0", "--to", "1.1.0", "--sdk", sdk.to_str().unwrap()];
    let (status, _, stderr) = godwit(&folder, &words);
    assert!(status == 3 && stderr.contains("shop-1.1 exists already"), "{status} {stderr}");
    assert_eq!(fs::read_dir(folder.join("shop-1.1")).unwrap().count(), 0);
}

/// A component with a manifest and these imports.
fn component(manifest: &str, imports: &str) -> Vec<u8> {
    let manifest = manifest.replace('"', "\\\"");
    wat::parse_str(format!("(component {imports} (@custom \"godwit:module\" \"{manifest}\"))")).unwrap()
}

const MANIFEST: &str = r#"{"name": "acme/sly", "version": "1.0.0", "application": "shop", "from": ">=1.0.0, <1.1.0", "to": "1.1.0", "rewrites": ["users"]}"#;

#[test]
fn check_refuses_a_module_with_a_wrong_import() {
    let folder = empty_folder("wrong-import");
    let wasi = "(import \"wasi:clocks/wall-clock@0.2.0\" (instance))";
    fs::write(folder.join("sly.wasm"), component(MANIFEST, wasi)).unwrap();
    for words in [&["check", "sly.wasm"][..], &["inspect", "sly.wasm"]] {
        let (status, stdout, stderr) = godwit(&folder, words);
        assert!(status == 3 && stdout.is_empty(), "{status} {stdout}");
        assert!(stderr.contains("acme/sly imports wasi:clocks/wall-clock@0.2.0"), "{stderr}");
    }
}

#[test]
fn check_refuses_a_manifest_that_is_missing_or_contradicts_itself() {
    let folder = empty_folder("manifests");
    let twice = MANIFEST.replace("\"rewrites\"", "\"drops\": [\"users\"], \"rewrites\"");
    for (bytes, part) in [
        (wat::parse_str("(component)").unwrap(), "without a `godwit:module` section"),
        (component(&twice, ""), "declares users as rewritten and as dropped"),
        (component(MANIFEST, ""), "module acme/sly cannot be used"),
    ] {
        fs::write(folder.join("sly.wasm"), bytes).unwrap();
        let (status, _, stderr) = godwit(&folder, &["check", "sly.wasm"]);
        assert!(status == 3 && stderr.contains(part), "{status} {stderr}");
    }
    let (status, _, stderr) = godwit(&folder, &["check", "absent.wasm"]);
    assert!(status == 2 && stderr.contains("cannot read absent.wasm"), "{status} {stderr}");
}

#[test]
fn what_is_inspected_can_be_read_by_a_program() {
    let folder = empty_folder("json");
    let log = "(import \"godwit:migration/log@0.1.0\" (instance))";
    fs::write(folder.join("m.wasm"), component(MANIFEST, log)).unwrap();
    let text = succeeded(godwit(&folder, &["inspect", "m.wasm", "--output", "json"]));
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["module"]["manifest"]["to"], "1.1.0");
    assert_eq!(document["module"]["asks_for"], serde_json::json!(["log"]));
    assert_eq!(document["module"]["may_see_live_database"], false);
}
