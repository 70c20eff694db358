//! Support for the unit tests of several modules: their result type, and processes that can't hang a test.

use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(crate) type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// The time limit for a program that a test runs; all of them end within a second on a quiet machine.
const MAX_RUN_TIME: Duration = Duration::from_mins(2);

/// Runs a command to its end, without input unless the command has some. It is killed, and an error, past the time limit.
pub(crate) fn output(command: &mut Command) -> TestResult<Output> {
    finish(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
}

/// Waits for a process to end and for its output. It is killed, and an error, past the time limit.
pub(crate) fn finish(child: Child) -> TestResult<Output> {
    let pid = Pid::from_raw(child.id().try_into()?);
    let (send, receive) = mpsc::channel();
    // Ends with the process, or with the last one that holds its output open.
    thread::spawn(move || send.send(child.wait_with_output()));
    receive
        .recv_timeout(MAX_RUN_TIME)
        .map_err(|_| {
            let _gone = kill(pid, Signal::SIGKILL);
            format!("process {pid} did not end within {MAX_RUN_TIME:?}")
        })?
        .map_err(Into::into)
}
