//! Waiting for a condition, in place of sleeping and hoping.

use std::time::{Duration, Instant};

use super::TestResult;

/// How long a test waits for anything before it fails: generous, since only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(10);

/// Asks until there is an answer, and returns it; an error when there is none in [`PATIENCE`]. `what` names the condition.
pub(crate) fn poll<T>(what: &str, mut ask: impl FnMut() -> TestResult<Option<T>>) -> TestResult<T> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        std::thread::sleep(PAUSE);
    }
    Err(format!("waited in vain: {what}").into())
}
