//! What a worker gives up before it loads a module. Each part is asked for on its own; what this kernel does not
//! offer is named, so that the operator hears of it once.

use std::collections::BTreeMap;

use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetStatus, Scope};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, set_dumpable_behavior, set_parent_process_death_signal, setrlimit,
};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use super::raw;

/// Open files that a worker may have: its pipes, and anonymous memory.
const OPEN_FILES: u64 = 64;

/// What wasmtime and the standard library need to run code that is already loaded: memory, the pipes,
/// signals of their own, locks and the clock. No file by name, no socket, no program, no other process.
const NEEDED: &[libc::c_long] = &[
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_write,
    libc::SYS_writev,
];

/// What may be asked of a descriptor: not whom it signals.
const DESCRIPTOR_QUESTIONS: [libc::c_int; 3] = [libc::F_GETFD, libc::F_GETFL, libc::F_DUPFD_CLOEXEC];

/// Closes what was inherited; before this process opens anything.
pub(super) fn close_inherited() -> Result<(), String> {
    raw::close_inherited().map_err(text)
}

/// Gives up everything else that can be given up; answers what could not be. What is open stays open.
pub(super) fn give_up(inherited: Result<(), String>) -> Vec<String> {
    let parts = [
        ("files left open by whoever started the program", inherited),
        ("dying with its parent", die_with_parent()),
        ("hiding its memory", set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(text)),
        ("writing files", limit(Resource::Fsize, 0)),
        ("dumping its memory", limit(Resource::Core, 0)),
        ("opening many files", limit(Resource::Nofile, OPEN_FILES)),
        ("the file system and the network (Landlock)", no_files()),
        ("system calls that it does not need (seccomp)", few_system_calls()),
    ];
    let kept = |(what, done): (&str, Result<(), String>)| Some(format!("{what}: {}", done.err()?));
    parts.into_iter().filter_map(kept).collect()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn die_with_parent() -> Result<(), String> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(text)
}

fn limit(resource: Resource, most: u64) -> Result<(), String> {
    setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).map_err(text)
}

/// Handles every access that Landlock knows, and allows none.
fn no_files() -> Result<(), String> {
    let newest = ABI::V6;
    let ruleset = Ruleset::default().handle_access(AccessFs::from_all(newest)).map_err(text)?;
    let ruleset = ruleset.handle_access(AccessNet::from_all(newest)).map_err(text)?;
    let ruleset = ruleset.scope(Scope::from_all(newest)).map_err(text)?;
    let status = ruleset.create().map_err(text)?.restrict_self().map_err(text)?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("this kernel does not have it".to_owned()),
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(()),
    }
}

fn few_system_calls() -> Result<(), String> {
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let mut rules: BTreeMap<_, _> = NEEDED.iter().map(|&call| (call, vec![])).collect();
    // To end itself it signals itself, and nobody else.
    rules.insert(libc::SYS_tgkill, vec![with(0, std::process::id()).map_err(text)?]);
    let questions = DESCRIPTOR_QUESTIONS.iter().map(|&question| with(1, question.unsigned_abs()));
    rules.insert(libc::SYS_fcntl, questions.collect::<Result<_, _>>().map_err(text)?);
    let machine = TargetArch::try_from(std::env::consts::ARCH).map_err(text)?;
    let filter = SeccompFilter::new(rules, denied, SeccompAction::Allow, machine).map_err(text)?;
    let program = BpfProgram::try_from(filter).map_err(text)?;
    seccompiler::apply_filter(&program).map_err(text)
}

/// A call whose argument of this number is this one.
fn with(argument: u8, value: u32) -> Result<SeccompRule, BackendError> {
    let is = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value.into())?;
    SeccompRule::new(vec![is])
}
