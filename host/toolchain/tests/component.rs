//! `componentize`: what it makes, and what it refuses.

use godwit_toolchain::{ComponentError, MANIFEST_SECTION, componentize};
use wasm_encoder::{CustomSection, Section};
use wasmparser::{ComponentTypeRef, Encoding, Parser, Payload};
use wit_component::{StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve, WorldId};

const MANIFEST: &[u8] = br#"{"name":"acme/inventory-1.2","to":"1.2.0"}"#;

/// The header of a core file, and nothing after it.
const EMPTY: &[u8] = b"\0asm\x01\0\0\0";

fn interface() -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path("../../wit").unwrap();
    let world = resolve.select_world(&[package], Some("migration")).unwrap();
    (resolve, world)
}

/// A core file that fits the real interface, and has no manifest.
fn bare_core() -> Vec<u8> {
    let (resolve, world) = interface();
    let mut core = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
    core
}

fn with_manifest(mut core: Vec<u8>, manifest: &[u8]) -> Vec<u8> {
    CustomSection { name: MANIFEST_SECTION.into(), data: manifest.into() }.append_to(&mut core);
    core
}

fn refusal(core: &[u8]) -> ComponentError {
    componentize(core).expect_err("this file is refused")
}

#[test]
fn the_manifest_lies_at_the_top_level_and_nowhere_else() {
    let component = componentize(&with_manifest(bare_core(), MANIFEST)).unwrap();
    let mut depth = 0;
    let mut found = vec![];
    for payload in Parser::new(0).parse_all(&component) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                found.push((depth, section.data().to_vec()));
            }
            _ => {}
        }
    }
    assert_eq!(found, [(0, MANIFEST.to_vec())]);
}

#[test]
fn a_component_imports_the_interfaces_of_the_contract_only() {
    let component = componentize(&with_manifest(bare_core(), MANIFEST)).unwrap();
    let mut imports = vec![];
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(&component) {
        match payload.unwrap() {
            Payload::Version { encoding, .. } if depth == 0 => assert_eq!(encoding, Encoding::Component),
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                let imported = section.into_iter().map(Result::unwrap);
                // The types that the world names for its exports are listed as well; they bring nothing in.
                let behaviour = imported.filter(|import| !matches!(import.ty, ComponentTypeRef::Type(_)));
                imports.extend(behaviour.map(|import| import.name.name.to_owned()));
            }
            _ => {}
        }
    }
    assert!(imports.iter().any(|name| name == "godwit:migration/database@0.1.0"), "{imports:?}");
    assert!(imports.iter().all(|name| name.starts_with("godwit:migration/")), "{imports:?}");
}

#[test]
fn the_same_core_gives_the_same_bytes() {
    let core = with_manifest(bare_core(), MANIFEST);
    assert_eq!(componentize(&core).unwrap(), componentize(&core).unwrap());
}

#[test]
fn other_custom_sections_stay_where_they_are() {
    let mut core = bare_core();
    CustomSection { name: "vendor:note".into(), data: b"kept".into() }.append_to(&mut core);
    let component = componentize(&with_manifest(core, MANIFEST)).unwrap();
    let kept = Parser::new(0).parse_all(&component).any(
        |payload| matches!(payload.unwrap(), Payload::CustomSection(section) if section.name() == "vendor:note" && section.data() == b"kept"),
    );
    assert!(kept);
}

#[test]
fn a_file_without_a_manifest_is_refused() {
    let refusal = refusal(&bare_core());
    assert!(matches!(refusal, ComponentError::NoManifest));
    assert!(refusal.to_string().contains("`godwit:module`"), "{refusal}");
}

#[test]
fn two_manifests_are_refused() {
    let core = with_manifest(with_manifest(bare_core(), MANIFEST), MANIFEST);
    assert!(matches!(refusal(&core), ComponentError::ManyManifests { count: 2 }));
}

#[test]
fn a_manifest_that_is_no_json_object_is_refused() {
    for manifest in ["", "not json", "[]", "\"text\"", "{\"a\":1}{\"b\":2}", "{\"a\":1", "\u{feff}{}"] {
        let refusal = refusal(&with_manifest(bare_core(), manifest.as_bytes()));
        assert!(matches!(refusal, ComponentError::Manifest(_)), "{manifest:?}: {refusal}");
    }
}

#[test]
fn a_component_is_not_made_one_twice() {
    let component = componentize(&with_manifest(bare_core(), MANIFEST)).unwrap();
    assert!(matches!(refusal(&component), ComponentError::AlreadyAComponent));
}

#[test]
fn damaged_files_are_refused() {
    let core = with_manifest(bare_core(), MANIFEST);
    assert!(matches!(refusal(b""), ComponentError::Malformed(_)));
    assert!(matches!(refusal(b"#!/bin/sh\n"), ComponentError::Malformed(_)));
    for end in 1..core.len() {
        componentize(&core[..end]).expect_err("a file cut short is refused");
    }
}

#[test]
fn a_file_that_does_not_fit_the_interface_is_refused() {
    let (resolve, world) = interface();
    let mut core = EMPTY.to_vec();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
    let refusal = refusal(&with_manifest(core, MANIFEST));
    assert!(matches!(refusal, ComponentError::Interface(_)), "{refusal}");
}

#[test]
fn a_file_that_says_nothing_of_its_interface_is_refused() {
    let refusal = refusal(&with_manifest(EMPTY.to_vec(), MANIFEST));
    assert!(matches!(refusal, ComponentError::NoInterface), "{refusal}");
}
