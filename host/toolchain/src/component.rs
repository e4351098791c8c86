//! From a core WebAssembly file to a component whose manifest can be read without running it.

use wasm_encoder::{ComponentSection, CustomSection, RawSection, Section};
use wasmparser::{Encoding, Parser, Payload};
use wit_component::ComponentEncoder;

use crate::ComponentError;

/// The custom section that holds a module's manifest, a JSON object.
pub const MANIFEST_SECTION: &str = "godwit:module";

/// Makes a component of what a compiler made, and lifts the manifest to its top level.
///
/// The same bytes always give the same bytes.
pub fn componentize(core: &[u8]) -> Result<Vec<u8>, ComponentError> {
    let (stripped, manifest) = take_manifest(core)?;
    check_manifest(manifest)?;
    Ok(attach(encode(&stripped)?, manifest))
}

/// A component with its manifest, as the last of its sections.
pub(crate) fn attach(mut component: Vec<u8>, manifest: &[u8]) -> Vec<u8> {
    let section = CustomSection { name: MANIFEST_SECTION.into(), data: manifest.into() };
    section.append_to_component(&mut component);
    component
}

pub(crate) fn check_manifest(manifest: &[u8]) -> Result<(), ComponentError> {
    serde_json::from_slice::<serde_json::Map<_, _>>(manifest).map(drop).map_err(ComponentError::Manifest)
}

pub(crate) fn encode(core: &[u8]) -> Result<Vec<u8>, ComponentError> {
    let encoder = ComponentEncoder::default().validate(true).module(core);
    encoder.and_then(|mut encoder| encoder.encode()).map_err(|error| ComponentError::Interface(error.into()))
}

/// The file without its manifest, and the manifest.
fn take_manifest(core: &[u8]) -> Result<(Vec<u8>, &[u8]), ComponentError> {
    let payloads = read(core)?;
    check_kind(&payloads)?;
    let mut stripped = vec![];
    let mut manifests = vec![];
    for payload in &payloads {
        match payload {
            Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => manifests.push(section.data()),
            other => copy(core, other, &mut stripped),
        }
    }
    match manifests[..] {
        [manifest] => Ok((stripped, manifest)),
        [] => Err(ComponentError::NoManifest),
        _ => Err(ComponentError::ManyManifests { count: manifests.len() }),
    }
}

/// Read to the end before anything is copied: what a section says of its length is then true.
pub(crate) fn read(file: &[u8]) -> Result<Vec<Payload<'_>>, ComponentError> {
    Parser::new(0).parse_all(file).collect::<Result<_, _>>().map_err(ComponentError::Malformed)
}

/// Without a word on its interface, a file would become a component that does nothing.
fn check_kind(payloads: &[Payload<'_>]) -> Result<(), ComponentError> {
    if is_component(payloads) {
        return Err(ComponentError::AlreadyAComponent);
    }
    if has_interface(payloads) { Ok(()) } else { Err(ComponentError::NoInterface) }
}

pub(crate) fn is_component(payloads: &[Payload<'_>]) -> bool {
    payloads.iter().any(|payload| matches!(payload, Payload::Version { encoding: Encoding::Component, .. }))
}

/// Whether a core file says which interface it has.
pub(crate) fn has_interface(payloads: &[Payload<'_>]) -> bool {
    let says =
        |payload: &Payload<'_>| matches!(payload, Payload::CustomSection(s) if s.name().starts_with("component-type"));
    payloads.iter().any(says)
}

fn copy(core: &[u8], payload: &Payload<'_>, stripped: &mut Vec<u8>) {
    if let Payload::Version { range, .. } = payload {
        stripped.extend_from_slice(&core[range.clone()]);
    } else if let Some((id, range)) = payload.as_section() {
        RawSection { id, data: &core[range] }.append_to(stripped);
    }
}
