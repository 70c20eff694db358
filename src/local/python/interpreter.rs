//! Finds the Python interpreter of a local job.

use std::io;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

use crate::local::{LocalError, LocalResult};

/// The active environment's interpreter.
const DEFAULT_COMMAND: &str = "python3";

/// Timeout of the interpreter's answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// Maximum size of the answer, in bytes.
const MAX_ANSWER_BYTES: u64 = 1 << 20;

/// Program with which an interpreter describes itself. Works with every Python 3.
const DESCRIBE_PROGRAM: &str = "import json, platform, sys, sysconfig
print(json.dumps({'executable': sys.executable, 'version': platform.python_version(),
    'implementation': platform.python_implementation(), 'platform': sysconfig.get_platform(), 'prefix': sys.prefix,
    'packages': [path for path in sys.path if path.endswith(('site-packages', 'dist-packages'))]}))";

/// An interpreter, as it describes itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Interpreter {
    pub(crate) executable: PathBuf,
    pub(crate) version: String,
    pub(crate) implementation: String,
    pub(crate) platform: String,
    pub(crate) prefix: PathBuf,
    /// Folders of its installed packages.
    pub(crate) packages: Vec<String>,
}

/// Runs the interpreter named by `[local] python`, or the active environment's, and returns its description.
pub(crate) async fn find(wanted: Option<&str>) -> LocalResult<Interpreter> {
    let command = wanted.unwrap_or(DEFAULT_COMMAND);
    let output = answer(Command::new(command).args(["-I", "-c", DESCRIBE_PROGRAM])).await;
    let output = output.map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => silent(command),
        _ => unusable(command, &error.to_string()),
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(unusable(command, said.trim().lines().last().unwrap_or("it failed without a message")));
    }
    serde_json::from_slice(&output.stdout).map_err(|_| unusable(command, "it did not answer as Python does"))
}

/// Runs a command that should answer at once. After [`ANSWER_TIMEOUT`], kills its process group.
async fn answer(command: &mut Command) -> io::Result<Output> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.process_group(0).kill_on_drop(true).spawn()?;
    let mut group = ProcessGroup(child.id());
    let answer = async {
        let (stdout, stderr) = tokio::try_join!(read_answer(child.stdout.take()), read_answer(child.stderr.take()))?;
        Ok(Output { status: child.wait().await?, stdout, stderr })
    };
    let answered = timeout(ANSWER_TIMEOUT, answer).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
    if answered.is_ok() {
        group.0 = None;
    }
    answered
}

/// Reads a stream up to the answer's maximum size.
async fn read_answer(stream: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if let Some(stream) = stream {
        stream.take(MAX_ANSWER_BYTES).read_to_end(&mut text).await?;
    }
    Ok(text)
}

/// Process group that is killed on drop.
struct ProcessGroup(Option<u32>);

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(group) = self.0.and_then(|id| i32::try_from(id).ok()) {
            // All may have ended already.
            let _gone = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
    }
}

fn silent(command: &str) -> LocalError {
    LocalError::Unusable {
        what: format!(
            "{command} gave no answer within {} s, when it was asked for its version",
            ANSWER_TIMEOUT.as_secs()
        ),
        hint: format!(
            "run `{command} -I -c 1`, or name another Python in the spec: [local] python = \"/path/to/python3\""
        ),
    }
}

fn unusable(command: &str, why: &str) -> LocalError {
    LocalError::Unusable {
        what: format!("{command} can't be run as Python 3: {why}"),
        hint:
            "install Python 3, activate its environment, or name it in the spec: [local] python = \"/path/to/python3\""
                .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::TestResult;

    /// Time is paused, and advances at once while the test waits.
    #[tokio::test(start_paused = true)]
    async fn a_command_that_never_answers_is_given_up() -> TestResult {
        let silent = answer(Command::new("sh").args(["-c", "sleep 600 & sleep 600"])).await;
        let error = silent.err().ok_or("it answered")?;
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        Ok(())
    }

    #[tokio::test]
    async fn an_endless_answer_is_cut() -> TestResult {
        let output = answer(Command::new("sh").args(["-c", "yes"])).await?;
        assert_eq!(output.stdout.len() as u64, MAX_ANSWER_BYTES);
        Ok(())
    }
}
