//! A module as a file: read and checked without running anything.

use godwit_model::{Digest, ModuleManifest};
use wasmparser::{ComponentTypeRef, Encoding, Parser, Payload};

use crate::limits::MANIFEST_BYTES;
use crate::{SandboxError, tame, tame_line};

/// The custom section that holds the manifest.
pub(crate) const MANIFEST_SECTION: &str = "godwit:module";

/// Interfaces of `godwit:migration` that this host provides.
const PROVIDED: [&str; 6] = ["catalog", "types", "log", "parameters", "database", "files"];

/// A component with a manifest, importing nothing but `godwit:migration/*`.
#[derive(Debug, Clone)]
pub struct Module {
    /// What it says of itself.
    pub manifest: ModuleManifest,
    /// The interfaces that it imports, as it names them: `godwit:migration/log@0.1.0`.
    pub imports: Vec<String>,
    /// Digest of its bytes.
    pub digest: Digest,
    /// The component.
    pub bytes: Vec<u8>,
}

impl Module {
    /// Reads a module; `origin` names it in messages.
    ///
    /// # Errors
    /// Not a component, no or a bad manifest, or an import from outside `godwit:migration`.
    pub fn read(origin: &str, bytes: Vec<u8>) -> Result<Self, SandboxError> {
        let outline = Outline::read(origin, &bytes)?;
        let section = outline.manifest.ok_or_else(|| SandboxError::NoManifest { origin: origin.to_owned() })?;
        let manifest = ModuleManifest::parse(&section).map_err(|source| SandboxError::Manifest {
            origin: origin.to_owned(),
            problem: tame(&full_text(&source)),
        })?;
        for import in &outline.imports {
            check_import(&manifest, import)?;
        }
        check_use(&manifest, &outline.imports)?;
        Ok(Self { manifest, imports: outline.imports, digest: Digest::of(&bytes), bytes })
    }
}

fn full_text(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", full_text(source)),
        None => error.to_string(),
    }
}

fn check_import(manifest: &ModuleManifest, import: &str) -> Result<(), SandboxError> {
    let module = manifest.name.clone();
    match interface_of(import) {
        Some(name) if PROVIDED.contains(&name) => Ok(()),
        _ => Err(SandboxError::ForbiddenImport { module, import: tame_line(import) }),
    }
}

/// What a manifest asks of the operator, the component must be able to use. (The other way round is no lie: some
/// languages import the whole world, and what is not asked for answers like what does not exist.)
fn check_use(manifest: &ModuleManifest, imports: &[String]) -> Result<(), SandboxError> {
    let imports = |interface: &str| imports.iter().any(|import| interface_of(import) == Some(interface));
    let asked = [("database", manifest.wants_database()), ("files", !manifest.files.is_empty())];
    match asked.iter().find(|(interface, asked)| *asked && !imports(interface)) {
        None => Ok(()),
        Some((interface, _)) => {
            Err(SandboxError::UnusedWish { module: manifest.name.clone(), interface: (*interface).to_owned() })
        }
    }
}

fn interface_of(import: &str) -> Option<&str> {
    Some(import.strip_prefix("godwit:migration/")?.split_once("@0.1.")?.0)
}

/// The outermost level of a component: its imports and its manifest section.
struct Outline {
    imports: Vec<String>,
    manifest: Option<Vec<u8>>,
}

impl Outline {
    fn read(origin: &str, bytes: &[u8]) -> Result<Self, SandboxError> {
        let bad = |problem: String| SandboxError::NotAComponent { origin: origin.to_owned(), problem: tame(&problem) };
        if !bytes.starts_with(b"\0asm") {
            return Err(bad("it does not begin like WebAssembly".to_owned()));
        }
        let mut outline = Self { imports: vec![], manifest: None };
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(|error| bad(error.to_string()))? {
                Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                    return Err(bad("it is a core module; make a component of it first".to_owned()));
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        let import = import.map_err(|error| bad(error.to_string()))?;
                        // A type brings no ability with it; the interface it comes from is listed of itself.
                        if !matches!(import.ty, ComponentTypeRef::Type(_)) {
                            outline.imports.push(import.name.name.to_owned());
                        }
                    }
                }
                Payload::CustomSection(section) if depth == 0 && section.name() == MANIFEST_SECTION => {
                    outline
                        .take_manifest(section.data())
                        .map_err(|problem| SandboxError::ManifestSection { origin: origin.to_owned(), problem })?;
                }
                _ => {}
            }
        }
        Ok(outline)
    }

    fn take_manifest(&mut self, section: &[u8]) -> Result<(), String> {
        match self.manifest {
            Some(_) => Err("has two `godwit:module` sections, and it is not for us to choose".to_owned()),
            None if section.len() > MANIFEST_BYTES => {
                Err(format!("has a manifest of {} bytes; {MANIFEST_BYTES} are allowed", section.len()))
            }
            None => {
                self.manifest = Some(section.to_vec());
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_refused_with_its_name() {
        for bytes in [&b""[..], b"hello", b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0\xff"] {
            let error = Module::read("x.wasm", bytes.to_vec()).unwrap_err();
            assert!(error.to_string().contains("x.wasm"), "{error}");
        }
    }
}
