//! `smtrain stop`: asks jobs to stop.

use clap::{Args, ValueEnum};

use super::job_args::{JobToStop, JobsArg};
use crate::cloud::{Cloud, CloudError};
use crate::context::Context;
use crate::error::Result;
use crate::model::{JobName, JobStatus};
use crate::ops::find_job::FoundJob;
use crate::view::{StopJson, json_line};

/// Stop jobs
///
/// The script gets SIGTERM, and 120 seconds later SIGKILL. What it has saved by then is kept. Stopping a job that has
/// ended changes nothing.
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    #[command(flatten)]
    jobs: JobsArg,
    /// What to print on stdout
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: StopOutput,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StopOutput {
    /// Nothing: what happens is said on stderr
    Text,
    /// One JSON object a job
    Json,
}

pub(crate) async fn run(args: StopArgs, context: &Context) -> Result<()> {
    let StopArgs { jobs, output } = args;
    let mut first_error = Ok(());
    for JobToStop { given, found } in jobs.find_to_stop(context).await? {
        let name = found.as_ref().map_or(given, |found| found.name.to_string());
        let stopped = match found {
            Ok(FoundJob { cloud, name, .. }) => stop(cloud, &name).await,
            Err(error) => Err(error),
        };
        if output == StopOutput::Json {
            print(&name, &stopped, context)?;
        }
        match stopped {
            Ok(stopped) => context.ui.note(stopped.text(&name)),
            // The other jobs are stopped nevertheless.
            Err(error) if first_error.is_err() => {
                context.ui.warning(format_args!("job {name} was not stopped: {error}"));
            }
            Err(error) => first_error = Err(error),
        }
    }
    first_error
}

/// State of a job after the request to stop it.
#[derive(Debug)]
enum StoppedJob {
    /// It had ended before.
    EndedBefore(JobStatus),
    /// It ended by itself meanwhile.
    Ended(JobStatus),
    /// `None` if its state can't be read.
    Stopping(Option<JobStatus>),
}

impl StoppedJob {
    /// Returns the message for the user.
    fn text(&self, name: &str) -> String {
        match self {
            Self::EndedBefore(status) => format!("job {name} has ended already: {status}"),
            Self::Ended(status) => format!("job {name} has ended: {status}"),
            Self::Stopping(_) => format!("stopping {name}; wait for its end: smtrain wait {name}"),
        }
    }
}

fn print(name: &str, stopped: &Result<StoppedJob>, context: &Context) -> Result<()> {
    let json = match stopped {
        Ok(StoppedJob::EndedBefore(status) | StoppedJob::Ended(status)) => StopJson::new(name, Some(status), "ended"),
        Ok(StoppedJob::Stopping(status)) => StopJson::new(name, status.as_ref(), "stopping"),
        Err(error) => StopJson::failed(name, error.to_string()),
    };
    context.ui.line(json_line(&json)?)
}

/// Asks a job to stop.
async fn stop(cloud: &Cloud, name: &JobName) -> Result<StoppedJob> {
    match cloud.jobs.describe(name).await {
        Ok(job) if job.has_ended() => return Ok(StoppedJob::EndedBefore(job.training_job_status)),
        // Its processes can be stopped even if its state cannot be read.
        Ok(_) | Err(CloudError::Damaged { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    cloud.jobs.stop(name).await?;
    match cloud.jobs.describe(name).await {
        Ok(job) if job.has_ended() => Ok(StoppedJob::Ended(job.training_job_status)),
        job => Ok(StoppedJob::Stopping(job.ok().map(|job| job.training_job_status))),
    }
}
