//! Components written by hand, which break the rules that every compiler keeps.

use std::fmt::Write;

use godwit_tests::with_manifest;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

use crate::range::{Range, filtered, manifest};

/// The real interface.
pub(crate) fn interface() -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path("../wit").expect("the WIT of the project can be read");
    let world = resolve.select_world(&[package], Some("migration")).expect("it has the world `migration`");
    (resolve, world)
}

/// A component of a core file.
pub(crate) fn component(mut core: Vec<u8>, resolve: &Resolve, world: WorldId) -> Vec<u8> {
    embed_component_metadata(&mut core, resolve, world, StringEncoding::UTF8).expect("the file can be described");
    let encoder = ComponentEncoder::default().validate(true).module(&core);
    encoder.and_then(|mut encoder| encoder.encode()).unwrap_or_else(|error| panic!("{error:#}"))
}

/// The parts of a core file, in WebAssembly's text. Left as it is, it gives back what it gets: results
/// lie at 64, and the one chunk that it returns at 128.
#[derive(Clone, Copy)]
struct Parts {
    imports: &'static str,
    /// What `transform` does before all else.
    first: &'static str,
    memory: &'static str,
    more: &'static str,
    /// At hand: `$engine $engine_length $collections $collections_count $objects $objects_count`.
    evolve: &'static str,
    /// At hand: `$name $name_length $first $records $records_length` and a counter `$i`.
    transform: &'static str,
    realloc: &'static str,
}

const HONEST: Parts = Parts {
    imports: "",
    first: "",
    memory: "(memory (export \"memory\") 4)",
    more: "",
    evolve: "
        (i32.store8 (i32.const 64) (i32.const 0))
        (i32.store (i32.const 72) (local.get $engine)) (i32.store (i32.const 76) (local.get $engine_length))
        (i32.store (i32.const 80) (local.get $collections)) (i32.store (i32.const 84) (local.get $collections_count))
        (i32.store (i32.const 88) (local.get $objects)) (i32.store (i32.const 92) (local.get $objects_count))
        (i32.const 64)",
    transform: "
        (i32.store8 (i32.const 64) (i32.const 0))
        (i32.store (i32.const 72) (i32.const 128)) (i32.store (i32.const 76) (i32.const 1))
        (i32.store (i32.const 128) (local.get $name)) (i32.store (i32.const 132) (local.get $name_length))
        (i64.store (i32.const 136) (local.get $first))
        (i32.store (i32.const 144) (local.get $records)) (i32.store (i32.const 148) (local.get $records_length))
        (i32.const 64)",
    realloc: "
        (global.set $free (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
        (local.set $at (global.get $free))
        (global.set $free (i32.add (global.get $free) (local.get $size)))
        (block $enough (loop $more
            (br_if $enough (i32.le_u (global.get $free) (i32.mul (memory.size) (i32.const 65536))))
            (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))
            (unreachable)))
        (local.get $at)",
};

impl Parts {
    fn component(&self) -> Vec<u8> {
        let Self { imports, first, memory, more, evolve, transform, realloc } = self;
        let text = format!(
            "(module {imports} {memory} {more}
            (global $free (mut i32) (i32.const 4096))
            (func $hand-made-evolve (export \"evolve\") (param $engine i32) (param $engine_length i32)
                (param $collections i32) (param $collections_count i32)
                (param $objects i32) (param $objects_count i32) (result i32) {evolve})
            (func $hand-made-transform (export \"transform\") (param $name i32) (param $name_length i32)
                (param $first i64) (param $records i32) (param $records_length i32) (result i32) (local $i i32)
                {first} {transform})
            (func (export \"finish\") (result i32)
                (i32.store8 (i32.const 64) (i32.const 0)) (i32.store (i32.const 76) (i32.const 0)) (i32.const 64))
            (func (export \"verify\") (result i32) (i32.store8 (i32.const 64) (i32.const 0)) (i32.const 64))
            (func $hand-made-realloc (export \"cabi_realloc\") (param i32 i32 i32) (param $size i32) (result i32)
                (local $at i32) {realloc}))"
        );
        let (resolve, world) = interface();
        component(wat::parse_str(text).unwrap_or_else(|error| panic!("{error}")), &resolve, world)
    }
}

/// Name, exit status, what is wrong.
type Attack = (&'static str, i32, Parts);

const ATTACKS: &[Attack] = &[
    ("honest", 0, HONEST),
    // A few KiB in the guest that would be 96 GiB in the host: every chunk is the same piece of memory.
    (
        "overlapping-chunks",
        5,
        Parts {
            memory: "(memory (export \"memory\") 100)",
            transform: "
                (i32.store8 (i32.const 64) (i32.const 0))
                (i32.store (i32.const 72) (i32.const 2097152)) (i32.store (i32.const 76) (i32.const 100000))
                (loop $next
                    (i32.store (call $chunk (local.get $i)) (local.get $name))
                    (i32.store offset=4 (call $chunk (local.get $i)) (local.get $name_length))
                    (i32.store offset=16 (call $chunk (local.get $i)) (i32.const 1048576))
                    (i32.store offset=20 (call $chunk (local.get $i)) (i32.const 1000000))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $next (i32.lt_u (local.get $i) (i32.const 100000))))
                (i32.const 64)",
            more: "(func $chunk (param i32) (result i32)
                (i32.add (i32.const 2097152) (i32.mul (local.get 0) (i32.const 24))))",
            ..HONEST
        },
    ),
    (
        "endless-start",
        5,
        Parts { more: "(func $hand-made-start (loop $on (br $on))) (start $hand-made-start)", ..HONEST },
    ),
    ("trap-at-start", 5, Parts { more: "(func $hand-made-start unreachable) (start $hand-made-start)", ..HONEST }),
    ("endless-allocation", 5, Parts { realloc: "(loop $on (br $on)) (unreachable)", ..HONEST }),
    ("allocation-outside", 5, Parts { realloc: "(i32.const 0xfffffff0)", ..HONEST }),
    ("result-outside", 5, Parts { transform: "(i32.const 0x7ffffff8)", ..HONEST }),
    ("result-not-aligned", 5, Parts { transform: "(i32.const 65)", ..HONEST }),
    ("result-of-no-case", 5, Parts { transform: "(i32.store8 (i32.const 64) (i32.const 7)) (i32.const 64)", ..HONEST }),
    (
        "endless-list",
        5,
        Parts {
            transform: "
                (i32.store8 (i32.const 64) (i32.const 0))
                (i32.store (i32.const 72) (i32.const 128)) (i32.store (i32.const 76) (i32.const -1))
                (i32.const 64)",
            ..HONEST
        },
    ),
    (
        "name-that-is-no-utf8",
        5,
        Parts {
            evolve: "
                (i32.store8 (i32.const 64) (i32.const 0))
                (i32.store (i32.const 128) (i32.const 0xfefefefe))
                (i32.store (i32.const 72) (i32.const 128)) (i32.store (i32.const 76) (i32.const 4))
                (i32.const 64)",
            ..HONEST
        },
    ),
    ("all-memory-at-once", 5, Parts { memory: "(memory (export \"memory\") 65536)", ..HONEST }),
    ("memory-in-two-parts", 5, Parts { more: "(memory 320) (memory 320)", ..HONEST }),
    ("large-table", 5, Parts { more: "(table 10000000 funcref)", ..HONEST }),
    ("many-large-tables", 5, Parts { more: "(table 600000 funcref) (table 600000 funcref)", ..HONEST }),
    ("divided-by-zero", 5, Parts { transform: "(i32.div_u (local.get $name) (i32.const 0))", ..HONEST }),
    (
        "endless-recursion",
        5,
        Parts {
            more: "(func $hand-made-fall (param i32) (result i32) (i32.add (call $hand-made-fall (local.get 0)) (i32.const 1)))",
            transform: "(call $hand-made-fall (i32.const 0))",
            ..HONEST
        },
    ),
];

#[test]
fn hand_made_components_are_stopped() {
    let mut text = String::new();
    for (name, status, parts) in ATTACKS {
        let range = Range::new(&with_manifest(&parts.component(), &manifest(|_| {}))).named(name);
        let ended = range.run("migrate", &["--module-time", "1", "--module-memory", "32"]);
        let said = filtered(&range, &ended);
        assert_eq!(ended.status, Some(*status), "{name}: {said}");
        let _ = writeln!(text, "## {name}\n{said}\n");
    }
    insta::assert_snapshot!("handmade", text);
}

/// A component that imports nothing.
pub(crate) fn honest() -> Vec<u8> {
    HONEST.component()
}

/// With the interface `database` at hand. Its answers lie at 320: a byte for the case, and what it holds at 324.
const ASKING: Parts = Parts {
    imports: r#"
        (import "godwit:migration/database@0.1.0" "[static]connection.open" (func $open (param i32 i32 i32)))
        (import "godwit:migration/database@0.1.0" "[method]connection.query"
            (func $query (param i32 i32 i32 i32 i32 i32)))
        (import "godwit:migration/database@0.1.0" "[method]rows.next" (func $next (param i32 i32 i32)))
        (import "godwit:migration/database@0.1.0" "[resource-drop]connection" (func $close (param i32)))
        (import "godwit:migration/database@0.1.0" "[resource-drop]rows" (func $end (param i32)))"#,
    more: r#"(data (i32.const 256) "input") (data (i32.const 272) "SELECT 1") (data (i32.const 288) "SELECT '\ff\fe'")
        (func $hand-made-open (result i32)
            (call $open (i32.const 256) (i32.const 5) (i32.const 320))
            (if (i32.load8_u (i32.const 320)) (then unreachable))
            (i32.load (i32.const 324)))
        (func $hand-made-query (param $connection i32)
            (call $query (local.get $connection) (i32.const 272) (i32.const 8) (i32.const 0) (i32.const 0)
                (i32.const 320)))
        (func $hand-made-end (param i32) (call $close (local.get 0)) (call $end (local.get 0)))"#,
    first: "
        (call $hand-made-query (call $hand-made-open))
        (call $next (i32.load (i32.const 324)) (i32.const 1) (i32.const 340))
        (if (i32.load8_u (i32.const 340)) (then unreachable))",
    ..HONEST
};

/// What a compiler would not let its program do with what it holds.
const HELD: &[Attack] = &[
    ("asking", 0, ASKING),
    ("forged-handle", 5, Parts { first: "(call $hand-made-query (i32.const 12345))", ..ASKING }),
    ("forged-handle-below-zero", 5, Parts { first: "(call $hand-made-query (i32.const -1))", ..ASKING }),
    (
        "used-after-it-was-dropped",
        5,
        Parts {
            first: "(local.set $i (call $hand-made-open)) (call $close (local.get $i))
                (call $hand-made-query (local.get $i))",
            ..ASKING
        },
    ),
    (
        "dropped-twice",
        5,
        Parts {
            first: "(local.set $i (call $hand-made-open)) (call $close (local.get $i)) (call $close (local.get $i))
               ",
            ..ASKING
        },
    ),
    (
        "of-another-kind",
        5,
        Parts { first: "(call $next (call $hand-made-open) (i32.const 1) (i32.const 340))", ..ASKING },
    ),
    ("answer-outside", 5, Parts { first: "(call $open (i32.const 256) (i32.const 5) (i32.const -16))", ..ASKING }),
    ("answer-not-aligned", 5, Parts { first: "(call $open (i32.const 256) (i32.const 5) (i32.const 321))", ..ASKING }),
    ("name-outside", 5, Parts { first: "(call $open (i32.const 256) (i32.const -1) (i32.const 320))", ..ASKING }),
    (
        "endless-values",
        5,
        Parts {
            first: "(call $query (call $hand-made-open) (i32.const 272) (i32.const 8) (i32.const 0) (i32.const -1)
                (i32.const 320))",
            ..ASKING
        },
    ),
    (
        "sql-that-is-no-utf8",
        5,
        Parts {
            first: "(call $query (call $hand-made-open) (i32.const 288) (i32.const 11) (i32.const 0) (i32.const 0)
                (i32.const 320))",
            ..ASKING
        },
    ),
    (
        "asking-at-start",
        5,
        Parts {
            imports: ASKING.imports,
            more: r#"(data (i32.const 256) "input")
                (func $hand-made-start (call $open (i32.const 256) (i32.const 5) (i32.const 320)))
                (start $hand-made-start)"#,
            ..HONEST
        },
    ),
    // Nothing is answered before the first record: the initializer traps if it is.
    (
        "asking-while-it-is-made",
        0,
        Parts {
            imports: ASKING.imports,
            more: r#"(data (i32.const 256) "input")
                (func $hand-made-initialize (export "_initialize")
                    (call $open (i32.const 256) (i32.const 5) (i32.const 320))
                    (if (i32.eqz (i32.load8_u (i32.const 320))) (then unreachable)))"#,
            ..HONEST
        },
    ),
    (
        "asking-while-it-is-handed-something",
        5,
        Parts {
            imports: ASKING.imports,
            realloc: "(call $open (i32.const 256) (i32.const 5) (i32.const 320)) (i32.const 8192)",
            ..HONEST
        },
    ),
];

#[test]
fn what_is_held_cannot_be_forged() {
    let mut text = String::new();
    for (name, status, parts) in HELD {
        let reading = manifest(|manifest| manifest["reads"] = serde_json::json!(["devices.id"]));
        let range = Range::new(&with_manifest(&parts.component(), &reading)).named(name);
        let ended = range.run("migrate", &["--module-time", "1", "--module-memory", "32", "--workers", "1"]);
        let said = filtered(&range, &ended);
        assert_eq!(ended.status, Some(*status), "{name}: {said}");
        let _ = writeln!(text, "## {name}\n{said}\n");
    }
    insta::assert_snapshot!("held", text);
}
