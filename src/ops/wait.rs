//! Waiting for jobs to end.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::cloud::Cloud;
use crate::error::{Error, Kind, Result};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, JobStatus};

/// The pause between two looks at a local job.
const PAUSE: Duration = Duration::from_millis(200);

/// Waits until every job has ended; `ended` is told of each as it does.
pub(crate) async fn wait(
    cloud: &Cloud,
    mut jobs: Vec<JobName>,
    interrupt: &CancellationToken,
    mut ended: impl FnMut(&DescribeTrainingJobResponse) -> Result<()>,
) -> Result<Vec<DescribeTrainingJobResponse>> {
    let mut finals = Vec::new();
    loop {
        let mut running = Vec::new();
        for job in jobs {
            let state = cloud.jobs.describe(&job).await?;
            if state.training_job_status.is_final() {
                ended(&state)?;
                finals.push(state);
            } else {
                running.push(job);
            }
        }
        if running.is_empty() {
            return Ok(finals);
        }
        jobs = running;
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = interrupt.cancelled() => return Err(interrupted(&jobs)),
        }
    }
}

fn interrupted(jobs: &[JobName]) -> Error {
    let names: Vec<&str> = jobs.iter().map(JobName::as_str).collect();
    Error::new(Kind::Interrupted, "interrupted; the jobs go on")
        .hint(format!("wait again: smtrain wait {}", names.join(" ")))
}

/// What the end of the awaited jobs means for the command: Failed weighs more than Stopped.
pub(crate) fn verdict(jobs: &[DescribeTrainingJobResponse]) -> Result<()> {
    let with = |status: JobStatus| jobs.iter().find(|job| job.training_job_status == status);
    if let Some(job) = with(JobStatus::Failed) {
        let reason = job.failure_reason.as_deref().unwrap_or_default();
        let name = &job.training_job_name;
        return Err(Error::job_failed(name, reason).hint(format!("read its log: smtrain logs {name}")));
    }
    match with(JobStatus::Stopped) {
        Some(job) => Err(stopped(job)),
        None => Ok(()),
    }
}

fn stopped(job: &DescribeTrainingJobResponse) -> Error {
    let (name, phase) = (&job.training_job_name, &job.secondary_status);
    let why = if phase == "MaxRuntimeExceeded" { ": it ran longer than limits.max_run" } else { "" };
    Error::new(Kind::JobStopped, format!("job {name} was stopped{why}"))
}
