//! Waits for jobs to end, and turns their end into the exit code.

use std::cell::RefCell;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::failure;
use super::find_job::FoundJob;
use crate::cloud::{Cloud, CloudError, Cost, Region};
use crate::error::{Error, ErrorKind, Result};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, JobStatus};

/// Growth of the pause between two polls, in percent of the last one.
const PAUSE_GROWTH_PERCENT: u32 = 125;

/// Waits until every job has ended. `ended` is called for each as it ends.
///
/// Returns an error of kind `Interrupted` on cancellation; the jobs continue.
pub(crate) async fn wait(
    jobs: Vec<FoundJob<'_>>,
    interrupt: &CancellationToken,
    mut ended: impl FnMut(&DescribeTrainingJobResponse) -> Result<()>,
) -> Result<Vec<DescribeTrainingJobResponse>> {
    let running = RefCell::new(jobs.iter().map(|job| job.name.clone()).collect::<Vec<_>>());
    let ended = |job: &DescribeTrainingJobResponse| {
        running.borrow_mut().retain(|name| *name != job.training_job_name);
        ended(job)
    };
    tokio::select! {
        finals = until_ended(groups(jobs), ended) => finals,
        () = interrupt.cancelled() => Err(interrupted(&running.borrow())),
    }
}

fn interrupted(jobs: &[JobName]) -> Error {
    let names: Vec<&str> = jobs.iter().map(JobName::as_str).collect();
    Error::new(ErrorKind::Interrupted, "interrupted; the jobs continue")
        .hint(format!("wait again: smtrain wait {}", names.join(" ")))
}

/// Jobs of one cloud that have not ended.
struct CloudJobs<'a> {
    cloud: &'a Cloud,
    running: Vec<JobName>,
}

/// Groups jobs by cloud.
fn groups(jobs: Vec<FoundJob<'_>>) -> Vec<CloudJobs<'_>> {
    let mut groups: Vec<CloudJobs<'_>> = Vec::new();
    for FoundJob { cloud, name, .. } in jobs {
        match groups.iter_mut().find(|group| std::ptr::eq(group.cloud, cloud)) {
            Some(group) => group.running.push(name),
            None => groups.push(CloudJobs { cloud, running: vec![name] }),
        }
    }
    groups
}

/// Polls until every job has ended, with backoff.
async fn until_ended(
    mut groups: Vec<CloudJobs<'_>>,
    mut ended: impl FnMut(&DescribeTrainingJobResponse) -> Result<()>,
) -> Result<Vec<DescribeTrainingJobResponse>> {
    let mut finals = Vec::new();
    let mut pause = Duration::ZERO;
    loop {
        for group in &mut groups {
            for state in group.take_ended().await? {
                ended(&state)?;
                finals.push(state);
            }
        }
        groups.retain(|group| !group.running.is_empty());
        let intervals = || groups.iter().map(|group| group.cloud.poll_intervals);
        let initial = intervals().map(|intervals| intervals.job_initial).min();
        let max = intervals().map(|intervals| intervals.job_max).min();
        let (Some(initial), Some(max)) = (initial, max) else { return Ok(finals) };
        pause = (pause * PAUSE_GROWTH_PERCENT / 100).clamp(initial, max);
        sleep(pause).await;
    }
}

impl CloudJobs<'_> {
    /// Removes and returns the jobs that have ended.
    async fn take_ended(&mut self) -> Result<Vec<DescribeTrainingJobResponse>> {
        let statuses = self.cloud.jobs.statuses(&self.running).await?;
        let mut ended = Vec::new();
        for job in self.running.clone() {
            // A job that does not exist is described too, for its error; and one whose status may be a final one.
            if statuses.get(&job).is_none_or(|status| status.is_final() || !status.is_known()) {
                let state = self.cloud.jobs.describe(&job).await?;
                // An answer may be older than the one before.
                if state.has_ended() {
                    ended.push(state);
                    self.running.retain(|running| *running != job);
                } else {
                    self.report_unknown(&state);
                }
            }
        }
        Ok(ended)
    }

    /// Reports a job whose status this version does not know, and which goes on.
    fn report_unknown(&self, state: &DescribeTrainingJobResponse) {
        let name = &state.training_job_name;
        let status = &state.training_job_status;
        if !status.is_known() {
            let unknown = format!("job {name} is {status}, a status that this version of smtrain does not know");
            let consequence = format!("waiting for {name} until SageMaker tells the time of its end");
            self.cloud.fallbacks.report(Cost::Result, &CloudError::Other(unknown), &consequence);
        }
    }
}

/// Returns the error that the end of the jobs means for the exit code. Failed outranks a status that this version does
/// not know, and that Stopped.
pub(crate) fn verdict(jobs: &[DescribeTrainingJobResponse]) -> Result<()> {
    let with = |status: JobStatus| jobs.iter().find(|job| job.training_job_status == status);
    if let Some(job) = with(JobStatus::Failed) {
        let reason = job.failure_reason.as_deref().unwrap_or_default();
        let name = &job.training_job_name;
        let failed = Error::job_failed(name, reason);
        let is_local = job.training_job_arn.split(':').nth(3) == Some(Region::Local.as_str());
        return Err(failure::advice(reason, name.as_str(), is_local).into_iter().fold(failed, Error::hint));
    }
    let is_unknown = |job: &&DescribeTrainingJobResponse| job.has_ended() && !job.training_job_status.is_known();
    let unknown = || jobs.iter().find(is_unknown).map(ended_unknown);
    match with(JobStatus::Stopped) {
        Some(job) => Err(unknown().unwrap_or_else(|| stopped(job))),
        None => unknown().map_or(Ok(()), Err),
    }
}

/// Returns the error of a job that has ended in a status that this version does not know.
fn ended_unknown(job: &DescribeTrainingJobResponse) -> Error {
    let name = &job.training_job_name;
    let status = &job.training_job_status;
    let because = job.failure_reason.as_deref().map(|reason| format!(": {}", reason.trim_end())).unwrap_or_default();
    Error::failure(format!(
        "job {name} ended as {status}, a status that this version of smtrain does not know{because}"
    ))
    .hint(format!("see what is known of it: smtrain describe {name}"))
}

fn stopped(job: &DescribeTrainingJobResponse) -> Error {
    let name = &job.training_job_name;
    let phase = &job.secondary_status;
    let why = if phase == "MaxRuntimeExceeded" { ": it ran longer than limits.max_run" } else { "" };
    Error::new(ErrorKind::JobStopped, format!("job {name} was stopped{why}"))
}
