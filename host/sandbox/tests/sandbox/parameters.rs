//! What a module sees of parameters.

use godwit_model::{Fault, FaultClass};
use godwit_sandbox::Limits;
use serde_json::json;

use crate::fixture::{lines, module, sandbox, transform, with_values};

#[test]
fn what_is_not_declared_is_not_there() {
    let given = with_values(&[
        ("behaviour", json!("undeclared-parameter")),
        ("secret", json!("s3cret")),
        ("PATH", json!("/bin")),
        ("run.secret", json!("s3cret")),
    ]);
    let granted = sandbox().grant(&module(|_| {}), &given, Limits::default()).unwrap();
    transform(&mut granted.instantiate().unwrap()).unwrap();
}

#[test]
fn what_is_declared_is_there() {
    let given = with_values(&[("behaviour", json!("undeclared-parameter")), ("secret", json!("s3cret"))]);
    let declaring = module(|manifest| manifest["parameters"]["secret"] = json!({ "description": "A word." }));
    let granted = sandbox().grant(&declaring, &given, Limits::default()).unwrap();
    let error = transform(&mut granted.instantiate().unwrap()).unwrap_err();
    assert!(error.to_string().ends_with("secret is s3cret"), "{error}");
}

#[test]
fn nobody_gives_the_run_another_time() {
    let given = with_values(&[("behaviour", json!("run-values")), ("run.timestamp", json!("1970-01-01T00:00:00Z"))]);
    let granted = sandbox().grant(&module(|_| {}), &given, Limits::default()).unwrap();
    let output = transform(&mut granted.instantiate().unwrap()).unwrap();
    assert!(lines(&output).contains("2026-01-02T03:04:05Z"), "{output:?}");
    assert_eq!(given.given().into_keys().collect::<Vec<_>>(), ["behaviour"]);
}

#[test]
fn a_parameter_without_value_is_asked_for() {
    let needing = module(|manifest| {
        manifest["parameters"]["needed"] = json!({ "description": "How\u{1b}[2J many." });
    });
    let Err(error) = sandbox().grant(&needing, &with_values(&[]), Limits::default()) else { panic!("it was granted") };
    assert_eq!(
        error.to_string(),
        "module evil/hostile: the parameter needed is needed (How\u{fffd}[2J many.); give it with --parameter needed=VALUE"
    );
    assert_eq!(Fault::from(error).class(), FaultClass::Usage);
}
