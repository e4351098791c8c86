//! What can go wrong between source and component.

use std::io;
use std::path::PathBuf;

use crate::find::CHOICE_VARIABLE;

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum ToolchainError {
    /// No way of compiling for WebAssembly is at hand.
    #[error("no Rust on this machine compiles for {}: {why}\n{}", crate::TARGET, ADVICE)]
    None {
        /// What was looked for and why it will not do.
        why: String,
    },
    /// The variable that forces a toolchain names none.
    #[error("{CHOICE_VARIABLE} is {value:?}; it takes `installed`, `rustup` or `debian`, or may be left unset")]
    Choice {
        /// What it holds.
        value: String,
    },
    /// A program did not start.
    #[error("cannot start {program}; install it, or put its directory on PATH")]
    Start {
        /// Its name or path.
        program: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A folder holds no crate.
    #[error("{} holds no Cargo.toml: give the folder of a module's crate", dir.display())]
    NoCrate {
        /// The folder.
        dir: PathBuf,
    },
    /// Cargo cannot read a crate's manifest, or its answer cannot be read.
    #[error("cargo cannot describe the crate in {}: {message}", dir.display())]
    Describe {
        /// The crate's folder.
        dir: PathBuf,
        /// What cargo wrote.
        message: String,
    },
    /// Cargo cannot read the crate's manifest, or cannot have its dependencies; it has written why to
    /// the standard error stream.
    #[error("cargo cannot read the crate in {}, or cannot fetch what it depends on; it says why above", dir.display())]
    Fetch {
        /// The crate's folder.
        dir: PathBuf,
    },
    /// The crate does not compile; the compiler has written why to the standard error stream.
    #[error("{} does not compile; the compiler says why above", dir.display())]
    Compile {
        /// The crate's folder.
        dir: PathBuf,
    },
    /// The crate compiles, but not into a WebAssembly file.
    #[error(
        "{} compiles, but makes no .wasm file: its Cargo.toml needs `[lib]` with `crate-type = [\"cdylib\"]`",
        dir.display()
    )]
    NotAModule {
        /// The crate's folder.
        dir: PathBuf,
    },
    /// The script of a module in another language failed.
    #[error("build.sh in {} failed: {said}", dir.display())]
    Script {
        /// The module's folder.
        dir: PathBuf,
        /// What it wrote to the standard error stream.
        said: String,
    },
    /// What was compiled is no module.
    #[error("{} cannot be made a component", core.display())]
    Component {
        /// The compiled file.
        core: PathBuf,
        /// Why not.
        #[source]
        source: ComponentError,
    },
    /// A path that the compiler cannot be told of.
    #[error("the path {} is not UTF-8; build from a folder whose path is", path.display())]
    Path {
        /// The path.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// `read`, `write`, …
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Why a core WebAssembly file cannot be made a component.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// Not WebAssembly, or damaged.
    #[error("it is not valid WebAssembly")]
    Malformed(#[source] wasmparser::BinaryReaderError),
    /// A component is a result, not an input.
    #[error("it is a component already, not the core file that a compiler makes; use it as it is")]
    AlreadyAComponent,
    /// Nothing says which interface it has.
    #[error(
        "nothing in it says that it is a migration module (a custom section `component-type…`): \
        build it with the SDK, or embed the WIT with `wasm-tools component embed`"
    )]
    NoInterface,
    /// There is no manifest.
    #[error("it has no manifest, the custom section `{}`; the SDK's `module!` macro adds it", crate::MANIFEST_SECTION)]
    NoManifest,
    /// There is more than one manifest.
    #[error("it has {count} custom sections `{}`; a module has one manifest", crate::MANIFEST_SECTION)]
    ManyManifests {
        /// How many there are.
        count: usize,
    },
    /// Whoever packs it again would have two.
    #[error(
        "it has a manifest already, the custom section `{}`; pack the file that the compiler made",
        crate::MANIFEST_SECTION
    )]
    HasManifest,
    /// Something of WASI is left.
    #[error(
        "it imports {imports}; a module has no WASI. Leave it out where it is built: C without a libc, or without \
        what reads, writes and exits; JavaScript with `disableFeatures`; Python with `componentize -s`"
    )]
    Wasi {
        /// The interfaces.
        imports: String,
    },
    /// The manifest is not a JSON object.
    #[error("its manifest, the custom section `{}`, is not a JSON object", crate::MANIFEST_SECTION)]
    Manifest(#[source] serde_json::Error),
    /// It does not fit the interface that it says it has.
    #[error("its imports and exports do not fit `godwit:migration`")]
    Interface(#[source] Box<dyn std::error::Error + Send + Sync>),
}

const ADVICE: &str = "Do one of these, then try again:\n  \
    with rustup (https://rustup.rs):  rustup target add wasm32-unknown-unknown\n  \
    on Debian, as root:               apt-get update && apt-get install -y --no-install-recommends \
    rustc-web cargo-web rust-web-src rust-web-llvm \
    && apt-get install -y --no-install-recommends $(readlink /usr/bin/rust-lld)";
