//! How fast records pass through a module in its worker process, beside the same Rust code run natively on one
//! thread of this process, both over the same chunks, in turns. Absolute rates are this machine's; ratios travel.
//!
//! ```text
//! cargo xtask modules && cargo bench -p godwit-tests
//! ```

use std::process::ExitCode;
use std::time::{Duration, Instant};

use godwit_model::{CollectionId, CollectionName, DatabaseName};
use godwit_sandbox::{Connections, Limits, Module, NoDesk, Options, Parameters, Worker, Workers, serve};
use godwit_sdk::bindings::Chunk;
use godwit_sdk::runtime;
use inventory_1_1_to_1_2::migration;
use serde_json::{Value, json};

/// What this program is started with as a worker.
const WORKER: &str = "worker";

/// As the host makes them.
const CHUNK_BYTES: usize = 1 << 20;

/// Chunks a round, and rounds that count.
const CHUNKS: usize = 32;
const ROUNDS: usize = 7;

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|argument| argument == WORKER) {
        return serve(|| Ok(Connections::default()));
    }
    println!("{:<28}{:>14}{:>14}{:>10}{:>22}", "", "native MB/s", "worker MB/s", "ratio", "of its rounds");
    for job in jobs() {
        println!("{}", job.measure());
    }
    ExitCode::SUCCESS
}

/// The chunks of one collection.
struct Job {
    name: &'static str,
    collection: &'static str,
    chunks: Vec<Vec<u8>>,
    /// What the native side does with a chunk; gives the bytes that it made.
    native: fn(&str, &[u8]) -> usize,
}

fn jobs() -> Vec<Job> {
    vec![
        Job { name: "typed: links", collection: "links", chunks: chunks(link), native: sdk },
        Job { name: "edit: devices", collection: "devices", chunks: chunks(device), native: sdk },
        Job { name: "edit / native serde: tags", collection: "device_tags", chunks: chunks(device_tag), native: serde },
        Job { name: "edit: tags", collection: "device_tags", chunks: chunks(device_tag), native: sdk },
    ]
}

impl Job {
    fn measure(&self) -> String {
        let mut worker = worker();
        let (mut native, mut sandboxed) = (vec![], vec![]);
        for round in 0..=ROUNDS {
            let (one, native_bytes) = timed(|| self.natively());
            let (other, bytes) = timed(|| self.through(&mut worker));
            assert_eq!(native_bytes, bytes, "{}: both sides must make the same", self.name);
            // The first warms both up.
            if round > 0 {
                native.push(self.rate(one));
                sandboxed.push(self.rate(other));
            }
        }
        let mut ratios: Vec<_> = native.iter().zip(&sandboxed).map(|(native, worker)| worker / native).collect();
        let (native, worker, ratio) = (median(&mut native), median(&mut sandboxed), median(&mut ratios));
        let (least, most) = (ratios[0], ratios[ROUNDS - 1]);
        format!("{:<28}{native:>14.0}{worker:>14.0}{ratio:>10.2}{:>22}", self.name, format!("{least:.2} to {most:.2}"))
    }

    fn natively(&self) -> usize {
        self.chunks.iter().map(|chunk| (self.native)(self.collection, chunk)).sum()
    }

    fn through(&self, worker: &mut Worker) -> usize {
        let collection =
            CollectionId { database: database(), name: CollectionName::new(self.collection).expect("a name") };
        let pass = |chunk: &Vec<u8>| {
            let flows = worker.transform(&collection, 0, chunk, &mut NoDesk).expect("the records are good");
            flows.iter().map(|flow| flow.lines.len()).sum::<usize>()
        };
        self.chunks.iter().map(pass).sum()
    }

    /// Megabytes read in a second.
    fn rate(&self, time: Duration) -> f64 {
        let bytes: usize = self.chunks.iter().map(Vec::len).sum();
        bytes as f64 / 1e6 / time.as_secs_f64()
    }
}

/// The same module, compiled for this machine.
fn sdk(collection: &str, chunk: &[u8]) -> usize {
    let chunk = Chunk { collection: collection.to_owned(), first: 0, records: chunk.to_vec() };
    let made = runtime::transform(migration, chunk).expect("the records are good");
    made.iter().map(|chunk| chunk.records.len()).sum()
}

/// The same change as it would be written without Godwit: a type in, a type out.
fn serde(_: &str, chunk: &[u8]) -> usize {
    #[derive(serde::Deserialize)]
    struct Old {
        device_id: i64,
        tag_id: i64,
    }
    #[derive(serde::Serialize)]
    struct New {
        device_id: String,
        tag_id: i64,
    }
    let mut made = Vec::with_capacity(chunk.len());
    for line in chunk.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let old: Old = serde_json::from_slice(line).expect("the records are good");
        let new = New { device_id: format!("dev-{:06}", old.device_id), tag_id: old.tag_id };
        serde_json::to_writer(&mut made, &new).expect("memory takes everything");
        made.push(b'\n');
    }
    made.len()
}

fn worker() -> Worker {
    let path = godwit_tests::modules().join("inventory-1.1-to-1.2.wasm");
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let module = Module::read("the module", bytes).expect("it is one");
    let workers = Workers::new(&Options::default(), &[WORKER]).expect("this machine runs workers");
    let parameters = Parameters::of_run("2026-01-02T03:04:05Z", "0000000000000000");
    let prepared = workers.prepare(&module, &parameters, database(), Limits::default()).expect("it compiles");
    workers.spawn(&[prepared]).expect("it starts")
}

fn database() -> DatabaseName {
    DatabaseName::new("main").expect("letters only")
}

fn chunks(record: fn(u64) -> Value) -> Vec<Vec<u8>> {
    let mut number = 0;
    let mut chunk = || {
        let mut lines = Vec::with_capacity(CHUNK_BYTES + 1024);
        while lines.len() < CHUNK_BYTES {
            number += 1;
            serde_json::to_writer(&mut lines, &record(number)).expect("memory takes everything");
            lines.push(b'\n');
        }
        lines
    };
    (0..CHUNKS).map(|_| chunk()).collect()
}

fn link(number: u64) -> Value {
    json!({
        "id": number, "device_a": number * 7 % 5000, "device_b": number * 11 % 5000, "speed_mbit": 10_000,
        "cable": "om4", "length_value": (number % 400) as f64 / 4.0, "length_unit": "cm",
    })
}

fn device(number: u64) -> Value {
    json!({
        "id": number, "name": format!("sw-dc1-{number}"), "kind": "switch", "status": "active",
        "price": (number % 10_000) as f64 / 4.0, "location": { "site": "DC1", "rack": "R08", "unit": number % 42 },
        "owner_id": number % 50, "notes": "moved with care, and put back where it was found", "serial": "FX07919",
    })
}

fn device_tag(number: u64) -> Value {
    json!({ "device_id": number % 5000, "tag_id": number % 40 })
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let made = work();
    (start.elapsed(), made)
}

/// Of an odd number of values, which it sorts.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
