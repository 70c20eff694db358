//! Recovers from failed calls: reconnects after a transient error, and continues without a log that may not be read.

use std::time::Duration;

use super::Follower;
use super::reader::FollowReader;
use crate::error::{Error, Result};
use crate::model::JobName;
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::ops::log::watcher::Watcher;

/// Pause before the first retry; doubled for each further one.
const MIN_RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause between two retries.
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(30);

impl Follower<'_> {
    /// Continues by the job's status alone.
    fn continue_without_log(
        &mut self,
        state: DescribeTrainingJobResponse,
        denial: &Error,
        watcher: &mut impl Watcher,
    ) -> Result<()> {
        self.take_state(state);
        self.reader = Some(FollowReader::Denied);
        watcher.flush()?;
        watcher.note(&without_log(self.job, denial))
    }

    /// Handles the error of a poll.
    ///
    /// After a transient error (connection, throttling) it waits with backoff, so that the next poll can retry. If the
    /// caller may not read the log, the job is followed without it. Any other error is returned.
    pub(super) async fn recover(&mut self, error: Error, watcher: &mut impl Watcher) -> Result<()> {
        let error = if error.is_denied() && !self.is_log_denied() {
            // If the job may not be described either, that denial is the error to report.
            match self.cloud.jobs.describe(self.job).await.map_err(Error::from) {
                Ok(state) => return self.continue_without_log(state, &error, watcher),
                Err(error) => error,
            }
        } else {
            error
        };
        if !error.is_transient() {
            return Err(error);
        }
        if self.retry_pause.is_none() {
            watcher.flush()?;
            watcher.note(&format!("{error}; retrying until it succeeds"))?;
        }
        let pause = self.retry_pause.unwrap_or(MIN_RETRY_PAUSE);
        self.retry_pause = Some((pause * 2).min(MAX_RETRY_PAUSE));
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// Returns the warning that the log may not be read.
fn without_log(job: &JobName, denial: &Error) -> String {
    let hint = denial.hints().first().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{denial}; job {job} is followed without its log, by its status alone{hint}")
}
