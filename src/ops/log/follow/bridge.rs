//! Going on where a call fails: a lost connection is waited for, and a log that may not be read is done without.

use std::time::Duration;

use super::{Follower, Reading};
use crate::error::{Error, Result};
use crate::model::JobName;
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::ops::log::watcher::Watcher;

/// Pauses after a lost connection: the first, and the longest that it grows to.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

impl Follower<'_> {
    fn go_on_without_log(
        &mut self,
        state: DescribeTrainingJobResponse,
        denial: &Error,
        watcher: &mut impl Watcher,
    ) -> Result<()> {
        self.take_state(state);
        self.reading = Some(Reading::Denied);
        watcher.flush()?;
        watcher.note(&without_log(self.job, denial))
    }

    /// A connection that is lost, or a service that is asked too often, is waited for; where the log may not be read, the
    /// job is followed without it; anything else ends the tail.
    pub(super) async fn bridge(&mut self, error: Error, watcher: &mut impl Watcher) -> Result<()> {
        let error = if error.is_denied() && !self.is_log_denied() {
            // Who may not describe the job learns that instead.
            match self.cloud.jobs.describe(self.job).await.map_err(Error::from) {
                Ok(state) => return self.go_on_without_log(state, &error, watcher),
                Err(error) => error,
            }
        } else {
            error
        };
        if !error.is_passing() {
            return Err(error);
        }
        if self.retry.is_none() {
            watcher.flush()?;
            watcher.note(&format!("{error}; trying again until it works"))?;
        }
        let pause = self.retry.unwrap_or(FIRST_RETRY);
        self.retry = Some((pause * 2).min(LONGEST_RETRY));
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

fn without_log(job: &JobName, denial: &Error) -> String {
    let hint = denial.hints().first().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{denial}; job {job} is followed without its log, by its status alone{hint}")
}
