//! What a worker does: gives up what it does not need, loads the modules, answers requests.

use std::collections::BTreeMap;
use std::io;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use godwit_model::{CollectionId, SqlConnection};

use super::chain::{Chain, Flow, Listener, Step};
use super::link::Link;
use super::protocol::{Reply, Request, StepSetup};
use super::wishes::Asker;
use super::{lockdown, raw};
use crate::{Capabilities, Granted, Limits, LogLine, SandboxError, engine};

/// Connections that were opened for the modules of a chain before the worker gave up opening anything, by step.
#[derive(Default)]
pub struct Connections {
    /// What each declared to read.
    pub inputs: BTreeMap<usize, Box<dyn SqlConnection>>,
    /// Databases of their own.
    pub scratch: BTreeMap<usize, Box<dyn SqlConnection>>,
}

/// Serves requests on standard input and output until input ends. The program calls this, and nothing else,
/// when it was started as a worker. `open` opens what the modules may query, or says why it cannot; it is the
/// last that this process opens.
pub fn serve(open: impl FnOnce() -> Result<Connections, String>) -> ExitCode {
    let inherited = lockdown::close_inherited();
    let answered = Link::open().and_then(|link| {
        let connections = open();
        let kept = lockdown::give_up(inherited);
        answer_all(Arc::new(Mutex::new(link)), connections, kept)
    });
    match answered {
        Ok(()) => ExitCode::SUCCESS,
        // The parent is gone, or has given up on this worker.
        Err(_) => ExitCode::FAILURE,
    }
}

fn answer_all(link: Arc<Mutex<Link>>, connections: Result<Connections, String>, kept: Vec<String>) -> io::Result<()> {
    let mut speaker = Speaker(link);
    let Some((Request::Start { steps, limits }, code)) = speaker.receive()? else { return Ok(()) };
    let started = connections
        .map_err(SandboxError::Worker)
        .and_then(|connections| start(steps, &code, limits, connections, &Asker(Arc::clone(&speaker.0))));
    let steps = match started {
        Ok(steps) => steps,
        Err(error) => return speaker.end(&Reply::Failed(error)),
    };
    drop(code);
    speaker.end(&Reply::Ready { kept })?;
    let mut chain = Chain::new(steps, &mut speaker);
    while let Some((request, body)) = chain.listener().receive()? {
        let answer = answer(&mut chain, request, body);
        let last = answer.err().map_or(Reply::Done, Reply::Failed);
        chain.listener().reply(&last, &[])?;
        chain.listener().flush()?;
    }
    Ok(())
}

fn start(
    steps: Vec<StepSetup>,
    code: &[u8],
    limits: Limits,
    mut connections: Connections,
    asker: &Asker,
) -> Result<Vec<Step>, SandboxError> {
    let engine = engine::of_workers()?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut rest = code;
    let mut started = vec![];
    for (number, setup) in steps.into_iter().enumerate() {
        let (own, others) = rest.split_at_checked(setup.code_bytes).ok_or_else(|| bad_request("too little code"))?;
        rest = others;
        let name = &setup.manifest.name;
        let component = raw::component(&engine, own).map_err(|error| SandboxError::unusable(name, &error))?;
        let (wants_target, wants_files) = (!setup.manifest.target.is_empty(), !setup.manifest.files.is_empty());
        let capabilities = Capabilities {
            input: connections.inputs.remove(&number),
            scratch: connections.scratch.remove(&number),
            target: wants_target.then(|| Box::new(asker.clone()) as _),
            files: wants_files.then(|| Box::new(asker.clone()) as _),
        };
        let granted = Granted::link(&component, setup.manifest, setup.parameters, limits, Arc::clone(&stop))?;
        started.push(Step::new(granted, setup.database, capabilities));
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

/// The way to the parent, shared with the modules' own questions.
struct Speaker(Arc<Mutex<Link>>);

impl Speaker {
    fn link(&self) -> std::sync::MutexGuard<'_, Link> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

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

    fn receive(&mut self) -> io::Result<Option<(Request, Vec<u8>)>> {
        self.link().receive()
    }

    fn reply(&mut self, reply: &Reply, body: &[u8]) -> io::Result<()> {
        self.link().send(reply, body)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.link().flush()
    }
}
