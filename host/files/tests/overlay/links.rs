//! Links that lead nowhere any more.

use std::fs;
use std::os::unix::fs::symlink;

use godwit_model::FileChange;

use crate::fixture::{change, home};

#[test]
fn a_link_is_broken_by_whoever_moves_its_end() {
    let home = home(|live| {
        fs::create_dir_all(live.join("sites/old")).unwrap();
        fs::write(live.join("sites/a"), "").unwrap();
        fs::write(live.join("kept"), "").unwrap();
        let links = [
            ("to-a", "sites/a"),
            ("to-kept", "./kept"),
            ("nowhere", "missing"),
            ("out", "/etc/passwd"),
            ("up", "../kept"),
            ("sites/old/to-a", "../a"),
            ("sites/old/to-kept", "../../kept"),
        ];
        for (name, target) in links {
            symlink(target, live.join(name)).unwrap();
        }
    });
    let before = home.state();
    let mut state = before.clone();
    assert!(state.links_broken_since(&before).is_empty());
    change(&mut state, "sites", FileChange::Rename("sites.d")).unwrap();
    let broken = state.links_broken_since(&before);
    let broken: Vec<_> = broken.iter().map(|link| (link.path.as_str(), link.end.as_str())).collect();
    assert_eq!(broken, [("to-a", "sites/a")], "links that moved along still lead where they did");
}
