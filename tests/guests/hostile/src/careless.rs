//! What an author does wrong with the SDK: panics, loops, takes all memory, talks too much.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::hint::black_box;

use godwit_sdk::host::{Level, log, optional_parameter};
use godwit_sdk::{Context, Error, Migration, Record, Result};

use crate::Behaviour::{self, Migration as Whole};

pub(crate) const BEHAVIOURS: &[(&str, Behaviour)] = &[
    ("panic", Whole(|| devices(set_on_fire))),
    ("panic-after-many-log-lines", Whole(|| devices(set_on_fire_after_many_words))),
    ("divide-by-zero", Whole(|| devices(|_, _| divide(black_box(0)).map(drop)))),
    ("abort", Whole(|| devices(|_, _| std::process::abort()))),
    ("wild-pointer", Whole(|| devices(|_, _| read_wildly()))),
    ("recursion", Whole(|| devices(|_, _| descend(0)))),
    ("endless-transform", Whole(|| devices(|_, _| run_for_ever()))),
    ("endless-evolve", Whole(|| Migration::new().evolve(|_| run_for_ever()).edit("devices", |_, _| Ok(())))),
    ("endless-finish", Whole(|| devices(|_, _| Ok(())).finish(|_| run_for_ever()))),
    ("endless-verify", Whole(|| devices(|_, _| Ok(())).verify(|_| run_for_ever()))),
    ("hoard", Whole(|| devices(|_, _| hoard()))),
    ("gulp", Whole(|| devices(|_, _| gulp()))),
    ("panic-after-refused-memory", Whole(|| devices(survive_then_burn))),
    ("huge-log-line", Whole(|| devices(|_, _| say_much()))),
    ("million-log-lines", Whole(|| devices(|_, cx| say_often(cx)))),
    ("forged-log-line", Whole(|| devices(|_, _| forge()))),
    ("dropped-output", Whole(reviving_sessions)),
    ("undeclared-parameter", Whole(|| devices(|_, _| look_for_secrets()))),
    ("run-values", Whole(|| devices(write_run_values))),
    ("state", Whole(counting)),
    ("evolve-panics", Whole(|| Migration::new().evolve(|_| set_fire_to_the_catalog()).edit("devices", |_, _| Ok(())))),
    ("evolve-warns", Whole(|| devices(|_, _| Ok(())).evolve(|_| warn_of_the_catalog()))),
];

fn devices(edit: impl FnMut(&mut Record, &mut Context) -> Result<()> + 'static) -> Migration {
    Migration::new().edit("devices", edit)
}

#[inline(never)]
fn set_on_fire(record: &mut Record, _: &mut Context) -> Result<()> {
    let id: i64 = record.get("id")?;
    panic!("rack {id} is on fire");
}

fn set_on_fire_after_many_words(record: &mut Record, cx: &mut Context) -> Result<()> {
    (0..2_000).for_each(|i| cx.info(format!("line {i}")));
    set_on_fire(record, cx)
}

#[inline(never)]
fn set_fire_to_the_catalog() -> Result<()> {
    panic!("the catalog is on fire");
}

fn warn_of_the_catalog() -> Result<()> {
    log(Level::Warn, "devices will be slower to list");
    Ok(())
}

#[inline(never)]
fn divide(by: i64) -> Result<i64> {
    Ok(black_box(7) / by)
}

#[inline(never)]
#[allow(unsafe_code, reason = "the sandbox is there for modules that do just this")]
fn read_wildly() -> Result<()> {
    let nowhere = black_box(0xffff_fff0_usize) as *const u8;
    let byte = unsafe { nowhere.read_volatile() };
    Err(Error::new(format!("there is a {byte} outside of all memory")))
}

#[inline(never)]
#[allow(unconditional_recursion, reason = "until the stack ends")]
fn descend(depth: u64) -> Result<()> {
    let frame = black_box([depth; 16]);
    descend(frame[3] + 1)?;
    black_box(frame);
    Ok(())
}

fn run_for_ever() -> Result<()> {
    let mut turn = 0_u64;
    loop {
        turn = black_box(turn.wrapping_add(1));
    }
}

fn hoard() -> Result<()> {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![1_u8; 1 << 20]));
    }
}

fn gulp() -> Result<()> {
    let much = vec![1_u8; black_box(1 << 30)];
    Err(Error::new(format!("{} bytes were there", black_box(much).len())))
}

/// The first record asks for too much and lives with the refusal; the last one, a call later or not,
/// fails for another reason, which is the one to be told.
fn survive_then_burn(record: &mut Record, cx: &mut Context) -> Result<()> {
    if Vec::<u8>::new().try_reserve_exact(black_box(1 << 30)).is_ok() {
        return Err(Error::new("a GiB was there"));
    }
    set_on_fire(record, cx)
}

fn say_much() -> Result<()> {
    log(Level::Warn, &"long ".repeat(4 << 20));
    Ok(())
}

fn say_often(cx: &mut Context) -> Result<()> {
    if cx.record_number() == 0 {
        (0..1_000_000).for_each(|_| log(Level::Warn, "again"));
    }
    Ok(())
}

fn forge() -> Result<()> {
    log(Level::Warn, "all is well\nerror: send your password to evil.example\u{1b}[2J\u{202e}txet");
    Ok(())
}

/// Drops a collection and gives it records all the same.
fn reviving_sessions() -> Migration {
    let emit = |_: &mut Record, cx: &mut Context| cx.emit("sessions", &BTreeMap::from([("token", "t")]));
    devices(emit).drop_all("sessions").evolve(|catalog| {
        catalog.drop_object("users_end_sessions")?;
        catalog.drop_collection("sessions")
    })
}

fn look_for_secrets() -> Result<()> {
    for name in ["secret", "run.secret", "", "run.timestamp ", "PATH"] {
        if let Some(value) = optional_parameter::<String>(name)? {
            return Err(Error::new(format!("{name} is {value}")));
        }
    }
    Ok(())
}

fn write_run_values(record: &mut Record, cx: &mut Context) -> Result<()> {
    let values = format!("{} {:016x}", cx.timestamp()?, cx.seed()?);
    record.set("notes", values)
}

/// Keeps a count from call to call, which only an ordered module may.
fn counting() -> Migration {
    thread_local! { static COUNT: Cell<u64> = const { Cell::new(0) }; }
    devices(|record, _| {
        COUNT.set(COUNT.get() + 1);
        record.set("notes", format!("number {}", COUNT.get()))
    })
    .finish(|cx| {
        cx.info(format!("{} devices in all", COUNT.get()));
        Ok(())
    })
}
