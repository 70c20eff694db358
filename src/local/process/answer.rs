//! Runs a program that should answer at once.

use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

/// Timeout of the answer.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// Maximum size of the answer, in bytes.
const MAX_ANSWER_BYTES: u64 = 1 << 20;

/// Runs a command that should answer at once. After [`ANSWER_TIMEOUT`], kills its process group.
pub(crate) async fn answer(command: &mut Command) -> io::Result<Output> {
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
