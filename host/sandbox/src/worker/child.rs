//! What a worker does: gives up what it does not need, loads the modules, answers requests.

use std::io::{self, BufWriter, Read, StdoutLock, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use godwit_model::CollectionId;

use super::chain::{Chain, Flow, Listener, Step};
use super::protocol::{self, Reply, Request, StepSetup};
use super::{lockdown, raw};
use crate::{Granted, Limits, LogLine, SandboxError, engine};

/// Serves requests on standard input and output until input ends. The program calls this, and nothing else,
/// when it was started as a worker.
pub fn serve() -> ExitCode {
    match answer_all(&mut io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // The parent is gone, or has given up on this worker.
        Err(_) => ExitCode::FAILURE,
    }
}

fn answer_all(input: &mut impl Read, output: StdoutLock<'static>) -> io::Result<()> {
    let kept = lockdown::give_up();
    let mut speaker = Speaker(BufWriter::new(output));
    let Some((Request::Start { steps, limits }, code)) = protocol::read(input)? else { return Ok(()) };
    let steps = match start(steps, &code, limits) {
        Ok(steps) => steps,
        Err(error) => return speaker.end(&Reply::Failed(error)),
    };
    drop(code);
    speaker.end(&Reply::Ready { kept })?;
    let mut chain = Chain::new(steps, &mut speaker);
    while let Some((request, body)) = protocol::read(input)? {
        let answer = answer(&mut chain, request, body);
        let last = answer.err().map_or(Reply::Done, Reply::Failed);
        chain.listener().reply(&last, &[])?;
        chain.listener().flush()?;
    }
    Ok(())
}

fn start(steps: Vec<StepSetup>, code: &[u8], limits: Limits) -> Result<Vec<Step>, SandboxError> {
    let engine = engine::of_workers()?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut rest = code;
    let mut started = vec![];
    for setup in steps {
        let (own, others) = rest.split_at_checked(setup.code_bytes).ok_or_else(|| bad_request("too little code"))?;
        rest = others;
        let name = &setup.manifest.name;
        let component = raw::component(&engine, own).map_err(|error| SandboxError::unusable(name, &error))?;
        let granted = Granted::link(&component, setup.manifest, setup.parameters, limits, Arc::clone(&stop))?;
        started.push(Step::new(granted, setup.database));
    }
    Ok(started)
}

fn bad_request(problem: &str) -> SandboxError {
    SandboxError::Worker(format!("it was asked something senseless: {problem}"))
}

fn answer(chain: &mut Chain<'_>, request: Request, body: Vec<u8>) -> Result<(), SandboxError> {
    match request {
        Request::Start { .. } => Err(bad_request("a second start")),
        Request::Evolve(database) => {
            let evolved = chain.evolve(&database)?;
            chain.listener().reply(&Reply::Evolved(evolved), &[]).map_err(|error| broken(&error))
        }
        Request::Transform { collection, first } => {
            let flows = chain.transform(Flow { collection, lines: body }, first)?;
            send(chain, &flows)
        }
        Request::Finish => {
            let flows = chain.finish()?;
            send(chain, &flows)
        }
        Request::Verify => chain.verify(),
    }
}

fn send(chain: &mut Chain<'_>, flows: &[Flow]) -> Result<(), SandboxError> {
    let mut each = flows.iter();
    each.try_for_each(|flow| {
        chain.listener().reply(&Reply::Flow(flow.collection.clone()), &flow.lines).map_err(|error| broken(&error))
    })
}

fn broken(error: &io::Error) -> SandboxError {
    SandboxError::Worker(format!("its pipe broke: {error}"))
}

/// The way to the parent.
struct Speaker(BufWriter<StdoutLock<'static>>);

impl Speaker {
    fn end(&mut self, reply: &Reply) -> io::Result<()> {
        self.reply(reply, &[])?;
        self.flush()
    }
}

impl Listener for Speaker {
    /// Sent at once: from here on the parent counts the time.
    fn begin(&mut self, step: usize, call: &str, place: Option<(&CollectionId, u64)>) -> Result<(), SandboxError> {
        let (collection, first) = place.map(|(id, first)| (id.name.clone(), first)).unzip();
        self.end(&Reply::Begin { step, call: call.to_owned(), collection, first }).map_err(|error| broken(&error))
    }

    fn log(&mut self, step: usize, lines: Vec<LogLine>) -> Result<(), SandboxError> {
        let mut each = lines.into_iter();
        each.try_for_each(|line| self.reply(&Reply::Log { step, line }, &[])).map_err(|error| broken(&error))
    }

    fn reply(&mut self, reply: &Reply, body: &[u8]) -> io::Result<()> {
        protocol::write(&mut self.0, reply, body)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
