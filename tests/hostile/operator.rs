//! What an operator sees and can rely on, whatever a module does.

use godwit_tests::godwit;

use crate::range::{Ended, Range, archive, hostile};

fn run(range: &Range, behaviour: &str, more: &[&str]) -> Ended {
    let behaviour = format!("behaviour={behaviour}");
    let options = [&["--module-time", "5", "--module-memory", "32", "--parameter", &behaviour], more].concat();
    range.run("migrate", &options)
}

#[test]
fn a_panic_is_told_with_its_words_and_its_function() {
    let range = Range::new(&hostile(|_| {}));
    let said = run(&range, "panic", &[]).stderr;
    assert!(said.contains("rack 1 is on fire"), "{said}");
    assert!(said.contains("    at hostile_guest::careless::set_on_fire\n"), "{said}");
    assert_eq!(said.matches("rack 1 is on fire").count(), 1, "said once: {said}");
    let many = run(&range, "panic-after-many-log-lines", &["-q"]).stderr;
    assert!(many.contains("rack 1 is on fire"), "{many}");
}

#[test]
fn an_error_is_a_json_document_too() {
    let range = Range::new(&hostile(|_| {}));
    let ended = run(&range, "shouting-failure", &["--output", "json"]);
    let document: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(document["error"]["exit_status"], 5);
    assert!(document["error"]["message"].as_str().unwrap().len() < 10_000);
}

#[test]
fn the_values_of_the_run_are_those_of_the_archive() {
    let mut seen = vec![];
    for workers in ["1", "2"] {
        let range = Range::new(&hostile(|_| {}));
        let ended = run(&range, "run-values", &["--workers", workers][..]);
        assert_eq!(ended.status, Some(0), "{}", ended.stderr);
        seen.push(range.records("devices"));
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].contains(r#""notes":"20"#), "{}", seen[0]);
}

#[test]
fn an_ordered_module_keeps_its_count() {
    let range = Range::new(&hostile(|manifest| manifest["ordered"] = true.into()));
    let ended = run(&range, "state", &["--verbose"]);
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let devices = range.records("devices");
    for (i, line) in devices.lines().enumerate() {
        assert!(line.contains(&format!("\"notes\":\"number {}\"", i + 1)), "{line}");
    }
    assert!(ended.stderr.contains(&format!("{} devices in all", devices.lines().count())), "{}", ended.stderr);
}

#[test]
fn what_finish_emits_is_in_the_archive() {
    let range = Range::new(&hostile(|_| {}));
    assert_eq!(run(&range, "finish-emits", &[]).status, Some(0));
    assert!(range.records("devices").ends_with("\"id\":777,\"hostname\":\"late\",\"status\":\"up\",\"price\":null,\"location\":null,\"owner_id\":null,\"notes\":null,\"serial\":null}\n"));
}

#[test]
fn a_module_that_secretly_keeps_something_is_found_by_its_check() {
    for (ordered, status) in [(false, 5), (true, 0)] {
        let range = Range::new(&hostile(|manifest| manifest["ordered"] = ordered.into()));
        let mut check = godwit();
        check.current_dir(range.path("")).args(["module", "check", "modules/hostile.wasm", "--parameter"]);
        check.args(["behaviour=state", "--catalog"]).arg(archive());
        let ended = godwit_tests::run(&mut check);
        assert_eq!(ended.status, Some(status), "{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.stdout.contains("keeps something between calls"), !ordered, "{}", ended.stdout);
    }
}
