//! What a run took: for the limit on memory, and for a table of all attacks, written where `GODWIT_HOSTILE_TABLE` says.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use crate::range::Ended;

const HEAD: &str = "\
Time from the start of the program to its end. Memory is the peak of what was resident (`VmHWM` of proc(5)), asked for \
every 3 ms: what a process took in its last 3 ms is missed. A worker's is that of the largest.

| attack | command | exit status | what was said | s | program, MiB | worker, MiB |
|---|---|---|---|---|---|---|
";

/// What is seen of a run from outside.
pub(crate) struct Watched {
    attack: &'static str,
    command: String,
    pub(crate) since: Instant,
    /// The most memory that the program ever had, in MiB.
    pub(crate) peak: u64,
    worker_peak: u64,
}

impl Watched {
    pub(crate) fn new(attack: &'static str, command: &str) -> Self {
        Self { attack, command: command.to_owned(), since: Instant::now(), peak: 0, worker_peak: 0 }
    }

    pub(crate) fn look(&mut self, process: u32) {
        self.peak = memory_peak(process).unwrap_or(0).max(self.peak);
        if table().is_some() {
            let workers = children(process).into_iter().filter(|&child| is_worker(child)).filter_map(memory_peak);
            self.worker_peak = workers.max().unwrap_or(0).max(self.worker_peak);
        }
    }

    /// A line of the table, where one is wanted.
    pub(crate) fn write(&self, ended: &Ended) {
        let (Some(table), true) = (table(), !self.attack.is_empty()) else { return };
        let status = ended.status.map_or("signal".to_owned(), |status| status.to_string());
        let error = ended.stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
        let said: String = error.trim_start_matches("error: ").chars().take(160).collect();
        let line = format!(
            "| {} | {} | {status} | {} | {:.2} | {} | {} |\n",
            self.attack,
            self.command,
            said.replace('|', "\\|"),
            self.since.elapsed().as_secs_f64(),
            self.peak,
            self.worker_peak
        );
        let mut file = table.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(line.as_bytes()).expect("the table can be written");
    }
}

fn table() -> Option<&'static Mutex<fs::File>> {
    static TABLE: OnceLock<Option<Mutex<fs::File>>> = OnceLock::new();
    TABLE.get_or_init(|| std::env::var_os("GODWIT_HOSTILE_TABLE").map(|path| begin(Path::new(&path)))).as_ref()
}

fn begin(path: &Path) -> Mutex<fs::File> {
    let file = OpenOptions::new().create(true).write(true).truncate(true).open(path);
    let mut file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.write_all(HEAD.as_bytes()).expect("the table can be written");
    Mutex::new(file)
}

/// `VmHWM` of proc(5), in MiB.
fn memory_peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

/// The threads of a process start its children.
fn children(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<_>>()).collect()
}

/// A child that has not become another program yet shows the memory of its parent.
pub(crate) fn is_worker(process: u32) -> bool {
    let words = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    words.split(|&byte| byte == 0).nth(1) == Some(b"worker")
}
