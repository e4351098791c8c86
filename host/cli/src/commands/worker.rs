//! `godwit worker`: runs modules for another godwit.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use godwit_sandbox::Connections;

use crate::args::Worker;

/// Memory that SQL of modules may take, beside their private databases, in bytes.
const SQL_MEMORY: u64 = 256 << 20;

/// Opens what the modules may query, then gives up opening anything, and serves.
pub fn run(args: &Worker) -> ExitCode {
    godwit_sandbox::serve(|| open(args))
}

fn open(args: &Worker) -> Result<Connections, String> {
    let mut connections = Connections::default();
    let mut memory = SQL_MEMORY;
    for input in &args.input {
        let (step, path) = split(input.as_bytes()).ok_or("--input takes STEP=FILE")?;
        let connection = godwit_database::open_input(Path::new(OsStr::from_bytes(path)));
        connections.inputs.insert(step, connection.map_err(|fault| fault.to_string())?);
    }
    for scratch in &args.scratch {
        let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse().ok();
        let (step, bytes) = split(scratch.as_bytes()).ok_or("--scratch takes STEP=BYTES")?;
        let bytes: u64 = number(bytes).ok_or("--scratch takes STEP=BYTES")?;
        memory = memory.saturating_add(bytes);
        let connection = godwit_database::open_scratch(bytes).map_err(|fault| fault.to_string())?;
        connections.scratch.insert(step, connection);
    }
    godwit_database::limit_memory(memory);
    Ok(connections)
}

fn split(argument: &[u8]) -> Option<(usize, &[u8])> {
    let at = argument.iter().position(|&byte| byte == b'=')?;
    Some((std::str::from_utf8(&argument[..at]).ok()?.parse().ok()?, &argument[at + 1..]))
}
