//! `smtrain describe`: shows everything about one job.

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::job_args::JobArg;
use crate::context::Context;
use crate::error::Result;
use crate::ops::find_job::FoundJob;
use crate::view::describe::{self, DescribeJson};
use crate::view::json;

/// Show everything about one job
#[derive(Debug, Args)]
pub(crate) struct DescribeArgs {
    #[command(flatten)]
    job: JobArg,
    /// What to print on stdout
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: DescribeOutput,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DescribeOutput {
    Text,
    /// The answer of DescribeTrainingJob, with the API's names
    Json,
}

pub(crate) async fn run(args: DescribeArgs, context: &Context) -> Result<()> {
    let DescribeArgs { job, output } = args;
    let FoundJob { cloud, name, .. } = job.find(context).await?;
    let job = cloud.jobs.describe(&name).await?;
    match output {
        DescribeOutput::Text => {
            // A caller may describe the job without access to its metrics: show the rest.
            let metrics = cloud.metrics.training_metrics(&name).await.unwrap_or_else(|error| {
                context.ui.note(format_args!("metrics are left out: {error}"));
                Vec::new()
            });
            context.ui.text(describe::text(&job, &metrics, Timestamp::now()))
        }
        DescribeOutput::Json => context.ui.line(json(&DescribeJson::of(&job)?)?),
    }
}
