//! What must not become of file trees: `config` is declared, and may be written in `finish`.

use godwit_sdk::bindings::godwit::migration::files::{Error, Tree};
use godwit_sdk::bindings::{Catalog, Chunk, Failure};

use crate::Behaviour::{self, Evolve, Finish, Transform, Verify};
use crate::failure;
use crate::tried::{short, tell};

pub(crate) const BEHAVIOURS: &[(&str, Behaviour)] = &[
    ("trees-by-other-names", Transform(|chunk| Ok(vec![chunk]).inspect(|_| open_all()))),
    ("trees-in-evolve", Evolve(|catalog: Catalog| Ok(catalog).inspect(|_| open_all()))),
    ("tree-paths", Finish(paths)),
    ("tree-odd-names", Finish(odd_names)),
    ("tree-through-links", Finish(through_links)),
    ("tree-written-in-transform", Transform(|chunk: Chunk| write_everything().map(|()| vec![chunk]))),
    ("tree-written-in-verify", Verify(write_everything)),
    ("tree-written-in-finish", Finish(|| write_everything().map(|()| vec![]))),
    ("tree-renamed", Finish(renames)),
    ("tree-modes", Finish(modes)),
    ("tree-sizes", Finish(sizes)),
    ("tree-many-files", Finish(many_files)),
    ("tree-many-bytes", Finish(many_bytes)),
    ("tree-many-handles", Transform(|_| many_handles())),
    ("tree-endless-reading", Transform(|_| endless_reading())),
    ("tree-endless-writing", Finish(endless_writing)),
    ("tree-emptied", Finish(|| emptied().map(|()| vec![]))),
    ("tree-emptied-then-failing", Finish(|| emptied().and(Err(failure("and now?"))))),
    ("tree-emptied-then-panicking", Finish(|| emptied().map(|()| panic!("and now?")))),
];

type Finished = Result<Vec<Chunk>, Failure>;

fn config() -> Result<Tree, Failure> {
    Tree::open("config").map_err(|error| failure(format!("config: {}", error.name())))
}

fn outcome<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Ok(value) => short(&format!("{value:?}")),
        Err(error) => error.name().to_owned(),
    }
}

fn length(result: Result<Vec<u8>, Error>) -> String {
    outcome(result.map(|bytes| bytes.len()))
}

fn open_all() {
    for name in ["config", "", "CONFIG", "Config", "config/", "config\0", "./config", "main", "/etc", "..", "secrets"] {
        tell(&format!("open({name:?})"), &outcome(Tree::open(name).map(|_| "answers")));
    }
}

/// Each is asked for, and written to.
fn paths() -> Finished {
    let config = config()?;
    let (long, deep) = ("n".repeat(5_000), vec!["d"; 10_000].join("/"));
    let longest = "n".repeat(256);
    for path in [
        "",
        ".",
        "..",
        "/",
        "//",
        "../x",
        "/etc/passwd",
        "a/../../b",
        "sites/..",
        "sites/.",
        "./inventory.conf",
        "sites/",
        "sites//dc1.conf",
        "inventory.conf/",
        "inventory.conf/x",
        "x\0y",
        "\0",
        "%2e%2e",
        "%2E%2E/x",
        "%2e%2e%2fetc",
        "%",
        "%zz",
        "a\nb",
        "\u{1b}[2J",
        &longest,
        &long,
        &deep,
    ] {
        let told = format!(
            "stat {}, write {}",
            outcome(config.stat(path).map(|_| "answers")),
            outcome(config.write(path, 0, b"x"))
        );
        tell(&format!("{path:?}"), &told);
    }
    Ok(vec![])
}

/// They are names like any other, in this tree and nowhere else.
fn odd_names() -> Finished {
    let config = config()?;
    for path in [
        "..\\..\\x",
        "C:\\x",
        "INVENTORY.CONF",
        "Inventory.conf",
        "․․",
        "．．",
        "∕etc",
        "...",
        "~",
        "-rf",
        "$HOME",
        "\u{202e}gnp",
    ] {
        let written = outcome(config.write(path, 0, b"x"));
        tell(&format!("{path:?}"), &format!("{written}, is {}", length(config.read(path, 0, 9))));
    }
    tell("the root", &outcome(config.list("")));
    Ok(vec![])
}

fn through_links() -> Finished {
    let config = config()?;
    for path in ["default.conf", "passwd", "etc/passwd", "default.conf/x"] {
        tell(
            path,
            &format!(
                "stat {}, list {}, read {}, write {}, truncate {}, mode {}",
                outcome(config.stat(path).map(|stat| (stat.kind, stat.size))),
                outcome(config.list(path)),
                length(config.read(path, 0, 100)),
                outcome(config.write(path, 0, b"x")),
                outcome(config.truncate(path, 0)),
                outcome(config.set_mode(path, 0o777)),
            ),
        );
    }
    Ok(vec![])
}

fn write_everything() -> Result<(), Failure> {
    let config = config()?;
    let main = "inventory.conf";
    tell("write", &outcome(config.write(main, 0, b"x")));
    tell("write a new one", &outcome(config.write("new.conf", 0, b"x")));
    tell("truncate", &outcome(config.truncate(main, 0)));
    tell("set-mode", &outcome(config.set_mode(main, 0o600)));
    tell("make-directory", &outcome(config.make_directory("new")));
    tell("rename", &outcome(config.rename(main, "old.conf")));
    tell("remove", &outcome(config.remove("secret.key")));
    Ok(())
}

fn renames() -> Finished {
    let config = config()?;
    for (from, to) in [
        ("inventory.conf", "sites/dc1.conf"),
        ("inventory.conf", "inventory.conf"),
        ("sites", "sites/below"),
        ("sites", "sites"),
        ("sites", "inventory.conf"),
        ("", "all"),
        ("sites", ""),
        ("nothing", "x"),
        ("inventory.conf", "../x"),
        ("inventory.conf", "/tmp/x"),
        ("inventory.conf", "default.conf"),
        ("default.conf", "link.conf"),
        ("inventory.conf", "link.conf/x"),
        ("inventory.conf", "nowhere/x"),
    ] {
        tell(&format!("{from:?} to {to:?}"), &outcome(config.rename(from, to)));
    }
    Ok(vec![])
}

fn modes() -> Finished {
    let config = config()?;
    for mode in [0, 0o777, 0o1777, 0o2755, 0o4755, 0o7777, 0o10_0644, u32::MAX] {
        tell(&format!("{mode:o}"), &outcome(config.set_mode("inventory.conf", mode)));
    }
    tell("the root", &outcome(config.set_mode("", 0o777)));
    Ok(vec![])
}

fn sizes() -> Finished {
    let config = config()?;
    let main = "inventory.conf";
    for offset in [1 << 40, u64::MAX, u64::MAX - 1, i64::MAX as u64] {
        tell(&format!("write at {offset}"), &outcome(config.write(main, offset, b"xx")));
        tell(&format!("truncate to {offset}"), &outcome(config.truncate(main, offset)));
        tell(&format!("read at {offset}"), &length(config.read(main, offset, u32::MAX)));
    }
    tell("nothing at the end of numbers", &outcome(config.write(main, u64::MAX, b"")));
    tell("read 4 GiB", &length(config.read("sites/dc1.conf", 0, u32::MAX)));
    tell("read nothing", &length(config.read(main, 0, 0)));
    tell("stat", &outcome(config.stat(main).map(|stat| stat.size)));
    Ok(vec![])
}

fn many_files() -> Finished {
    let config = config()?;
    let refused = (0..1_000_000).find_map(|i| config.write(&format!("f{i}"), 0, b"").err().map(|error| (i, error)));
    tell("files", &refused.map_or_else(String::new, |(i, error)| format!("{i}, then {}", error.name())));
    let refused = (0..1_000).find_map(|i| config.make_directory(&format!("d{i}")).err().map(|error| (i, error)));
    tell("folders", &refused.map_or_else(String::new, |(i, error)| format!("{i}, then {}", error.name())));
    Ok(vec![])
}

fn many_bytes() -> Finished {
    let config = config()?;
    let (mib, mut at) = (vec![7; 1 << 20], 0);
    let error = loop {
        match config.write("large", at << 20, &mib) {
            Ok(()) => at += 1,
            Err(error) => break error,
        }
    };
    tell("MiB", &format!("{at}, then {}", error.name()));
    tell("a byte more, elsewhere", &outcome(config.write("small", 0, b"x")));
    tell("a hole", &outcome(config.truncate("large", 1 << 30)));
    Ok(vec![])
}

fn many_handles() -> Finished {
    let mut held = vec![];
    for _ in 0..10_000 {
        held.push(config()?);
    }
    Ok(vec![])
}

fn endless_reading() -> Finished {
    let config = config()?;
    loop {
        let _ = config.read("sites/dc1.conf", 0, u32::MAX);
    }
}

fn endless_writing() -> Finished {
    let config = config()?;
    loop {
        let _ = config.write("inventory.conf", 0, b"x");
        let _ = config.set_mode("inventory.conf", 0o600);
    }
}

fn emptied() -> Result<(), Failure> {
    let config = config()?;
    remove_below(&config, "").map_err(|error| failure(error.name()))?;
    tell("the root", &outcome(config.list("")));
    tell("its removal", &outcome(config.remove("")));
    Ok(())
}

fn remove_below(tree: &Tree, folder: &str) -> Result<(), Error> {
    for name in tree.list(folder)? {
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if tree.remove(&path).is_err() {
            remove_below(tree, &path)?;
            tree.remove(&path)?;
        }
    }
    Ok(())
}
