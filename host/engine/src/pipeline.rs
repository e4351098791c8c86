//! The whole way of the data, in one function: [`run`].
//!
//! ```text
//! reader ──jobs──▶ threads (decompress, every module, check, compress) ──in order──▶ target
//! ```
//!
//! One thread reads, a thread per core transforms, each with a worker process that runs the modules, and the calling
//! thread writes. Order is kept by a
//! bounded queue of promises: the reader queues each job's answer before the job, and the writer takes
//! answers in that order. So at most as many chunks as the queue holds are in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use godwit_model::limits::COMPRESSION_LEVEL;
use godwit_model::{Body, Catalog, Chunk, CollectionId, Fault, Form, RecordSource, RecordTarget, records};
use godwit_sandbox::{Flow, LogLevel, Logged, Workers, tame};

use crate::EngineError;
use crate::chain::{Chain, Running, Step};
use crate::keys::{Claim, DANGLING, KeyJudge, KeyRules};
use crate::observer::{Event, Observer, Stop};
use crate::report::{Report, Violation};
use crate::views::{Answers, Statement, Views};

/// Chunks under way for each thread.
const CHUNKS_PER_THREAD: usize = 2;

/// Where the chunks go.
pub(crate) enum End<'a> {
    /// Into a target; the first violation ends the run.
    Target(&'a mut dyn RecordTarget),
    /// Nowhere: a dry run, which counts violations and goes on.
    Nowhere,
    /// Some collections into a place where a module can query them, and nothing else; none: for what the
    /// modules do to file trees only. Neither judged nor logged, for the run itself will do that.
    Aside(Option<(&'a mut dyn RecordTarget, &'a BTreeSet<CollectionId>)>),
}

impl<'a> End<'a> {
    fn form(&self) -> Option<Form> {
        match self {
            Self::Target(target) | Self::Aside(Some((target, _))) => Some(target.form()),
            Self::Nowhere | Self::Aside(None) => None,
        }
    }

    fn target(&mut self) -> Option<&mut dyn RecordTarget> {
        match self {
            Self::Target(target) | Self::Aside(Some((target, _))) => Some(&mut **target),
            Self::Nowhere | Self::Aside(None) => None,
        }
    }

    fn keeps(&self) -> Keeps<'a> {
        match self {
            Self::Target(_) | Self::Nowhere => Keeps::All,
            Self::Aside(Some((_, wanted))) => Keeps::Some(wanted),
            Self::Aside(None) => Keeps::None,
        }
    }
}

/// Which of the records that come out are of use.
#[derive(Clone, Copy)]
enum Keeps<'a> {
    All,
    Some(&'a BTreeSet<CollectionId>),
    None,
}

impl Keeps<'_> {
    fn has(self, collection: &CollectionId) -> bool {
        match self {
            Self::All => true,
            Self::Some(wanted) => wanted.contains(collection),
            Self::None => false,
        }
    }

    fn is_all(self) -> bool {
        matches!(self, Self::All)
    }
}

/// What is the same for all threads of a run.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) chain: &'a Chain,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) stop: &'a Stop,
    /// Threads that transform; 0: one a core.
    pub(crate) threads: usize,
    /// Where modules run.
    pub(crate) workers: &'a Workers,
}

/// Takes all records from the source through the chain to the end. What the modules did to file trees is in
/// the views afterwards.
pub(crate) fn run(
    run: Run<'_>,
    source: &mut dyn RecordSource,
    mut end: End<'_>,
    views: &mut Views,
) -> Result<Report, Fault> {
    let keeps = end.keeps();
    let rules = if keeps.is_all() { KeyRules::of(run.chain) } else { KeyRules::none() };
    let work = Work { run, rules: &rules, form: end.form(), keeps, catalog: &run.chain.after };
    // Before anything is begun, and on this thread: a worker process dies with the thread that started it.
    let started = start_workers(run, views, keeps.is_all())?;
    if let Some(target) = end.target() {
        target.begin(&run.chain.after)?;
    }
    let mut writer = Writer::new(run, end);
    let mut first = pass_records(work, started, source, views, &mut writer)?;
    let mut answers = views.finishing(run.chain);
    let finished = work.finish(&mut first, &mut answers);
    answers.trouble()?;
    let trees = answers.finished();
    writer.take(finished)?;
    views.keep(trees);
    if keeps.is_all() {
        writer.judge(&rules)?;
    }
    writer.complete(&mut first, views)
}

/// Reads, transforms and writes every chunk; gives one of the workers back for what comes after.
fn pass_records(
    work: Work<'_>,
    started: Vec<Running>,
    source: &mut dyn RecordSource,
    views: &Views,
    writer: &mut Writer<'_, '_>,
) -> Result<Running, Fault> {
    let run = work.run;
    let (answers_in, answers_out) = sync_channel::<Receiver<Answer>>(started.len() * CHUNKS_PER_THREAD);
    let (jobs_in, jobs_out) = sync_channel::<Job>(started.len());
    let jobs_out = Mutex::new(jobs_out);
    thread::scope(|scope| {
        let jobs = &jobs_out;
        let start = |running| scope.spawn(move || work_through(work, running, views, jobs));
        let pool: Vec<_> = started.into_iter().map(start).collect();
        let reader = scope.spawn(move || read_all(run, source, &jobs_in, &answers_in));
        let written =
            answers_out.iter().try_for_each(|answer| writer.take(answer.recv().unwrap_or_else(|_| Err(lost()))?));
        drop(answers_out);
        let read = reader.join().unwrap_or_else(|_| Err(lost()));
        let ended: Vec<_> = pool.into_iter().map(thread::ScopedJoinHandle::join).collect();
        run.stop.check()?;
        // What the writer found is the cause; the reader's complaint is its echo.
        written.and(read)?;
        ended.into_iter().next().and_then(Result::ok).ok_or_else(lost)
    })
}

/// A worker process for each thread. What this machine does not let them give up is said once, by the run itself and not
/// by those that look ahead for it.
fn start_workers(run: Run<'_>, views: &Views, says: bool) -> Result<Vec<Running>, Fault> {
    let start = |_| run.chain.start(run.workers, views.inputs());
    let started: Result<Vec<_>, _> = (0..run.thread_count()).map(start).collect();
    run.stop.check()?;
    let started = started?;
    for kept in started.first().filter(|_| says).map_or(&[][..], Running::kept) {
        run.observer.event(Event::Note(&format!("the processes that run the modules keep {kept}")));
    }
    Ok(started)
}

fn lost() -> Fault {
    Fault::system("a thread of the run was lost; this is a defect of Godwit, please report it")
}

impl Run<'_> {
    fn thread_count(&self) -> usize {
        match self.threads {
            _ if self.chain.ordered() => 1,
            0 => thread::available_parallelism().map_or(1, std::num::NonZero::get),
            count => count,
        }
    }
}

struct Job {
    chunk: Chunk,
    first: u64,
    answer: Sender<Answer>,
}

type Answer = Result<Done, Fault>;

/// A chunk that has been through the chain.
#[derive(Default)]
struct Done {
    /// Collection, records and bytes read.
    read: Option<(CollectionId, u64, u64)>,
    chunks: Vec<Chunk>,
    claims: Vec<Claim>,
    violations: Vec<Violation>,
    log: Vec<Logged>,
    /// Why a module could not go on; what it logged before comes first.
    failed: Option<Fault>,
}

/// The reader: every collection in the catalog's order, chunk by chunk.
fn read_all(
    run: Run<'_>,
    source: &mut dyn RecordSource,
    jobs: &SyncSender<Job>,
    answers: &SyncSender<Receiver<Answer>>,
) -> Result<(), Fault> {
    let collections: Vec<_> = source.catalog().collections().map(|(id, _)| id).collect();
    for collection in collections {
        let mut first = 0;
        source.read(&collection, &mut |chunk| {
            run.stop.check()?;
            let records = chunk.records;
            let (answer, promise) = channel();
            // A closed queue means that the writer gave up; it has the reason.
            answers.send(promise).map_err(|_| lost())?;
            jobs.send(Job { chunk, first, answer }).map_err(|_| lost())?;
            first += records;
            Ok(())
        })?;
    }
    Ok(())
}

/// A thread with its worker process: one job after another. Gives the worker back at the end.
fn work_through(work: Work<'_>, mut running: Running, views: &Views, jobs: &Mutex<Receiver<Job>>) -> Running {
    let mut answers = views.reading(work.run.chain);
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return running };
        // Nobody listens any more once the writer gave up.
        let done = work.one(&mut running, &mut answers, job.chunk, job.first);
        let _ = job.answer.send(answers.trouble().and(done));
    }
}

#[derive(Clone, Copy)]
struct Work<'a> {
    run: Run<'a>,
    rules: &'a KeyRules,
    form: Option<Form>,
    keeps: Keeps<'a>,
    catalog: &'a Catalog,
}

impl Work<'_> {
    /// What a thread does with one chunk.
    fn one(&self, running: &mut Running, answers: &mut Answers<'_>, chunk: Chunk, first: u64) -> Answer {
        let mut done =
            Done { read: Some((chunk.collection.clone(), chunk.records, chunk.body.length())), ..Done::default() };
        if self.run.chain.takes(&chunk.collection) {
            let origin = chunk.collection.clone();
            let flows = running.transform(&chunk.collection, first, chunk.body.into_lines()?, answers);
            done.log = running.take_log();
            match flows {
                Ok(flows) => self.accept(flows, &origin, first, &mut done)?,
                Err(fault) => done.failed = Some(fault),
            }
        } else if self.keeps.has(&chunk.collection) {
            self.pass(chunk, &mut done)?;
        }
        Ok(done)
    }

    /// A chunk that no module touches: not decoded, unless its keys are referred to by what was made.
    fn pass(&self, chunk: Chunk, done: &mut Done) -> Result<(), Fault> {
        if let Some(lens) = self.rules.lens(&chunk.collection)
            && let Some(collection) = self.catalog.collection(&chunk.collection)
        {
            let lines = chunk.body.clone().into_lines()?;
            // Data as it was need not fit its types (SQLite's often does not); only keys are taken.
            let _ = records::check(collection, &lines, |_, fields| lens.collect(fields, &mut done.claims));
        }
        done.chunks.push(self.shaped(chunk)?);
        Ok(())
    }

    /// Checks what the modules made against the new catalog.
    fn accept(&self, flows: Vec<Flow>, origin: &CollectionId, first: u64, done: &mut Done) -> Result<(), Fault> {
        for flow in flows.into_iter().filter(|flow| self.keeps.has(&flow.collection)) {
            let Some(collection) = self.catalog.collection(&flow.collection) else {
                return Err(no_such_collection(&flow.collection).into());
            };
            let lens = self.rules.lens(&flow.collection);
            let claims = &mut done.claims;
            let checked = records::check(collection, &flow.lines, |_, fields| {
                if let Some(lens) = &lens {
                    lens.collect(fields, claims);
                }
            });
            match checked {
                Ok(checked) => {
                    let body = Body::Lines(checked.reordered.unwrap_or(flow.lines));
                    let chunk = Chunk { collection: flow.collection, sequence: 0, records: checked.records, body };
                    done.chunks.push(self.shaped(chunk)?);
                }
                Err(error) if self.form.is_none() => done.violations.push(Violation {
                    rule: "type",
                    collection: flow.collection.to_string(),
                    problem: tame(&format!("{error} (made from the chunk of {origin} from record {first})")),
                }),
                Err(error) => {
                    let origin = origin.clone();
                    return Err(EngineError::BadRecord {
                        collection: flow.collection,
                        problem: tame(&error.to_string()),
                        origin,
                        first,
                    }
                    .into());
                }
            }
        }
        Ok(())
    }

    /// In the form that the target wants; a dry run keeps no bytes.
    fn shaped(&self, chunk: Chunk) -> Result<Chunk, Fault> {
        let body = match self.form {
            Some(Form::Lines) => Body::Lines(chunk.body.into_lines()?),
            Some(Form::Packed) => Body::Packed(chunk.body.into_packed(COMPRESSION_LEVEL)?),
            None => chunk.body,
        };
        Ok(Chunk { body, ..chunk })
    }

    /// What the modules still had after the last chunk.
    fn finish(&self, running: &mut Running, answers: &mut Answers<'_>) -> Done {
        let mut done = Done::default();
        let accepted = running.finish(answers).and_then(|flows| {
            flows.into_iter().try_for_each(|flow| {
                let origin = flow.collection.clone();
                self.accept(vec![flow], &origin, 0, &mut done)
            })
        });
        done.log = running.take_log();
        done.failed = accepted.err();
        done
    }
}

fn no_such_collection(collection: &CollectionId) -> EngineError {
    EngineError::Unbuildable {
        problems: vec![format!("a module made records of {collection}, which a later module of the chain removes")],
    }
}

/// The writer: gives each collection its own numbers and keeps the counts.
struct Writer<'a, 'e> {
    run: Run<'a>,
    end: End<'e>,
    sequences: BTreeMap<CollectionId, u64>,
    judge: KeyJudge,
    report: Report,
}

impl<'a, 'e> Writer<'a, 'e> {
    fn new(run: Run<'a>, end: End<'e>) -> Self {
        let mut report = Report::default();
        run.chain.steps.iter().filter_map(Step::warning).for_each(|warning| report.warning(warning));
        let visible = |catalog: &'a Catalog| catalog.collections().filter(|(_, collection)| !collection.internal);
        for (id, _) in visible(&run.chain.before).chain(visible(&run.chain.after)) {
            report.count(&id).touched = run.chain.takes(&id) || run.chain.gives(&id);
        }
        Self { run, end, sequences: BTreeMap::new(), judge: KeyJudge::new(), report }
    }

    fn take(&mut self, done: Done) -> Result<(), Fault> {
        self.run.stop.check()?;
        done.log.into_iter().for_each(|logged| self.log(&logged));
        if let Some(fault) = done.failed {
            return Err(fault);
        }
        done.violations.into_iter().for_each(|violation| self.report.violation(violation));
        self.judge.add(done.claims)?;
        for chunk in done.chunks {
            self.write(chunk)?;
        }
        if let Some((collection, records, bytes)) = done.read {
            self.count(&collection, |count| {
                count.records_in += records;
                count.bytes_in += bytes;
            });
            self.run.observer.event(Event::Advance { bytes, records });
        }
        Ok(())
    }

    fn count(&mut self, collection: &CollectionId, change: impl FnOnce(&mut crate::CollectionCount)) {
        if let Some(count) = self.report.collections.get_mut(&collection.to_string()) {
            change(count);
        }
    }

    fn write(&mut self, mut chunk: Chunk) -> Result<(), Fault> {
        if chunk.records == 0 {
            return Ok(());
        }
        let (records, bytes) = (chunk.records, chunk.body.length());
        self.count(&chunk.collection, |count| {
            count.records_out += records;
            count.bytes_out += bytes;
        });
        let next = self.sequences.entry(chunk.collection.clone()).or_default();
        chunk.sequence = *next;
        *next += 1;
        self.end.target().map_or(Ok(()), |target| target.write(chunk))
    }

    fn log(&mut self, logged: &Logged) {
        if !self.end.keeps().is_all() {
            return;
        }
        let module = self.run.chain.steps[logged.step].module.manifest().name.as_str();
        let (level, message) = (logged.line.level, logged.line.message.as_str());
        self.run.observer.event(Event::Log { module, level, message });
        if level >= LogLevel::Warn {
            self.report.warning(format!("{module}: {message}"));
        }
    }

    fn judge(&mut self, rules: &KeyRules) -> Result<(), Fault> {
        let (report, allow_dangling) = (&mut self.report, self.run.chain.allow_dangling);
        // A record that breaks its type hides those after it in its chunk, and with them keys that are referred to.
        let some_unread = report.violation_count > 0;
        if some_unread {
            report.warning("references were not checked, for not every record could be read".to_owned());
        }
        std::mem::replace(&mut self.judge, KeyJudge::new()).judge(rules, &mut |violation| match violation.rule {
            DANGLING if some_unread => {}
            DANGLING if allow_dangling => report.warning(format!("{}: {}", violation.collection, violation.problem)),
            _ => report.violation(violation),
        })?;
        match (&self.end, self.report.violations.first()) {
            (End::Target(_), Some(first)) => Err(EngineError::Violations {
                count: self.report.violation_count,
                first: format!("{}: {}: {}", first.rule, first.collection, first.problem),
            }
            .into()),
            _ => Ok(()),
        }
    }

    /// Everything is in place: the target completes it, and the modules check it before anyone sees it.
    fn complete(mut self, running: &mut Running, views: &Views) -> Result<Report, Fault> {
        let chain = self.run.chain;
        if let Some(target) = self.end.target() {
            target.complete()?;
        }
        if self.end.keeps().is_all() {
            let mut statements = vec![];
            let verified = check(chain, running, views, &mut self.end, &mut statements);
            running.take_log().iter().for_each(|logged| self.log(logged));
            verified?;
            self.report.statements = statements;
            self.report.files = views.changes();
            views.warnings().into_iter().for_each(|warning| self.report.warning(warning));
        }
        Ok(self.report)
    }
}

/// Lets the modules check the result, the last of them with the live target that it was granted.
fn check(
    chain: &Chain,
    running: &mut Running,
    views: &Views,
    end: &mut End<'_>,
    statements: &mut Vec<Statement>,
) -> Result<(), Fault> {
    let mut checking = views.checking(chain);
    let last = chain.steps.last().filter(|step| !step.module.manifest().target.is_empty());
    if let (Some(step), End::Target(target)) = (last, end) {
        let manifest = step.module.manifest();
        if let Some(session) = target.session(step.module.database(), &manifest.target)? {
            checking = checking.with_target(session, manifest.name.as_str(), statements);
        }
    }
    running.verify(&mut checking)?;
    views.trouble()
}
