//! Starting a worker, calling it, killing it.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use godwit_model::{CollectionId, CollectionName, Database, DatabaseName, ModuleManifest};
use serde::Serialize;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::Flow;
use super::pipes::{Halt, Pipes};
use super::protocol::{HEAD_BYTES_MAX, PREFIX_BYTES, Reply, Request, StepSetup, head, lengths};
use super::wishes::{self, Desk, During, NoDesk};
use crate::{Excess, Limits, LogLine, Module, Options, Parameters, Place, SandboxError, convert, engine};

/// The executable itself, whatever becomes of its name while it runs.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// Time for a worker to start, to load code, and to hand an answer over once a call is done.
const WORKER_TIME: Duration = Duration::from_mins(1);

/// Time for a process that closed its pipe to end by itself.
const DYING_TIME: Duration = Duration::from_millis(100);

/// Compiles modules for worker processes and starts those. One for the whole program.
pub struct Workers {
    engine: Engine,
    stop: Arc<AtomicBool>,
    arguments: Vec<String>,
}

/// A module compiled for workers, with what it may use.
#[derive(Clone)]
pub struct Prepared {
    manifest: ModuleManifest,
    parameters: Parameters,
    database: DatabaseName,
    limits: Limits,
    code: Arc<Vec<u8>>,
    input: Option<PathBuf>,
}

/// A line that a module logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Which step of the chain.
    pub step: usize,
    /// The line.
    pub line: LogLine,
}

impl Workers {
    /// Sets the compiler up. A worker is this program itself, started with `arguments`, upon which it must call
    /// [`super::serve`].
    pub fn new(options: &Options, arguments: &[&str]) -> Result<Self, SandboxError> {
        Ok(Self {
            engine: engine::for_workers(options)?,
            stop: options.stop.clone().unwrap_or_default(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        })
    }

    /// Compiles a module and binds it to what the operator allows and to the database that it works on.
    pub fn prepare(
        &self,
        module: &Module,
        parameters: &Parameters,
        database: DatabaseName,
        limits: Limits,
    ) -> Result<Prepared, SandboxError> {
        let unusable = |error: wasmtime::Error| SandboxError::unusable(&module.manifest.name, &error);
        let parameters = parameters.for_module(&module.manifest)?;
        let component = Component::new(&self.engine, &module.bytes).map_err(unusable)?;
        let code = Arc::new(component.serialize().map_err(unusable)?);
        Ok(Prepared { manifest: module.manifest.clone(), parameters, database, limits, code, input: None })
    }

    /// The catalog as a module leaves it, held to what its manifest declares; `log` gets what it logged.
    pub fn evolve(
        &self,
        module: &Prepared,
        database: &Database,
        log: &mut Vec<Logged>,
    ) -> Result<Database, SandboxError> {
        let mut worker = self.spawn(std::slice::from_ref(module))?;
        let evolved = worker.evolve(database);
        log.extend(worker.take_log());
        // A worker's word counts no more than its module's.
        convert::checked(&module.manifest, convert::to_wit(&evolved?), database)
    }

    /// Starts a worker with a chain of at least one module.
    pub fn spawn(&self, chain: &[Prepared]) -> Result<Worker, SandboxError> {
        assert!(!chain.is_empty(), "without a module there is nothing to run");
        let mut worker = Worker::start(self, chain)
            .map_err(|error| SandboxError::Worker(format!("it cannot be started: {error}")))?;
        let setups = chain.iter().map(Prepared::setup).collect();
        let limits = chain.first().map_or_else(Limits::default, |module| module.limits);
        let code: Vec<u8> = chain.iter().flat_map(|module| module.code.iter().copied()).collect();
        worker.ask(&Request::Start { steps: setups, limits }, &code, &mut NoDesk, &mut |_, _| Ok(()))?;
        Ok(worker)
    }
}

impl Prepared {
    /// What the module says of itself.
    pub fn manifest(&self) -> &ModuleManifest {
        &self.manifest
    }

    /// The same with the database file that holds what the module declared to read.
    pub fn with_input(self, path: PathBuf) -> Self {
        Self { input: Some(path), ..self }
    }

    /// The database that it works on.
    pub fn database(&self) -> &DatabaseName {
        &self.database
    }

    /// How the program is told to open what this module may use, before it gives up opening anything.
    fn arguments(&self, step: usize) -> Vec<OsString> {
        let mut arguments = vec![];
        if let Some(path) = &self.input {
            let mut value = OsString::from(format!("{step}="));
            value.push(path);
            arguments.extend(["--input".into(), value]);
        }
        if self.manifest.scratch {
            arguments.extend(["--scratch".into(), format!("{step}={}", self.limits.scratch_bytes).into()]);
        }
        arguments
    }

    fn setup(&self) -> StepSetup {
        StepSetup {
            manifest: self.manifest.clone(),
            parameters: self.parameters.clone(),
            database: self.database.clone(),
            code_bytes: self.code.len(),
        }
    }

    fn gives(&self, collection: &CollectionId) -> bool {
        self.database == collection.database && self.manifest.gives(collection.name.as_str())
    }
}

/// A running worker; killed when dropped. After an error it must be thrown away.
pub struct Worker {
    child: Child,
    pipes: Pipes,
    chain: Vec<Prepared>,
    at: At,
    log: Vec<Logged>,
    kept: Vec<String>,
}

/// What the worker is at.
struct At {
    step: usize,
    call: String,
    collection: Option<CollectionName>,
    first: Option<u64>,
    deadline: Instant,
    /// Whether a module runs, or the worker itself does.
    in_module: bool,
}

impl At {
    fn own(call: &str) -> Self {
        let deadline = Instant::now() + WORKER_TIME;
        Self { step: 0, call: call.to_owned(), collection: None, first: None, deadline, in_module: false }
    }
}

type Take<'a> = &'a mut dyn FnMut(Reply, Vec<u8>) -> Result<(), SandboxError>;

impl Worker {
    /// No environment, no folder but the root, nothing inherited but its two pipes; a process group of its own, so
    /// that Ctrl-C on a terminal is the parent's alone.
    fn start(workers: &Workers, chain: &[Prepared]) -> io::Result<Self> {
        let mut command = Command::new(OWN_PROGRAM);
        let opened = chain.iter().enumerate().flat_map(|(step, module)| module.arguments(step));
        command.args(&workers.arguments).args(opened).env_clear().current_dir("/").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("it has no pipes"));
        };
        let pipes = Pipes::new(input, output, Arc::clone(&workers.stop))?;
        Ok(Self { child, pipes, chain: chain.to_vec(), at: At::own("its start"), log: vec![], kept: vec![] })
    }

    /// What the worker could not give up on this machine, in words; empty where it gave up everything.
    pub fn kept(&self) -> &[String] {
        &self.kept
    }

    fn evolve(&mut self, database: &Database) -> Result<Database, SandboxError> {
        let mut evolved = None;
        self.ask(&Request::Evolve(database.clone()), &[], &mut NoDesk, &mut |reply, _| {
            if let Reply::Evolved(database) = reply {
                evolved = Some(database);
            }
            Ok(())
        })?;
        evolved.ok_or_else(|| SandboxError::Worker("it gave no catalog".to_owned()))
    }

    /// Takes a chunk's lines through every module of the chain. What the modules ask meanwhile, the desk answers.
    pub fn transform(
        &mut self,
        collection: &CollectionId,
        first: u64,
        lines: &[u8],
        desk: &mut dyn Desk,
    ) -> Result<Vec<Flow>, SandboxError> {
        self.flows(&Request::Transform { collection: collection.clone(), first }, lines, desk)
    }

    /// Finishes each module, and takes what it still had through those after it.
    pub fn finish(&mut self, desk: &mut dyn Desk) -> Result<Vec<Flow>, SandboxError> {
        self.flows(&Request::Finish, &[], desk)
    }

    /// Lets each module check the result.
    pub fn verify(&mut self, desk: &mut dyn Desk) -> Result<(), SandboxError> {
        self.ask(&Request::Verify, &[], desk, &mut |_, _| Ok(()))
    }

    /// What the modules logged since the last time.
    pub fn take_log(&mut self) -> Vec<Logged> {
        std::mem::take(&mut self.log)
    }

    fn flows(&mut self, request: &Request, lines: &[u8], desk: &mut dyn Desk) -> Result<Vec<Flow>, SandboxError> {
        let mut flows = vec![];
        self.ask(request, lines, desk, &mut |reply, lines| {
            if let Reply::Flow(collection) = reply {
                flows.push(Flow { collection, lines });
            }
            Ok(())
        })?;
        match flows.iter().find(|flow| !self.may_give(&flow.collection)) {
            None => Ok(flows),
            Some(flow) => {
                Err(SandboxError::Worker(format!("it gave records of {}, which it may not", flow.collection)))
            }
        }
    }

    /// Records that pass a later module untouched were given by an earlier one.
    fn may_give(&self, collection: &CollectionId) -> bool {
        self.chain.iter().any(|module| module.gives(collection))
    }

    fn ask(&mut self, request: &Request, body: &[u8], desk: &mut dyn Desk, take: Take<'_>) -> Result<(), SandboxError> {
        self.at = At::own(if matches!(request, Request::Start { .. }) { "its start" } else { "a request" });
        self.send(request, body)?;
        let mut bytes = 0_usize;
        loop {
            let kept = bytes;
            let (reply, body) = self.hear(&mut bytes)?;
            let ends = reply.ends();
            match reply {
                Reply::Failed(error) => return Err(error),
                Reply::Begin { step, call, collection, first } => self.begin(step, &call, collection, first),
                Reply::Log { step, line } => self.log.push(Logged { step: self.known(step), line: line.tamed() }),
                Reply::Ready { kept } => self.kept = kept,
                Reply::Wish(wish) => {
                    // Its bytes are not kept beyond it.
                    bytes = kept;
                    let finishing = matches!(request, Request::Finish) && self.at.call == "finish";
                    let during =
                        During { step: self.at.step, finishing, deadline: self.at.deadline, stop: self.pipes.stop() };
                    let (answer, body) = wishes::answer(wish, &body, desk, &during);
                    // The time that an answer takes is the module's.
                    self.pipes.check(self.at.deadline).map_err(|halt| self.halted(&halt))?;
                    self.send(&answer, &body)?;
                }
                reply => {
                    // The call is over: what remains is to hand its answer over.
                    self.at.deadline = self.at.deadline.max(Instant::now() + WORKER_TIME);
                    take(reply, body)?;
                }
            }
            if ends {
                return Ok(());
            }
        }
    }

    fn send(&mut self, message: &impl Serialize, body: &[u8]) -> Result<(), SandboxError> {
        let frame = head(message, body.len()).map_err(|error| SandboxError::Worker(error.to_string()))?;
        let sent = self.pipes.send(&frame, self.at.deadline).and_then(|()| self.pipes.send(body, self.at.deadline));
        sent.map_err(|halt| self.halted(&halt))
    }

    fn begin(&mut self, step: usize, call: &str, collection: Option<CollectionName>, first: Option<u64>) {
        let step = self.known(step);
        let time = self.chain.get(step).map_or(WORKER_TIME, |module| module.limits.call_time);
        let deadline = Instant::now().checked_add(time).unwrap_or_else(|| Instant::now() + WORKER_TIME * 60);
        self.at = At { step, call: call.chars().take(16).collect(), collection, first, deadline, in_module: true };
    }

    /// A worker's word for a step, kept within the chain.
    fn known(&self, step: usize) -> usize {
        step.min(self.chain.len().saturating_sub(1))
    }

    /// Reads one reply. Lengths are the worker's word: the most that a chain may return is the most that is read.
    fn hear(&mut self, bytes: &mut usize) -> Result<(Reply, Vec<u8>), SandboxError> {
        let mut prefix = [0; PREFIX_BYTES];
        self.receive(&mut prefix)?;
        let (head, body) = lengths(prefix);
        *bytes = bytes.saturating_add(head).saturating_add(body);
        let most =
            self.chain.iter().map(|module| module.limits.output_bytes).sum::<usize>().saturating_add(HEAD_BYTES_MAX);
        if *bytes > most {
            return Err(SandboxError::Worker(format!("it answers with more than {most} bytes")));
        }
        let mut text = vec![0; head];
        self.receive(&mut text)?;
        let reply = serde_json::from_slice(&text)
            .map_err(|error| SandboxError::Worker(format!("it answers what cannot be read: {error}")))?;
        let mut lines = vec![0; body];
        self.receive(&mut lines)?;
        Ok((reply, lines))
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<(), SandboxError> {
        self.pipes.receive(buffer, self.at.deadline).map_err(|halt| self.halted(&halt))
    }

    /// Where the worker is.
    fn place(&self) -> Place {
        let At { step, call, collection, first, .. } = &self.at;
        let (module, call) = (self.chain[*step].manifest.name.clone(), call.clone().into());
        Place { module, call, collection: collection.clone(), first: *first }
    }

    fn halted(&mut self, halt: &Halt) -> SandboxError {
        let at = self.place();
        match halt {
            Halt::Interrupted => SandboxError::Interrupted { at },
            Halt::TimeOver if self.at.in_module => {
                let time = self.chain.get(self.at.step).map_or(WORKER_TIME, |module| module.limits.call_time);
                SandboxError::Exceeded { at, excess: Excess::Time(time) }
            }
            Halt::TimeOver => SandboxError::Worker(format!("it does not answer within {} s", WORKER_TIME.as_secs())),
            Halt::Gone => SandboxError::WorkerDied { at, how: self.how_it_died() },
        }
    }

    /// Its pipe is closed: it is about to end, or it must.
    fn how_it_died(&mut self) -> String {
        thread::sleep(DYING_TIME);
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
        }
        self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
