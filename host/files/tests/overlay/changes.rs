//! What the report says of a tree.

use godwit_files::TreeState;
use godwit_model::FileChange;
use serde_json::json;

use crate::fixture::*;

fn report(state: &TreeState, before: &TreeState) -> serde_json::Value {
    serde_json::to_value(state.changes_since(before)).unwrap()
}

#[test]
fn each_path_says_what_became_of_it() {
    let home = usual();
    let before = home.state();
    let mut state = before.clone();
    assert_eq!(report(&state, &before), json!([]));
    write(&mut state, "app.conf", 10, b"more").unwrap();
    change(&mut state, "dir/a", FileChange::Rename("empty/a")).unwrap();
    change(&mut state, "empty/a", FileChange::SetMode(0o600)).unwrap();
    change(&mut state, "dir/sub", FileChange::SetMode(0o700)).unwrap();
    change(&mut state, "etc", FileChange::Remove).unwrap();
    write(&mut state, "dir/sub/new", 0, b"n").unwrap();
    assert_eq!(
        report(&state, &before),
        json!([
            {"path": "app.conf", "what": "changed", "before": 10, "after": 14},
            {"path": "dir/sub", "what": "mode"},
            {"path": "dir/sub/new", "what": "added", "after": 1},
            {"path": "empty/a", "what": "renamed", "from": "dir/a", "before": 4, "after": 4},
            {"path": "empty/a", "what": "mode", "before": 4, "after": 4},
            {"path": "etc", "what": "removed"},
        ])
    );
}

#[test]
fn a_directory_that_moved_is_one_line_and_one_that_changed_too_is_more() {
    let home = usual();
    let before = home.state();
    let mut state = before.clone();
    change(&mut state, "dir", FileChange::Rename("moved")).unwrap();
    assert_eq!(report(&state, &before), json!([{"path": "moved", "what": "renamed", "from": "dir"}]));
    write(&mut state, "moved/new", 0, b"n").unwrap();
    assert_eq!(
        report(&state, &before),
        json!([
            {"path": "dir", "what": "removed"},
            {"path": "moved", "what": "added"},
            {"path": "moved/a", "what": "renamed", "from": "dir/a", "before": 4, "after": 4},
            {"path": "moved/new", "what": "added", "after": 1},
            {"path": "moved/sub", "what": "renamed", "from": "dir/sub"},
        ])
    );
}

#[test]
fn what_was_replaced_by_something_else_is_gone_and_new() {
    let home = usual();
    let before = home.state();
    let mut state = before.clone();
    change(&mut state, "app.conf", FileChange::Remove).unwrap();
    change(&mut state, "app.conf", FileChange::MakeDirectory).unwrap();
    write(&mut state, "app.conf/x", 0, b"n").unwrap();
    let mut later = state.clone();
    write(&mut later, "app.conf/x", 0, b"m").unwrap();
    assert_eq!(
        report(&state, &before),
        json!([
            {"path": "app.conf", "what": "removed", "before": 10},
            {"path": "app.conf", "what": "added"},
            {"path": "app.conf/x", "what": "added", "after": 1},
        ])
    );
    assert_eq!(report(&later, &state), json!([{"path": "app.conf/x", "what": "changed", "before": 1, "after": 1}]));
}
