//! `pack`: what it makes of core files and components, and what it refuses.

use godwit_toolchain::{ComponentError, MANIFEST_SECTION, componentize, pack};
use wasm_encoder::{CustomSection, EntityType, ImportSection, MemoryType, Module, Section};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve, WorldId};

const MANIFEST: &[u8] = br#"{"name":"acme/inventory-1.2","to":"1.2.0"}"#;

fn interface(world: &str) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path("../../wit").unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    (resolve, world)
}

/// A core file with the exports of a world, which says nothing of it.
fn silent_core(world: &str) -> Vec<u8> {
    let (resolve, world) = interface(world);
    dummy_module(&resolve, world, ManglingAndAbi::Standard32)
}

fn core(world: &str) -> Vec<u8> {
    let (resolve, id) = interface(world);
    let mut core = silent_core(world);
    embed_component_metadata(&mut core, &resolve, id, StringEncoding::UTF8).unwrap();
    core
}

fn component(world: &str) -> Vec<u8> {
    ComponentEncoder::default().validate(true).module(&core(world)).unwrap().encode().unwrap()
}

fn refusal(file: &[u8]) -> ComponentError {
    pack(file, MANIFEST).expect_err("this file is refused")
}

#[test]
fn a_core_file_a_silent_one_and_a_component_become_modules() {
    for world in ["migration", "records"] {
        for file in [core(world), silent_core(world), component(world)] {
            let module = pack(&file, MANIFEST).unwrap();
            assert!(module.ends_with(MANIFEST), "the manifest is the last section");
            wasmparser::Validator::new().validate_all(&module).unwrap();
        }
    }
}

#[test]
fn a_component_stays_as_it_is_before_its_manifest() {
    let component = component("records");
    assert!(pack(&component, MANIFEST).unwrap().starts_with(&component));
}

#[test]
fn what_has_a_manifest_is_not_given_a_second() {
    let mut core = core("records");
    CustomSection { name: MANIFEST_SECTION.into(), data: MANIFEST.into() }.append_to(&mut core);
    let module = componentize(&core).unwrap();
    for file in [core, module] {
        assert!(matches!(refusal(&file), ComponentError::HasManifest));
    }
}

#[test]
fn wasi_is_refused_by_name_with_what_to_do() {
    let mut imports = ImportSection::new();
    for name in ["wasi_snapshot_preview1", "wasi_snapshot_preview1", "wasi\u{1b}[2J"] {
        let memory = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
        imports.import(name, "fd_write", EntityType::Memory(memory));
    }
    let mut module = Module::new();
    module.section(&imports);
    let refusal = refusal(&module.finish()).to_string();
    assert!(refusal.starts_with("it imports wasi\\u{1b}[2J, wasi_snapshot_preview1; "), "{refusal}");
    assert!(refusal.contains("componentize -s"), "{refusal}");
}

#[test]
fn what_is_no_webassembly_or_damaged_is_refused() {
    for file in [&b""[..], b"#!/bin/sh\n", b"\0asm"] {
        assert!(matches!(refusal(file), ComponentError::Malformed(_)));
    }
    for file in [silent_core("records"), component("records")] {
        for end in 9..file.len() {
            // A component cut between two sections is a shorter one: hosts refuse it for what it lacks.
            if let Ok(packed) = pack(&file[..end], MANIFEST) {
                assert!(packed.starts_with(&file[..end]));
            }
        }
    }
}

#[test]
fn what_does_not_fit_the_contract_is_refused() {
    assert!(matches!(refusal(b"\0asm\x01\0\0\0"), ComponentError::Interface(_)));
}

#[test]
fn a_manifest_that_is_no_json_object_is_refused() {
    for manifest in ["", "[]", "{\"a\":1"] {
        let refusal = pack(&component("records"), manifest.as_bytes()).unwrap_err();
        assert!(matches!(refusal, ComponentError::Manifest(_)), "{manifest:?}: {refusal}");
    }
}
