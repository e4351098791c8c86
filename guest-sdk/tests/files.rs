//! File trees as a module's author sees them.

use std::io::{BufRead, BufWriter, Read, Write};

use godwit_sdk::files::Kind;
use godwit_sdk::prelude::*;
use godwit_sdk::testing::Harness;

type Change = fn(&Tree) -> Result<()>;

fn finishing(finish: impl FnMut(&mut Context) -> Result<()> + 'static) -> Harness {
    Harness::new(Migration::new().finish(finish))
}

fn tree(harness: &Harness) -> Vec<(String, String)> {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    harness.files("config").into_iter().map(|(path, bytes)| (path, text(bytes))).collect()
}

#[test]
fn finish_rewrites_a_tree() {
    let mut harness = finishing(|cx| {
        let config = cx.tree("config")?;
        let text = config.read_text("main.conf")?.replace("listen", "bind");
        config.write("main.conf", text)?;
        config.make_directory_all("sites/by/name")?;
        config.make_directory_all("sites/by")?;
        config.rename("old", "sites/by/name/old")?;
        config.append("sites/log", "one\n")?;
        config.append("sites/log", "two\n")?;
        config.set_mode("main.conf", 0o600)?;
        assert_eq!(config.stat("main.conf")?.mode, 0o600);
        config.remove_all("junk")?;
        assert!(!config.exists("junk")? && config.exists("sites/by")? && !config.exists("main.conf/x")?);
        Ok(())
    })
    .file("config", "main.conf", "listen 80 and more\n")
    .file("config", "old/a.conf", "a")
    .file("config", "junk/deep/b", "b")
    .file("config", "junk/c", "c");
    harness.finish().unwrap();
    let expected =
        [("main.conf", "bind 80 and more\n"), ("sites/by/name/old/a.conf", "a"), ("sites/log", "one\ntwo\n")];
    assert_eq!(tree(&harness), expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
}

#[test]
fn a_walk_goes_down_before_it_goes_on() {
    let mut harness = finishing(|cx| {
        let config = cx.tree("config")?;
        let entries = config.walk("")?.collect::<Result<Vec<_>>>()?;
        let paths: Vec<_> = entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, ["a", "a/b", "a/b/c", "a/d", "a-b", "e"]);
        let kinds: Vec<_> = entries.iter().filter(|entry| entry.stat.kind == Kind::File).collect();
        assert_eq!((kinds.len(), kinds[0].stat.size), (4, 3));
        let below: Vec<_> = config.walk("a")?.map(|entry| Ok(entry?.path)).collect::<Result<_>>()?;
        assert_eq!(below, ["a/b", "a/b/c", "a/d"]);
        assert_eq!(config.list("a")?, ["b", "d"]);
        Ok(())
    })
    .file("config", "e", "")
    .file("config", "a/d", "")
    .file("config", "a/b/c", "123")
    .file("config", "a-b", "");
    harness.finish().unwrap();
}

#[test]
fn large_files_go_by_pieces_and_come_back_whole() {
    let large: Vec<u8> = (0..5_000_000u32).map(|n| (n % 251) as u8).collect();
    let mut harness = finishing(move |cx| {
        let config = cx.tree("config")?;
        config.write("large", &large)?;
        assert!(config.read("large")? == large);
        let mut read = Vec::new();
        config.reader("large")?.read_to_end(&mut read)?;
        assert!(read == large);
        let mut out = BufWriter::new(config.writer("lines")?);
        (0..100_000).try_for_each(|n| writeln!(out, "line {n}"))?;
        out.flush()?;
        let lines = config.reader("lines")?.lines().collect::<Result<Vec<_>, _>>()?;
        assert_eq!((lines.len(), lines[99_999].as_str()), (100_000, "line 99999"));
        config.write("large", "small now")?;
        assert_eq!(config.read_text("large")?, "small now");
        config.write("empty", "")?;
        config.writer("empty too")?;
        assert!(config.read("empty")?.is_empty() && config.read("empty too")?.is_empty());
        Ok(())
    })
    .file("config", "x", "");
    harness.finish().unwrap();
}

#[test]
fn mistakes_name_the_tree_the_path_and_the_way_out() {
    let refused = |change: Change| {
        let mut harness = finishing(move |cx| change(&cx.tree("config")?)).file("config", "a/b", "b").file(
            "config",
            "odd",
            vec![b'x', 0xff],
        );
        let error = harness.finish().unwrap_err();
        (error.code().unwrap_or_default().to_owned(), error.to_string())
    };
    let cases: [(Change, &str, &str); 10] = [
        (|tree| tree.read("c").map(drop), "not-found", "config: c cannot be read: it does not exist"),
        (
            |tree| tree.write("c/d", "x"),
            "not-found",
            "config: c/d cannot be written: it does not exist; a new file's directory must be there, see `make_directory_all`",
        ),
        (|tree| tree.reader("a").map(drop), "not-a-file", "config: a cannot be read: it is no file"),
        (
            |tree| tree.list("a/b").map(drop),
            "not-a-directory",
            "config: a/b cannot be listed: it, or what it is in, is no directory",
        ),
        (
            |tree| tree.remove("a"),
            "not-empty",
            "config: a cannot be removed: it is not empty; `remove_all` removes what is in it too",
        ),
        (
            |tree| tree.rename("odd", "a/b"),
            "already-exists",
            "config: odd cannot be renamed to a/b: there is something of that name already; remove it first",
        ),
        (
            |tree| tree.make_directory_all("a/b"),
            "already-exists",
            "config: a/b cannot be made: there is something of that name already; remove it first",
        ),
        (
            |tree| tree.write("../x", "x"),
            "invalid-path",
            "config: ../x cannot be written: a path is relative to its tree, its parts separated by /, none of them empty, . or ..",
        ),
        (
            |tree| tree.rename("a", "a/c"),
            "invalid-path",
            "config: a cannot be renamed to a/c: a path is relative to its tree, its parts separated by /, none of them empty, . or ..",
        ),
        (
            |tree| tree.read_text("odd").map(drop),
            "",
            "config: odd is not UTF-8, from byte 1 on; `read` takes any bytes",
        ),
    ];
    for (change, code, message) in cases {
        assert_eq!(refused(change), (code.to_owned(), message.to_owned()));
    }
}

#[test]
fn trees_are_written_in_finish_only_and_where_the_manifest_says_so() {
    let migration = || {
        let write = |cx: &mut Context| cx.tree("config")?.write("a", "new");
        Migration::new().edit("x", move |_, cx| write(cx)).finish(write).verify(move |cx| {
            assert_eq!(cx.tree("config")?.read_text("a")?, "new");
            write(cx)
        })
    };
    let manifest = |access: &str| format!(r#"{{"rewrites": ["x"], "files": {{"config": "{access}"}}}}"#);
    let mut harness = Harness::new(migration()).manifest(&manifest("read-write")).file("config", "a", "old");
    let error = harness.transform_lines("x", "{}\n").unwrap_err();
    assert_eq!(
        error.message(),
        "config: a cannot be written: trees are written in finish only, and where module.json asks for \"read-write\""
    );
    harness.finish().unwrap();
    assert_eq!(harness.verify().unwrap_err().code(), Some("read-only"));
    let mut harness = Harness::new(migration()).manifest(&manifest("read")).file("config", "a", "old");
    assert_eq!(harness.finish().unwrap_err().code(), Some("read-only"));
    assert_eq!(tree(&harness), [("a".to_owned(), "old".to_owned())]);
}

#[test]
fn a_tree_that_is_not_declared_does_not_exist() {
    let finish = |cx: &mut Context| cx.tree("config").map(drop);
    let harness = finishing(finish).manifest("{}").file("config", "a", "");
    for mut harness in [harness, finishing(finish)] {
        assert_eq!(
            harness.finish().unwrap_err().to_string(),
            "the file tree config cannot be opened: it does not exist, or was not granted; module.json asks for it in \"files\""
        );
    }
    let mut declared = finishing(finish).manifest(r#"{"files": {"config": "read"}}"#);
    declared.finish().unwrap();
}
