//! The room that modules run in, looked at from the inside: a child of this test gives up what a worker gives up,
//! then tries whatever an escape from the engine would try, and says what came of it.
//!
//! Run it for the table: `cargo test -p godwit-sandbox --test room`. The test has no harness, for the child is this
//! program itself, and must be alone in its process.
#![allow(unsafe_code)] // what an escape would try are bare system calls

use std::ffi::{CStr, c_long, c_void};
use std::io::{Error, Read};
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, Stdio};
use std::ptr::null;

/// What must come of an act, and whose doing it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Must {
    /// Denied by the filter of system calls, whatever it is about.
    Fail,
    /// Needed to run code that is loaded already.
    Work,
}

use Must::{Fail, Work};

type Act = (&'static str, Must, fn(&Room) -> c_long);

/// What the child knows of the world.
struct Room {
    parent: c_long,
}

/// A system call; a negative number is an error's.
macro_rules! call {
    ($number:ident $(, $argument:expr)*) => {
        // SAFETY: every act hands over numbers, null, or what lives until the call returns. Where the room is not
        // empty, it changes at worst this process, which does nothing else.
        match unsafe { libc::syscall(libc::$number $(, $argument)*) } {
            -1 => -c_long::from(Error::last_os_error().raw_os_error().unwrap_or(0)),
            answer => answer,
        }
    };
}

const FILE: &CStr = c"/tmp/godwit-room";
const HERE: libc::c_int = libc::AT_FDCWD;

fn open(path: &CStr, flags: libc::c_int) -> c_long {
    call!(SYS_openat, HERE, path.as_ptr(), flags, 0o600)
}

fn of_process(process: c_long, file: &str, flags: libc::c_int) -> c_long {
    let path = std::ffi::CString::new(format!("/proc/{process}/{file}")).expect("there is no NUL in it");
    open(&path, flags)
}

/// The child of a child must end, should there be one.
fn born(answer: c_long) -> c_long {
    if answer == 0 {
        std::process::exit(0);
    }
    answer
}

fn mapped(protection: libc::c_int) -> c_long {
    call!(SYS_mmap, null::<c_void>(), 4096, protection, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
}

const FILES: &[Act] = &[
    ("read /etc/passwd", Fail, |_| open(c"/etc/passwd", libc::O_RDONLY)),
    ("read its own executable", Fail, |_| open(c"/proc/self/exe", libc::O_RDONLY)),
    ("read its own environment", Fail, |_| open(c"/proc/self/environ", libc::O_RDONLY)),
    ("read its parent's environment", Fail, |room| of_process(room.parent, "environ", libc::O_RDONLY)),
    ("write its parent's memory", Fail, |room| of_process(room.parent, "mem", libc::O_RDWR)),
    ("write its own memory as a file", Fail, |_| open(c"/proc/self/mem", libc::O_RDWR)),
    ("open a file of its parent's again", Fail, |room| of_process(room.parent, "fd/0", libc::O_RDWR)),
    ("open a folder", Fail, |_| open(c"/", libc::O_RDONLY | libc::O_DIRECTORY)),
    ("open a path only", Fail, |_| open(c"/", libc::O_PATH)),
    ("make a file", Fail, |_| open(FILE, libc::O_WRONLY | libc::O_CREAT)),
    ("make a file without a name", Fail, |_| open(c"/tmp", libc::O_RDWR | libc::O_TMPFILE)),
    ("open a terminal", Fail, |_| open(c"/dev/tty", libc::O_RDWR)),
    ("openat2", Fail, |_| call!(SYS_openat2, HERE, c"/".as_ptr(), [0_u64; 3].as_ptr(), 24)),
    ("open by handle", Fail, |_| call!(SYS_open_by_handle_at, HERE, [0_u64; 4].as_ptr(), 0)),
    ("stat", Fail, |_| call!(SYS_statx, HERE, c"/".as_ptr(), 0, 0, [0_u64; 32].as_mut_ptr())),
    ("ask whether a file is there", Fail, |_| call!(SYS_faccessat, HERE, c"/etc/passwd".as_ptr(), 0)),
    ("read a link", Fail, |_| call!(SYS_readlinkat, HERE, c"/proc/self/exe".as_ptr(), [0_u8; 64].as_mut_ptr(), 64)),
    ("remove a file", Fail, |_| call!(SYS_unlinkat, HERE, FILE.as_ptr(), 0)),
    ("rename a file", Fail, |_| call!(SYS_renameat2, HERE, FILE.as_ptr(), HERE, c"/tmp/godwit-room-2".as_ptr(), 0)),
    ("make a folder", Fail, |_| call!(SYS_mkdirat, HERE, FILE.as_ptr(), 0o700)),
    ("make a device", Fail, |_| call!(SYS_mknodat, HERE, FILE.as_ptr(), libc::S_IFIFO | 0o600, 0)),
    ("make a link", Fail, |_| call!(SYS_linkat, HERE, c"/etc/passwd".as_ptr(), HERE, FILE.as_ptr(), 0)),
    ("make a symbolic link", Fail, |_| call!(SYS_symlinkat, c"/etc/passwd".as_ptr(), HERE, FILE.as_ptr())),
    ("change a mode", Fail, |_| call!(SYS_fchmodat, HERE, FILE.as_ptr(), 0o777)),
    ("change an owner", Fail, |_| call!(SYS_fchownat, HERE, FILE.as_ptr(), 0, 0, 0)),
    ("cut a file", Fail, |_| call!(SYS_truncate, FILE.as_ptr(), 0)),
    ("go elsewhere", Fail, |_| call!(SYS_chdir, c"/tmp".as_ptr())),
    ("watch a folder", Fail, |_| call!(SYS_inotify_init1, 0)),
    ("mount", Fail, |_| call!(SYS_mount, c"x".as_ptr(), FILE.as_ptr(), c"tmpfs".as_ptr(), 0, null::<c_void>())),
    ("open a tree of mounts", Fail, |_| call!(SYS_open_tree, HERE, c"/".as_ptr(), 1)),
    ("change the root", Fail, |_| call!(SYS_chroot, FILE.as_ptr())),
    ("swap the root", Fail, |_| call!(SYS_pivot_root, c"/".as_ptr(), c"/".as_ptr())),
];

const NETWORK: &[Act] = &[
    ("make a socket (IPv4)", Fail, |_| call!(SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0)),
    ("make a socket (IPv6)", Fail, |_| call!(SYS_socket, libc::AF_INET6, libc::SOCK_DGRAM, 0)),
    ("make a socket (local)", Fail, |_| call!(SYS_socket, libc::AF_UNIX, libc::SOCK_STREAM, 0)),
    ("make a socket (netlink)", Fail, |_| call!(SYS_socket, libc::AF_NETLINK, libc::SOCK_RAW, 0)),
    ("make a socket (packet)", Fail, |_| call!(SYS_socket, libc::AF_PACKET, libc::SOCK_RAW, 0)),
    ("make a socket (vsock)", Fail, |_| call!(SYS_socket, libc::AF_VSOCK, libc::SOCK_STREAM, 0)),
    ("make a pair of sockets", Fail, |_| {
        call!(SYS_socketpair, libc::AF_UNIX, libc::SOCK_STREAM, 0, [0_i32; 2].as_mut_ptr())
    }),
    ("connect", Fail, |_| call!(SYS_connect, 0, [0_u8; 16].as_ptr(), 16)),
    ("bind", Fail, |_| call!(SYS_bind, 0, [0_u8; 16].as_ptr(), 16)),
    ("accept", Fail, |_| call!(SYS_accept4, 0, null::<c_void>(), null::<c_void>(), 0)),
    ("send", Fail, |_| call!(SYS_sendto, 1, c"x".as_ptr(), 1, 0, null::<c_void>(), 0)),
    ("send a descriptor", Fail, |_| call!(SYS_sendmsg, 1, [0_u64; 7].as_ptr(), 0)),
];

const PROCESSES: &[Act] = &[
    #[cfg(target_arch = "x86_64")]
    ("fork", Fail, |_| born(call!(SYS_fork))),
    ("clone", Fail, |_| born(call!(SYS_clone, libc::SIGCHLD, 0, 0, 0, 0))),
    ("clone3", Fail, |_| call!(SYS_clone3, [0_u64; 11].as_ptr(), 0)),
    ("start a program", Fail, |_| call!(SYS_execve, c"/bin/sh".as_ptr(), null::<c_void>(), null::<c_void>())),
    ("start a program that is open", Fail, |_| {
        call!(SYS_execveat, 0, c"".as_ptr(), null::<c_void>(), null::<c_void>(), libc::AT_EMPTY_PATH)
    }),
    ("signal its parent (kill)", Fail, |room| call!(SYS_kill, room.parent, 0)),
    ("signal its parent (tkill)", Fail, |room| call!(SYS_tkill, room.parent, 0)),
    ("signal its parent (tgkill)", Fail, |room| call!(SYS_tgkill, room.parent, room.parent, 0)),
    ("signal its parent (sigqueue)", Fail, |room| {
        call!(SYS_rt_sigqueueinfo, room.parent, libc::SIGCONT, [-1_i64; 16].as_ptr())
    }),
    ("signal its parent by its pipe (F_SETOWN)", Fail, |room| call!(SYS_fcntl, 0, libc::F_SETOWN, room.parent)),
    ("signal everyone", Fail, |_| call!(SYS_kill, -1, 0)),
    ("get hold of its parent (pidfd)", Fail, |room| call!(SYS_pidfd_open, room.parent, 0)),
    ("take a descriptor of its parent", Fail, |_| call!(SYS_pidfd_getfd, 0, 0, 0)),
    ("trace its parent", Fail, |room| call!(SYS_ptrace, libc::PTRACE_SEIZE, room.parent, 0, 0)),
    ("read its parent's memory", Fail, |room| {
        call!(SYS_process_vm_readv, room.parent, [0_u64; 2].as_ptr(), 1, [0_u64; 2].as_ptr(), 1, 0)
    }),
    ("write its parent's memory directly", Fail, |room| {
        call!(SYS_process_vm_writev, room.parent, [0_u64; 2].as_ptr(), 1, [0_u64; 2].as_ptr(), 1, 0)
    }),
    ("compare itself with its parent", Fail, |room| call!(SYS_kcmp, room.parent, room.parent, 0, 0, 0)),
    ("set its parent's limits", Fail, |room| {
        call!(SYS_prlimit64, room.parent, libc::RLIMIT_NOFILE, null::<c_void>(), [0_u64; 2].as_mut_ptr())
    }),
    ("set its parent's priority", Fail, |room| call!(SYS_setpriority, libc::PRIO_PROCESS, room.parent, 19)),
    ("set its parent's processors", Fail, |room| call!(SYS_sched_setaffinity, room.parent, 8, [1_u64; 1].as_ptr())),
    ("wait for others", Fail, |_| call!(SYS_wait4, -1, null::<c_void>(), libc::WNOHANG, null::<c_void>())),
    ("leave its group", Fail, |_| call!(SYS_setsid)),
];

const RIGHTS: &[Act] = &[
    ("set its user", Fail, |_| call!(SYS_setuid, 0)),
    ("set its users", Fail, |_| call!(SYS_setresuid, 0, 0, 0)),
    ("set its group", Fail, |_| call!(SYS_setgid, 0)),
    ("set its groups", Fail, |_| call!(SYS_setgroups, 0, null::<c_void>())),
    ("set its capabilities", Fail, |_| call!(SYS_capset, [0_u64; 1].as_ptr(), [0_u64; 3].as_ptr())),
    ("raise its limit of file sizes", Fail, |_| raised(libc::RLIMIT_FSIZE)),
    ("raise its limit of open files", Fail, |_| raised(libc::RLIMIT_NOFILE)),
    ("raise its limit of core files", Fail, |_| raised(libc::RLIMIT_CORE)),
    ("show its memory again (PR_SET_DUMPABLE)", Fail, |_| call!(SYS_prctl, libc::PR_SET_DUMPABLE, 1, 0, 0, 0)),
    ("outlive its parent (PR_SET_PDEATHSIG)", Fail, |_| call!(SYS_prctl, libc::PR_SET_PDEATHSIG, 0, 0, 0, 0)),
    ("filter system calls", Fail, |_| call!(SYS_seccomp, 1, 0, null::<c_void>())),
    ("make another Landlock", Fail, |_| call!(SYS_landlock_create_ruleset, null::<c_void>(), 0, 1)),
    ("make a namespace", Fail, |_| call!(SYS_unshare, libc::CLONE_NEWUSER)),
    ("enter a namespace", Fail, |_| call!(SYS_setns, 0, 0)),
    ("change its personality", Fail, |_| call!(SYS_personality, 0xffff_ffff_u64)),
];

fn raised(resource: libc::__rlimit_resource_t) -> c_long {
    call!(SYS_prlimit64, 0, resource, [1_u64 << 20; 2].as_ptr(), null::<c_void>())
}

const KERNEL: &[Act] = &[
    ("memfd_create", Fail, |_| call!(SYS_memfd_create, c"x".as_ptr(), 0)),
    ("memfd_secret", Fail, |_| call!(SYS_memfd_secret, 0)),
    ("shared memory", Fail, |_| call!(SYS_shmget, 0, 4096, 0o1600)),
    ("message queue", Fail, |_| call!(SYS_msgget, 0, 0o1600)),
    ("semaphores", Fail, |_| call!(SYS_semget, 0, 1, 0o1600)),
    ("io_uring_setup", Fail, |_| call!(SYS_io_uring_setup, 1, [0_u64; 16].as_mut_ptr())),
    ("io_setup", Fail, |_| call!(SYS_io_setup, 1, [0_u64; 1].as_mut_ptr())),
    ("bpf", Fail, |_| call!(SYS_bpf, 0, [0_u64; 16].as_ptr(), 128)),
    ("userfaultfd", Fail, |_| call!(SYS_userfaultfd, 0)),
    ("perf_event_open", Fail, |_| call!(SYS_perf_event_open, [0_u64; 16].as_ptr(), 0, -1, -1, 0)),
    ("keyctl", Fail, |_| call!(SYS_keyctl, 0, -3, 0)),
    ("add_key", Fail, |_| call!(SYS_add_key, c"user".as_ptr(), c"x".as_ptr(), c"x".as_ptr(), 1, -3)),
    ("load a kernel module", Fail, |_| call!(SYS_finit_module, 0, c"".as_ptr(), 0)),
    ("load a kernel", Fail, |_| call!(SYS_kexec_load, 0, 0, null::<c_void>(), 0)),
    ("restart the machine, with the wrong word for it", Fail, |_| call!(SYS_reboot, 0, 0, 0, 0)),
    ("set the clock", Fail, |_| call!(SYS_clock_settime, 1, [0_u64; 2].as_ptr())),
    ("read the kernel's log", Fail, |_| call!(SYS_syslog, 3, null::<c_void>(), 0)),
    ("control a device (ioctl)", Fail, |_| call!(SYS_ioctl, 0, libc::TIOCSTI, c"x".as_ptr())),
    ("make a pipe", Fail, |_| call!(SYS_pipe2, [0_i32; 2].as_mut_ptr(), 0)),
    ("make an event", Fail, |_| call!(SYS_eventfd2, 0, 0)),
    ("make a timer", Fail, |_| call!(SYS_timerfd_create, 0, 0)),
    ("copy a descriptor", Fail, |_| call!(SYS_dup, 0)),
    ("splice its pipes", Fail, |_| call!(SYS_splice, 0, 0, 1, 0, 1, 0)),
    ("ask for the machine's name", Fail, |_| call!(SYS_uname, [0_u8; 400].as_mut_ptr())),
    ("ask for the machine's memory", Fail, |_| call!(SYS_sysinfo, [0_u64; 20].as_mut_ptr())),
    #[cfg(target_arch = "x86_64")]
    ("a call by its number in another ABI (x32)", Fail, |_| {
        // SAFETY: `getpid`, by a number that this kernel need not have.
        match unsafe { libc::syscall(0x4000_0000 + libc::SYS_getpid) } {
            -1 => -c_long::from(Error::last_os_error().raw_os_error().unwrap_or(0)),
            answer => answer,
        }
    }),
    ("a call that there is not", Fail, |_| {
        // SAFETY: no kernel has it.
        match unsafe { libc::syscall(100_000) } {
            -1 => -c_long::from(Error::last_os_error().raw_os_error().unwrap_or(0)),
            answer => answer,
        }
    }),
];

/// Code that was compiled is mapped, and must be made executable: so whoever escapes may bring code of its own, and
/// finds that it can do no more. A clock is left, as the standard library wants one for waiting, and chance, for its
/// hash tables; modules are given neither.
const LEFT: &[Act] = &[
    ("map memory", Work, |_| mapped(libc::PROT_READ | libc::PROT_WRITE)),
    ("map executable memory", Work, |_| mapped(libc::PROT_READ | libc::PROT_EXEC)),
    ("map memory that is writable and executable", Work, |_| {
        mapped(libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC)
    }),
    ("make memory executable", Work, |_| {
        let page = mapped(libc::PROT_READ);
        call!(SYS_mprotect, page, 4096, libc::PROT_READ | libc::PROT_EXEC)
    }),
    ("look at the clock", Work, |_| call!(SYS_clock_gettime, 0, [0_u64; 2].as_mut_ptr())),
    ("sleep", Work, |_| call!(SYS_clock_nanosleep, 0, 0, [0_u64, 1].as_ptr(), null::<c_void>())),
    ("ask for chance", Work, |_| call!(SYS_getrandom, [0_u8; 8].as_mut_ptr(), 8, 0)),
    ("know its number", Work, |_| call!(SYS_getpid)),
    ("signal itself", Work, |_| {
        let (process, thread) = (call!(SYS_getpid), call!(SYS_gettid));
        call!(SYS_tgkill, process, thread, 0)
    }),
    ("write to its pipe", Work, |_| call!(SYS_write, 1, null::<c_void>(), 0)),
];

const ALL: &[(&str, &[Act])] = &[
    ("files", FILES),
    ("network", NETWORK),
    ("processes", PROCESSES),
    ("rights", RIGHTS),
    ("kernel", KERNEL),
    ("left to it", LEFT),
];

/// Descriptors looked at.
const DESCRIPTORS: libc::c_int = 4096;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("inside"), Some(parent)) => inside(&Room { parent: parent.parse().expect("it is a number") }),
        #[cfg(target_arch = "x86_64")]
        (Some("inside-with-the-calls-of-32-bits"), _) => other_calls(),
        (Some("--list"), _) => {}
        _ => return outside(),
    }
    ExitCode::SUCCESS
}

/// Everything is tried; each line is an act and what came of it.
fn inside(room: &Room) {
    for kept in godwit_sandbox::lock_down() {
        println!("could not be given up\t{kept}");
    }
    for (_, acts) in ALL {
        for (act, _, try_it) in *acts {
            println!("{act}\t{}", outcome(try_it(room)));
        }
    }
    let open: Vec<_> =
        (0..DESCRIPTORS).filter(|&descriptor| call!(SYS_fcntl, descriptor, libc::F_GETFD) >= 0).collect();
    println!("descriptors\t{open:?}");
    println!("environment\t{}", std::env::vars_os().count());
}

fn outcome(answer: c_long) -> String {
    match i32::try_from(-answer) {
        Ok(libc::EPERM) => "EPERM".to_owned(),
        Ok(libc::EACCES) => "EACCES".to_owned(),
        Ok(number) if number > 0 => Error::from_raw_os_error(number).to_string(),
        _ => "done".to_owned(),
    }
}

/// `getpid` as programs of 32 bits call it. The filter is for one set of calls and must not let another pass.
#[cfg(target_arch = "x86_64")]
fn other_calls() {
    godwit_sandbox::lock_down();
    let answer: i32;
    // SAFETY: the call takes nothing and changes no register but the answer's.
    unsafe {
        std::arch::asm!("int 0x80", inlateout("eax") 20_i32 => answer, out("r8") _, out("r9") _, out("r10") _, out("r11") _);
    }
    println!("{answer}");
}

/// As a worker is started, but for a file that is left open for it by mistake.
fn child(arguments: &[&str]) -> (std::process::ExitStatus, String) {
    let file = tempfile::tempfile().expect("there is room for temporary files");
    // SAFETY: the descriptor is open; its copy is inherited, and closed when this process ends.
    let left_open = unsafe { libc::dup(file.as_raw_fd()) };
    assert!(left_open >= 0, "{}", Error::last_os_error());
    let mut command = Command::new("/proc/self/exe");
    command.args(arguments).env_clear().current_dir("/").process_group(0);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("this test can be started");
    let mut text = String::new();
    let mut output = child.stdout.take().expect("it was asked for");
    output.read_to_string(&mut text).expect("it writes UTF-8");
    (child.wait().expect("a child can be waited for"), text)
}

fn outside() -> ExitCode {
    let parent = std::process::id().to_string();
    let (status, text) = child(&["inside", &parent]);
    let told: Vec<_> = text.lines().filter_map(|line| line.split_once('\t')).collect();
    let found = |wanted: &str| told.iter().find(|(act, _)| *act == wanted).map_or("not tried", |(_, outcome)| outcome);
    let mut wrong = vec![];
    if !status.success() {
        wrong.push(format!("the child ended with {status}"));
    }
    for (topic, acts) in ALL {
        println!("{topic}");
        for (act, must, _) in *acts {
            let outcome = found(act);
            println!("  {act:<52} {outcome:<10} {}", layer(*must));
            if outcome != (if *must == Fail { "EPERM" } else { "done" }) {
                wrong.push(format!("{act}: {outcome}"));
            }
        }
    }
    for (what, must) in [("descriptors", "[0, 1, 2]"), ("environment", "0")] {
        println!("{what:<54} {}", found(what));
        if found(what) != must {
            wrong.push(format!("{what}: {}, not {must}", found(what)));
        }
    }
    told.iter().filter(|(act, _)| *act == "could not be given up").for_each(|(act, what)| println!("{act}: {what}"));
    wrong.extend(killed_for_other_calls());
    if wrong.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("the room is not as it should be:\n  {}", wrong.join("\n  "));
    ExitCode::FAILURE
}

fn layer(must: Must) -> &'static str {
    match must {
        Fail => "seccomp",
        Work => "allowed",
    }
}

/// A kernel without such calls ends the process as well, with another signal.
fn killed_for_other_calls() -> Option<String> {
    if !cfg!(target_arch = "x86_64") {
        return None;
    }
    let (status, text) = child(&["inside-with-the-calls-of-32-bits"]);
    println!("{:<54} {status}", "the system calls of 32 bits");
    status.signal().is_none().then(|| format!("the system calls of 32 bits: {status}, {text}"))
}
