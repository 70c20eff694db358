//! A command: started in its sandbox, watched while it runs, ended when it takes too long.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::{CommandOutput, TestResult, poll};

/// A command to be run in a sandbox.
#[derive(Debug)]
pub(crate) struct Command {
    inner: std::process::Command,
}

impl Command {
    pub(super) fn new(inner: std::process::Command) -> Self {
        Self { inner }
    }

    /// More arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.inner.args(args);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.inner.env(name, value);
        self
    }

    /// Unsets an environment variable.
    pub(crate) fn env_remove(mut self, name: &str) -> Self {
        self.inner.env_remove(name);
        self
    }

    /// Runs it in another folder than the sandbox's root.
    pub(crate) fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.inner.current_dir(dir);
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> TestResult<CommandOutput> {
        self.start()?.finish()
    }

    /// Starts it and returns at once.
    pub(crate) fn start(mut self) -> TestResult<Running> {
        self.inner.process_group(0);
        let mut child = self.inner.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (stdout, stderr) = (Stream::of(child.stdout.take()), Stream::of(child.stderr.take()));
        Ok(Running { child, stdout, stderr })
    }
}

/// A command that runs. Killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

impl Running {
    /// Its process id, and that of its process group.
    pub(crate) fn pid(&self) -> TestResult<Pid> {
        Ok(Pid::from_raw(i32::try_from(self.child.id())?))
    }

    /// Sends a signal to its whole process group, as a terminal does with Ctrl-C and when it is closed.
    pub(crate) fn signal(&self, signal: Signal) -> TestResult {
        Ok(killpg(self.pid()?, signal)?)
    }

    /// Waits until stdout holds `text`.
    pub(crate) fn wait_for_stdout(&self, text: &str) -> TestResult {
        self.stdout.wait_for("stdout", text)
    }

    /// Waits until stderr holds `text`.
    pub(crate) fn wait_for_stderr(&self, text: &str) -> TestResult {
        self.stderr.wait_for("stderr", text)
    }

    /// Waits for its end, and for the end of both streams: a process left behind that holds one open is found out.
    pub(crate) fn finish(mut self) -> TestResult<CommandOutput> {
        let status = poll("the command's end", || Ok(self.child.try_wait()?));
        let status =
            status.map_err(|error| format!("{error}; it said\n{}{}", self.stdout.text(), self.stderr.text()))?;
        let code = shell_code(status);
        let (stdout, stderr) = (self.stdout.finish("stdout")?, self.stderr.finish("stderr")?);
        let raw = [self.stdout.bytes(), self.stderr.bytes()].concat();
        Ok(CommandOutput { stdout, stderr, code, raw })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn shell_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// One of a command's output streams, read as it comes.
#[derive(Debug)]
struct Stream {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&text);
        let reader = pipe.map(|mut pipe| {
            thread::spawn(move || {
                let mut chunk = vec![0; 64 * 1024];
                while let Ok(read @ 1..) = pipe.read(&mut chunk) {
                    let mut text = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    text.extend_from_slice(chunk.get(..read).unwrap_or_default());
                }
            })
        });
        Self { text, reader }
    }

    fn bytes(&self) -> Vec<u8> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    fn wait_for(&self, name: &str, text: &str) -> TestResult {
        poll(&format!("{text:?} on {name}"), || Ok(self.text().contains(text).then_some(())))
            .map_err(|error| format!("{error}; there was\n{}", self.text()).into())
    }

    fn finish(&mut self, name: &str) -> TestResult<String> {
        if let Some(reader) = self.reader.take() {
            poll(&format!("the end of {name}: a process left behind holds it open"), || {
                Ok(reader.is_finished().then_some(()))
            })?;
        }
        Ok(self.text())
    }
}
