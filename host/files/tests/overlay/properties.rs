//! Random operations, held against a plain map.

use std::collections::BTreeMap;
use std::fs;

use godwit_files::TreeState;
use godwit_model::{FileChange, FileFailure as F};
use proptest::prelude::*;

use crate::fixture::*;

#[derive(Debug, Clone)]
enum Wish {
    Write(String, u64, Vec<u8>),
    Truncate(String, u64),
    MakeDirectory(String),
    Rename(String, String),
    Remove(String),
    /// Goes on with a clone, and keeps this one to be looked at later.
    Clone,
}

/// Paths and content; a directory has none.
type Model = BTreeMap<String, Option<Vec<u8>>>;

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn check_parent(model: &Model, path: &str) -> Result<(), F> {
    let mut at = 0;
    while let Some(next) = path[at..].find('/').map(|found| at + found) {
        match model.get(&path[..next]) {
            None => return Err(F::NotFound),
            Some(Some(_)) => return Err(F::NotADirectory),
            Some(None) => at = next + 1,
        }
    }
    Ok(())
}

fn file<'a>(model: &'a mut Model, path: &str) -> Result<&'a mut Vec<u8>, F> {
    check_parent(model, path)?;
    match model.get_mut(path) {
        None => Err(F::NotFound),
        Some(None) => Err(F::NotAFile),
        Some(Some(bytes)) => Ok(bytes),
    }
}

fn apply(model: &mut Model, wish: &Wish) -> Result<(), F> {
    match wish {
        Wish::Write(path, offset, bytes) => {
            check_parent(model, path)?;
            model.entry(path.clone()).or_insert_with(|| Some(vec![]));
            let content = file(model, path)?;
            let (from, to) = (usize::try_from(*offset).unwrap(), usize::try_from(*offset).unwrap() + bytes.len());
            if !bytes.is_empty() {
                content.resize(content.len().max(to), 0);
                content[from..to].copy_from_slice(bytes);
            }
            Ok(())
        }
        Wish::Truncate(path, size) => {
            file(model, path)?.resize(usize::try_from(*size).unwrap(), 0);
            Ok(())
        }
        Wish::MakeDirectory(path) => {
            check_parent(model, path)?;
            if model.contains_key(path) {
                return Err(F::AlreadyExists);
            }
            model.insert(path.clone(), None);
            Ok(())
        }
        Wish::Rename(from, to) => rename(model, from, to),
        Wish::Remove(path) => {
            check_parent(model, path)?;
            match model.contains_key(path) {
                false => Err(F::NotFound),
                true if model.keys().any(|other| parent(other) == path) => Err(F::NotEmpty),
                true => {
                    model.remove(path);
                    Ok(())
                }
            }
        }
        Wish::Clone => Ok(()),
    }
}

fn rename(model: &mut Model, from: &str, to: &str) -> Result<(), F> {
    check_parent(model, from)?;
    if !model.contains_key(from) {
        return Err(F::NotFound);
    }
    if to.starts_with(&format!("{from}/")) {
        return Err(F::InvalidPath);
    }
    check_parent(model, to)?;
    if model.contains_key(to) {
        return Err(F::AlreadyExists);
    }
    let inside = format!("{from}/");
    for path in model.keys().filter(|path| *path == from || path.starts_with(&inside)).cloned().collect::<Vec<_>>() {
        let content = model.remove(&path).unwrap();
        model.insert(format!("{to}{}", &path[from.len()..]), content);
    }
    Ok(())
}

fn perform(state: &mut TreeState, wish: &Wish) -> Result<(), F> {
    match wish {
        Wish::Write(path, offset, bytes) => write(state, path, *offset, bytes),
        Wish::Truncate(path, size) => change(state, path, FileChange::Truncate(*size)),
        Wish::MakeDirectory(path) => change(state, path, FileChange::MakeDirectory),
        Wish::Rename(from, to) => change(state, from, FileChange::Rename(to)),
        Wish::Remove(path) => change(state, path, FileChange::Remove),
        Wish::Clone => Ok(()),
    }
}

/// What a state shows, as the model has it.
fn shown(state: &TreeState) -> Model {
    let (mut model, mut folders) = (Model::new(), vec![String::new()]);
    while let Some(folder) = folders.pop() {
        for name in state.list(&folder).unwrap() {
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            let is_file = state.stat(&path).unwrap().kind == godwit_model::FileKind::File;
            model.insert(path.clone(), is_file.then(|| content(state, &path)));
            if !is_file {
                folders.push(path);
            }
        }
    }
    model
}

fn path() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof!["[ab]", Just("c.".to_owned())], 1..4).prop_map(|parts| parts.join("/"))
}

fn wish() -> impl Strategy<Value = Wish> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..6);
    prop_oneof![
        4 => (path(), 0..8_u64, bytes).prop_map(|(path, offset, bytes)| Wish::Write(path, offset, bytes)),
        2 => (path(), 0..12_u64).prop_map(|(path, size)| Wish::Truncate(path, size)),
        3 => path().prop_map(Wish::MakeDirectory),
        3 => (path(), path()).prop_map(|(from, to)| Wish::Rename(from, to)),
        2 => path().prop_map(Wish::Remove),
        1 => Just(Wish::Clone),
    ]
}

fn first() -> Model {
    let files = [("a/a/b", "deep"), ("a/b", "base"), ("b", "b")];
    let mut model: Model = files.map(|(path, content)| (path.to_owned(), Some(content.into()))).into();
    model.insert("a".to_owned(), None);
    model.insert("a/a".to_owned(), None);
    model
}

fn filled() -> Home {
    home(|live| {
        for (path, content) in first() {
            match content {
                None => fs::create_dir(live.join(path)).unwrap(),
                Some(content) => fs::write(live.join(path), content).unwrap(),
            }
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_state_is_what_a_plain_map_would_be(wishes in proptest::collection::vec(wish(), 0..60)) {
        let home = filled();
        let (mut state, mut model) = (home.state(), first());
        let mut kept = vec![];
        for wish in &wishes {
            prop_assert_eq!(perform(&mut state, wish), apply(&mut model, wish), "{:?}", wish);
            if matches!(wish, Wish::Clone) {
                kept.push((state.clone(), model.clone()));
            }
        }
        kept.push((state, model));
        for (state, model) in kept {
            prop_assert_eq!(shown(&state), model);
        }
        prop_assert!(home.base.trouble().is_none());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_tree_written_out_is_what_the_map_says(wishes in proptest::collection::vec(wish(), 0..60)) {
        let home = filled();
        let (mut state, mut model) = (home.state(), first());
        for wish in &wishes {
            prop_assert_eq!(perform(&mut state, wish), apply(&mut model, wish), "{:?}", wish);
        }
        let written: Model = home
            .materialise(&state)
            .into_iter()
            .map(|(entry, bytes)| (entry.path.as_str().to_owned(), is_file(&entry.kind).then_some(bytes)))
            .collect();
        prop_assert_eq!(written, model);
    }
}
