//! From what the tools of another language made to a module.

use std::collections::BTreeSet;

use wasmparser::{ComponentTypeRef, Payload};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::component::{attach, check_manifest, encode, has_interface, is_component, read};
use crate::{ComponentError, MANIFEST_SECTION};

const WIT: &str = include_str!("../../../wit/migration.wit");

/// Makes a module of a core file or a component that has no manifest yet.
///
/// A core file that does not say which interface it has is taken to have Godwit's: its exports are then
/// `evolve`, `transform`, `finish` and `verify` as the component model's canonical ABI has them.
pub fn pack(file: &[u8], manifest: &[u8]) -> Result<Vec<u8>, ComponentError> {
    let payloads = read(file)?;
    refuse_manifest(&payloads)?;
    refuse_wasi(&payloads)?;
    check_manifest(manifest)?;
    let component = match () {
        () if is_component(&payloads) => file.to_owned(),
        () if has_interface(&payloads) => encode(file)?,
        () => encode(&with_interface(file)?)?,
    };
    Ok(attach(component, manifest))
}

fn refuse_manifest(payloads: &[Payload<'_>]) -> Result<(), ComponentError> {
    let is_manifest =
        |payload: &Payload<'_>| matches!(payload, Payload::CustomSection(s) if s.name() == MANIFEST_SECTION);
    if payloads.iter().any(is_manifest) { Err(ComponentError::HasManifest) } else { Ok(()) }
}

/// Every other foreign import is refused where modules are read, by a host as well; of WASI it can be said how to be rid of it.
fn refuse_wasi(payloads: &[Payload<'_>]) -> Result<(), ComponentError> {
    let names = imports(payloads)?;
    let wasi: Vec<_> = names.iter().filter(|name| name.starts_with("wasi")).map(String::as_str).collect();
    if wasi.is_empty() { Ok(()) } else { Err(ComponentError::Wasi { imports: wasi.join(", ") }) }
}

/// What the outermost level imports: of a core file the modules, of a component the interfaces.
fn imports(payloads: &[Payload<'_>]) -> Result<BTreeSet<String>, ComponentError> {
    let mut depth = 0_usize;
    let mut found = BTreeSet::new();
    for payload in payloads {
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ImportSection(section) if depth == 0 => {
                for import in section.clone().into_imports() {
                    found.insert(import.map_err(ComponentError::Malformed)?.module.escape_debug().to_string());
                }
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section.clone() {
                    let import = import.map_err(ComponentError::Malformed)?;
                    if !matches!(import.ty, ComponentTypeRef::Type(_)) {
                        found.insert(import.name.name.escape_debug().to_string());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

fn with_interface(core: &[u8]) -> Result<Vec<u8>, ComponentError> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("migration.wit", WIT).expect("the contract is valid WIT");
    let world = resolve.select_world(&[package], Some("migration")).expect("the contract has the world `migration`");
    let mut core = core.to_owned();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8)
        .map_err(|error| ComponentError::Interface(error.into()))?;
    Ok(core)
}
