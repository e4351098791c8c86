//! Files in the module directory that are no modules, or that want more than a module gets.

use std::fmt::Write;

use godwit_tests::with_manifest;
use serde_json::{Value, json};
use wasm_encoder::{ComponentSectionId, CustomSection, RawSection};
use wit_component::dummy_module;
use wit_parser::{ManglingAndAbi, Resolve};

use crate::handmade::{component, honest, interface};
use crate::range::{Range, filtered, hostile, manifest};

const SECTION: &str = "godwit:module";

/// What every module exports, for worlds of other packages.
const EXPORTS: &str = "
    use godwit:migration/catalog@0.1.0.{catalog};
    use godwit:migration/types@0.1.0.{chunk, failure};
    export evolve: func(catalog: catalog) -> result<catalog, failure>;
    export transform: func(chunk: chunk) -> result<list<chunk>, failure>;
    export finish: func() -> result<list<chunk>, failure>;
    export verify: func() -> result<_, failure>;";

/// A component of a world; its functions do nothing but trap. Packages are given dependencies first.
fn of_world(packages: &[&str]) -> Vec<u8> {
    let (mut resolve, _) = interface();
    let mut last = None;
    for (i, text) in packages.iter().enumerate() {
        last = Some(resolve.push_str(format!("{i}.wit"), text).unwrap_or_else(|error| panic!("{error:#}")));
    }
    traps(&resolve, last.expect("there is a package"))
}

fn traps(resolve: &Resolve, package: wit_parser::PackageId) -> Vec<u8> {
    let world = resolve.select_world(&[package], None).expect("the package has one world");
    component(dummy_module(resolve, world, ManglingAndAbi::Standard32), resolve, world)
}

fn importing(packages: &[&str], import: &str) -> Vec<u8> {
    let world = format!("package evil:module; world module {{ import {import}; {EXPORTS} }}");
    let packages: Vec<_> = packages.iter().copied().chain([world.as_str()]).collect();
    declared(&of_world(&packages))
}

/// With the manifest that the other guests have.
fn declared(component: &[u8]) -> Vec<u8> {
    with_manifest(component, &manifest(|_| {}))
}

/// A package of the real name with an interface that the contract does not know.
fn unknown_interface() -> Vec<u8> {
    let mut resolve = Resolve::default();
    let text = "package godwit:migration@0.1.0; interface clock { now: func() -> u64; }
        world module { import clock; export finish: func(); }";
    let package = resolve.push_str("clock.wit", text).expect("the WIT is sound");
    declared(&traps(&resolve, package))
}

fn later_interface() -> Vec<u8> {
    let mut resolve = Resolve::default();
    let text = "package godwit:migration@0.2.0; interface log { write: func(message: string); }
        world module { import log; export finish: func(); }";
    let package = resolve.push_str("later.wit", text).expect("the WIT is sound");
    declared(&traps(&resolve, package))
}

fn with_section(component: &[u8], manifest: &[u8]) -> Vec<u8> {
    let mut made = component.to_vec();
    wasm_encoder::ComponentSection::append_to_component(
        &CustomSection { name: SECTION.into(), data: manifest.into() },
        &mut made,
    );
    made
}

/// The misbehaving guest without its manifest.
fn bare() -> Vec<u8> {
    let whole = hostile(|_| {});
    let section = with_section(b"", manifest(|_| {}).to_string().as_bytes());
    whole.strip_suffix(&section[..]).expect("the manifest is the last section").to_vec()
}

/// A component that is nothing but the shell of another.
fn nested(inner: &[u8]) -> Vec<u8> {
    let mut outer = b"\0asm\x0d\0\x01\0".to_vec();
    let section = RawSection { id: ComponentSectionId::Component as u8, data: inner };
    wasm_encoder::ComponentSection::append_to_component(&section, &mut outer);
    outer
}

fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    hostile(change)
}

const WASI: &str =
    "package wasi:cli@0.2.0; interface environment { get-environment: func() -> list<tuple<string, string>>; }";

/// Name, the file, exit status.
fn files() -> Vec<(&'static str, Vec<u8>, i32)> {
    let whole = hostile(|_| {});
    vec![
        ("empty", vec![], 3),
        ("text", b"#!/bin/sh\nrm -rf /\n".to_vec(), 3),
        ("core", wat::parse_str("(module)").unwrap(), 3),
        ("truncated", whole[..whole.len() / 2].to_vec(), 3),
        ("truncated-in-its-manifest", whole[..whole.len() - 10].to_vec(), 3),
        ("damaged", damaged(&whole), 3),
        ("no-manifest", bare(), 3),
        ("two-manifests", with_section(&whole, b"{}"), 3),
        ("manifest-empty", with_section(&bare(), b""), 3),
        ("manifest-not-json", with_section(&bare(), b"name = \"evil\""), 3),
        ("manifest-not-utf8", with_section(&bare(), b"{\"name\":\"\xff\"}"), 3),
        ("manifest-nested-deeply", with_section(&bare(), "[".repeat(500_000).as_bytes()), 3),
        ("manifest-too-large", changed(|manifest| manifest["description"] = "x".repeat(2 << 20).into()), 3),
        ("manifest-unknown-field", changed(|manifest| manifest["gr\u{1b}[31mants"] = json!(["all"])), 3),
        ("manifest-contradiction", changed(|manifest| manifest["drops"] = json!(["devices"])), 3),
        ("manifest-no-vendor", changed(|manifest| manifest["name"] = json!("../../x")), 3),
        ("manifest-version-number", changed(|manifest| manifest["to"] = json!(1.1)), 3),
        ("manifest-other-application", changed(|manifest| manifest["application"] = json!("in\u{1b}[2Jventory")), 3),
        ("imports-wasi", importing(&[WASI], "wasi:cli/environment@0.2.0"), 3),
        (
            "imports-of-a-stranger",
            importing(&["package evil:tools; interface spy { look: func(); }"], "evil:tools/spy"),
            3,
        ),
        ("imports-a-function", importing(&[], "look: func() -> string"), 3),
        ("imports-database", importing(&[], "godwit:migration/database@0.1.0"), 5),
        ("imports-files", importing(&[], "godwit:migration/files@0.1.0"), 5),
        ("imports-unknown-interface", unknown_interface(), 3),
        ("imports-later-version", later_interface(), 3),
        ("reads-without-importing", with_manifest(&honest(), &manifest(|m| m["reads"] = json!(["devices.id"]))), 3),
        (
            "opens-files-without-importing",
            with_manifest(&honest(), &manifest(|m| m["files"] = json!({ "config": "read" }))),
            3,
        ),
        (
            "wants-the-target-without-importing",
            with_manifest(&honest(), &manifest(|m| m["target"] = json!({ "devices": "read" }))),
            3,
        ),
        ("reads-what-is-not-there", changed(|manifest| manifest["reads"] = json!(["racks"])), 3),
        (
            "reads-a-column-that-is-not-there",
            changed(|manifest| manifest["reads"] = json!(["devices.col\u{1b}[2Jour"])),
            3,
        ),
        ("reads-the-schema", changed(|manifest| manifest["reads"] = json!(["sqlite_schema"])), 3),
        ("reads-a-view", changed(|manifest| manifest["reads"] = json!(["device_overview"])), 3),
        (
            "indexes-what-it-does-not-read",
            changed(|manifest| {
                manifest["reads"] = json!(["devices.id"]);
                manifest["indexes"] = json!(["devices.hostname"]);
            }),
            3,
        ),
        ("scratch-without-order", changed(|manifest| manifest["scratch"] = json!(true)), 3),
        ("access-that-is-none", changed(|manifest| manifest["files"] = json!({ "config": "write" })), 3),
        ("tree-with-a-path-for-a-name", changed(|manifest| manifest["files"] = json!({ "../etc": "read" })), 3),
        ("target-that-is-not-there", changed(|manifest| manifest["target"] = json!({ "racks": "read" })), 3),
        (
            "target-in-another-database",
            changed(|manifest| {
                manifest["database"] = json!("other");
                manifest["target"] = json!({ "devices": "read" });
            }),
            3,
        ),
        ("compiled-for-a-machine", compiled(), 3),
        ("no-exports", declared(b"\0asm\x0d\0\x01\0"), 3),
        ("missing-exports", declared(&of_world(&["package evil:few; world few { export finish: func(); }"])), 3),
        ("wrong-exports", declared(&of_world(&[WRONG_EXPORTS])), 3),
        ("component-in-a-component", declared(&nested(&bare())), 3),
        ("manifest-in-the-inner-component", nested(&whole), 3),
    ]
}

const WRONG_EXPORTS: &str = "package evil:wrong; world wrong {
    export evolve: func(catalog: u32) -> u32;
    export transform: func(chunk: string) -> string;
    export finish: func();
    export verify: func() -> bool;
}";

/// What the engine keeps of a component that it has compiled: an ELF file with sections of its own. Such a file is machine
/// code, and nothing would check it.
fn compiled() -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01\0".to_vec();
    file.resize(64, 0);
    file.extend(b"\0.wasmtime.engine\0.wasmtime.info\0.text\0");
    file
}

/// Some bytes of its code changed.
fn damaged(whole: &[u8]) -> Vec<u8> {
    let mut made = whole.to_vec();
    let middle = made.len() / 2;
    made[middle..middle + 64].fill(0xff);
    made
}

#[test]
fn what_is_no_proper_module_is_refused() {
    let mut text = String::new();
    for (name, file, status) in files() {
        let range = Range::new(&file).named(name);
        let plan = range.run("plan", &["--module-time", "1"]);
        let said = filtered(&range, &plan);
        assert_eq!(plan.status, Some(status), "{name}: {said}");
        assert!(!said.chars().any(|c| c.is_control() && c != '\n'), "{name}: {said:?}");
        let _ = writeln!(text, "## {name}\n{said}\n");
    }
    insta::assert_snapshot!("files", text);
}

#[test]
fn what_is_no_wasm_file_is_passed_over() {
    let range = Range::new(&hostile(|_| {}));
    std::fs::write(range.path("modules/readme.txt"), "hello").unwrap();
    std::fs::create_dir(range.path("modules/folder")).unwrap();
    assert_eq!(range.run("plan", &[]).status, Some(0));
}
