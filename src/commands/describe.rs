//! `smtrain describe`: shows everything about one job.

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::job_args::JobArg;
use crate::cloud::{Cloud, CloudResult};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::ops::find_job::FoundJob;
use crate::view::describe::{self, DescribeJson, DescribedJob};
use crate::view::json;

/// Consequence of metrics that can't be read.
const ONLY_LAST_VALUES: &str = "only the last value of each metric is shown";

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
        DescribeOutput::Text => show(cloud, &job, context).await,
        DescribeOutput::Json => context.ui.line(json(&DescribeJson::of(&job)?)?),
    }
}

/// Shows the page. A caller may describe the job without access to its metrics or tags: the rest is shown.
async fn show(cloud: &Cloud, job: &DescribeTrainingJobResponse, context: &Context) -> Result<()> {
    let has_last = job.final_metric_data_list.as_ref().is_some_and(|metrics| !metrics.is_empty());
    let (metrics, tags) = tokio::join!(cloud.metrics.training_metrics(job), cloud.jobs.tags(job));
    let without_metrics = if has_last { ONLY_LAST_VALUES } else { "the job's metrics are left out" };
    let metrics = or_warn(metrics, without_metrics, context);
    let tags = or_warn(tags, "the job's tags are left out", context);
    if metrics.is_expired && has_last {
        context.ui.note(format_args!("{ONLY_LAST_VALUES}: CloudWatch keeps the others for 455 days"));
    }
    let described = DescribedJob { job, metrics: &metrics, tags: &tags };
    context.ui.text(describe::text(&described, Timestamp::now()))
}

/// Returns the default in place of an error, after a warning with its consequence.
fn or_warn<T: Default>(result: CloudResult<T>, consequence: &str, context: &Context) -> T {
    result.unwrap_or_else(|error| {
        let error = Error::from(error);
        let hint = error.hints().first().map(|hint| format!("; {hint}")).unwrap_or_default();
        context.ui.warning(format_args!("{error}; {consequence}{hint}"));
        T::default()
    })
}
