//! `smtrain wait`: waits until jobs have ended.

use clap::{Args, ValueEnum};

use super::interrupt::interrupt;
use super::job_args::JobsArg;
use crate::context::Context;
use crate::error::Result;
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::ops::wait;
use crate::view::{self, JobJson, json_line};

/// Wait until jobs have ended
///
/// Exit code 0: all Completed; 3: at least one Failed; 4: at least one Stopped and none Failed.
#[derive(Debug, Args)]
pub(crate) struct WaitArgs {
    #[command(flatten)]
    jobs: JobsArg,
    /// What to print on stdout as each job ends
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: WaitOutput,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WaitOutput {
    /// Name and status
    Text,
    /// One JSON object a line
    Json,
}

pub(crate) async fn run(args: WaitArgs, context: &Context) -> Result<()> {
    let WaitArgs { jobs, output } = args;
    let jobs = jobs.find(context).await?;
    let print = |job: &DescribeTrainingJobResponse| match output {
        WaitOutput::Text => context.ui.line(format_args!("{} {}", job.training_job_name, job.training_job_status)),
        WaitOutput::Json => context.ui.line(json_line(&JobJson::of(job))?),
    };
    let progress = context.ui.progress_of_time(&format!("waiting for {}", view::count(jobs.len(), "job")));
    let show = |job: &DescribeTrainingJobResponse| progress.suspend(|| print(job));
    let ended = wait::wait(jobs, &interrupt(), show).await?;
    drop(progress);
    wait::verdict(&ended)
}
