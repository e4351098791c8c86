//! A worker's pipes, read and written without ever waiting longer than allowed.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{ChildStdin, ChildStdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pipe::fcntl_setpipe_size;

/// How often a waiting parent looks whether the run was interrupted.
const LOOK: Duration = Duration::from_millis(50);

/// Bytes that a pipe holds, where the system allows it: a chunk, so that neither side waits in the middle of one.
const PIPE_BYTES: usize = 1 << 20;

/// Why a transfer ended early.
#[derive(Debug)]
pub(super) enum Halt {
    /// The deadline has passed.
    TimeOver,
    /// The operator interrupted the run.
    Interrupted,
    /// The other side is gone, or the pipe is broken.
    Gone,
}

/// Both pipes of a worker.
pub(super) struct Pipes {
    input: ChildStdin,
    output: ChildStdout,
    stop: Arc<AtomicBool>,
}

impl Pipes {
    pub(super) fn new(input: ChildStdin, output: ChildStdout, stop: Arc<AtomicBool>) -> std::io::Result<Self> {
        for pipe in [input.as_fd(), output.as_fd()] {
            fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
            // A smaller pipe is slower, nothing else.
            let _ = fcntl_setpipe_size(pipe, PIPE_BYTES);
        }
        Ok(Self { input, output, stop })
    }

    /// Set when the operator interrupts the run.
    pub(super) fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Whether there is time left. A transfer that need not wait does not look.
    pub(super) fn check(&self, deadline: Instant) -> Result<(), Halt> {
        time_left(deadline, &self.stop).map(drop)
    }

    /// Sends all the bytes.
    pub(super) fn send(&mut self, mut bytes: &[u8], deadline: Instant) -> Result<(), Halt> {
        while !bytes.is_empty() {
            match self.input.write(bytes) {
                Ok(0) => return Err(Halt::Gone),
                Ok(sent) => bytes = &bytes[sent..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    wait(self.input.as_fd(), PollFlags::OUT, deadline, &self.stop)?;
                }
                Err(_) => return Err(Halt::Gone),
            }
        }
        Ok(())
    }

    /// Fills the buffer.
    pub(super) fn receive(&mut self, mut buffer: &mut [u8], deadline: Instant) -> Result<(), Halt> {
        while !buffer.is_empty() {
            match self.output.read(buffer) {
                Ok(0) => return Err(Halt::Gone),
                Ok(received) => buffer = &mut buffer[received..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    wait(self.output.as_fd(), PollFlags::IN, deadline, &self.stop)?;
                }
                Err(_) => return Err(Halt::Gone),
            }
        }
        Ok(())
    }
}

fn wait(pipe: BorrowedFd<'_>, flags: PollFlags, deadline: Instant, stop: &AtomicBool) -> Result<(), Halt> {
    loop {
        let left = time_left(deadline, stop)?;
        let patience = Timespec::try_from(left.min(LOOK)).ok();
        match poll(&mut [PollFd::from_borrowed_fd(pipe, flags)], patience.as_ref()) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(_) => return Err(Halt::Gone),
        }
    }
}

fn time_left(deadline: Instant, stop: &AtomicBool) -> Result<Duration, Halt> {
    if stop.load(Ordering::Relaxed) {
        return Err(Halt::Interrupted);
    }
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Halt::TimeOver) } else { Ok(left) }
}
