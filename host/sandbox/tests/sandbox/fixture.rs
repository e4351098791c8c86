//! The misbehaving module, granted and ready to run.

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use godwit_model::CollectionName;
use godwit_sandbox::{Granted, Instance, Limits, Module, Options, Output, Parameters, Sandbox, SandboxError};
use godwit_tests::{guests, with_manifest};
use serde_json::{Value, json};

pub(crate) const DEVICES: &[u8] =
    b"{\"id\":1,\"hostname\":\"a\",\"notes\":null}\n{\"id\":2,\"hostname\":\"b\",\"notes\":null}\n";

/// The module with its manifest changed.
pub(crate) fn module(change: impl FnOnce(&mut Value)) -> Module {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    let component = COMPONENT.get_or_init(|| fs::read(guests().join("hostile.wasm")).unwrap());
    let mut manifest = serde_json::from_str(hostile_guest::MANIFEST).unwrap();
    change(&mut manifest);
    Module::read("hostile.wasm", with_manifest(component, &manifest)).unwrap()
}

/// Parameters with a behaviour.
pub(crate) fn parameters(behaviour: &str) -> Parameters {
    with_values(&[("behaviour", json!(behaviour))])
}

pub(crate) fn with_values(values: &[(&str, Value)]) -> Parameters {
    let given: BTreeMap<_, _> = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Parameters::of_run("2026-01-02T03:04:05Z", "00000000000000ff").with(&given)
}

/// One sandbox for all tests that do not set one up in their own way.
pub(crate) fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| Sandbox::new(&Options::default()).unwrap())
}

pub(crate) fn granted(behaviour: &str, limits: Limits) -> Granted {
    sandbox().grant(&module(|_| {}), &parameters(behaviour), limits).unwrap()
}

/// One call of `transform` with two devices.
pub(crate) fn transform(instance: &mut Instance) -> Result<Vec<Output>, SandboxError> {
    instance.transform(&CollectionName::new("devices").unwrap(), 0, DEVICES.to_vec())
}

pub(crate) fn lines(outputs: &[Output]) -> String {
    let texts = outputs.iter().map(|output| String::from_utf8(output.lines.clone()).unwrap());
    texts.collect()
}
