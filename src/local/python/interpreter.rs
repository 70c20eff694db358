//! The Python that a local job runs with.

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

/// The active environment's interpreter: what a user gets who types it.
const DEFAULT: &str = "python3";

/// The time limit of an interpreter's answer.
const LIMIT: Duration = Duration::from_secs(20);
/// The most that an answer may have, in bytes.
const MAX_ANSWER: u64 = 1 << 20;

/// Asks the interpreter about itself. Works with every Python 3.
const ASK: &str = "import json, platform, sys, sysconfig
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
    /// Where its packages are.
    pub(crate) packages: Vec<String>,
}

/// The interpreter that `[local] python` names, or the active environment's.
pub(crate) async fn find(wanted: Option<&str>) -> LocalResult<Interpreter> {
    let command = wanted.unwrap_or(DEFAULT);
    let output = answer(Command::new(command).args(["-I", "-c", ASK])).await;
    let output = output.map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => silent(command),
        _ => unusable(command, &error.to_string()),
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(unusable(command, said.trim().lines().last().unwrap_or("it failed without a word")));
    }
    serde_json::from_slice(&output.stdout).map_err(|_| unusable(command, "it did not answer as Python does"))
}

/// Runs a command that answers at once, and ends it with all that it has started where it doesn't.
async fn answer(command: &mut Command) -> io::Result<Output> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.process_group(0).kill_on_drop(true).spawn()?;
    let mut group = ProcessGroup(child.id());
    let answer = async {
        let (stdout, stderr) = (start(child.stdout.take()), start(child.stderr.take()));
        let (stdout, stderr) = tokio::try_join!(stdout, stderr)?;
        Ok(Output { status: child.wait().await?, stdout, stderr })
    };
    let answered = timeout(LIMIT, answer).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
    if answered.is_ok() {
        group.0 = None;
    }
    answered
}

/// As much of a stream as an answer may have.
async fn start(stream: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if let Some(stream) = stream {
        stream.take(MAX_ANSWER).read_to_end(&mut text).await?;
    }
    Ok(text)
}

/// A command's process group, killed when this is dropped.
struct ProcessGroup(Option<u32>);

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(group) = self.0.and_then(|id| i32::try_from(id).ok()) {
            // All may have ended meanwhile.
            let _gone = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
    }
}

fn silent(command: &str) -> LocalError {
    LocalError::Unusable {
        what: format!("{command} gave no answer within {} s, when it was asked for its version", LIMIT.as_secs()),
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

    /// Time is paused: while nothing else happens, it passes at once.
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
        assert_eq!(output.stdout.len() as u64, MAX_ANSWER);
        Ok(())
    }
}
