//! `smtrain stop`: asks jobs to stop.

use clap::Args;

use super::job_args::JobsArg;
use crate::cloud::{Cloud, CloudError};
use crate::context::Context;
use crate::error::Result;
use crate::model::JobName;
use crate::ops::find_job::FoundJob;

/// Stop jobs
///
/// The script gets SIGTERM, and 120 seconds later SIGKILL. What it has saved by then is kept. Stopping a job that has
/// ended changes nothing.
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    #[command(flatten)]
    jobs: JobsArg,
}

pub(crate) async fn run(args: StopArgs, context: &Context) -> Result<()> {
    let StopArgs { jobs } = args;
    let mut first_error = Ok(());
    for FoundJob { cloud, name, .. } in jobs.find_to_stop(context).await? {
        match stop(cloud, &name).await {
            Ok(text) => context.ui.note(text),
            // The other jobs are stopped nevertheless.
            Err(error) if first_error.is_err() => {
                context.ui.warning(format_args!("job {name} was not stopped: {error}"));
            }
            Err(error) => first_error = Err(error),
        }
    }
    first_error
}

/// Asks a job to stop. Returns the message for the user.
async fn stop(cloud: &Cloud, name: &JobName) -> Result<String> {
    match cloud.jobs.describe(name).await {
        Ok(job) if job.has_ended() => {
            return Ok(format!("job {name} has ended already: {}", job.training_job_status));
        }
        // Its processes can be stopped even if its state cannot be read.
        Ok(_) | Err(CloudError::Damaged { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    cloud.jobs.stop(name).await?;
    match cloud.jobs.describe(name).await.map(|job| job.training_job_status) {
        // It ended by itself.
        Ok(status) if status.is_final() => Ok(format!("job {name} has ended: {status}")),
        _ => Ok(format!("stopping {name}; wait for its end: smtrain wait {name}")),
    }
}
