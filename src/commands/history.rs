//! `smtrain history`: past and running jobs.

use std::num::NonZeroUsize;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::logs;
use crate::cloud::{JobsQuery, SortBy};
use crate::context::Context;
use crate::error::Result;
use crate::model::JobStatus;
use crate::ops;
use crate::view::history::{self, JobRow};
use crate::view::json_line;

/// List jobs, newest first
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Only jobs whose name contains this
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Only jobs of this status
    #[arg(short, long, ignore_case = true)]
    status: Option<StatusArg>,
    /// Only jobs created at this time or later: 2h (ago), 7d, 2026-11-23
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only jobs created before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// What to sort by
    #[arg(long, value_name = "KEY", default_value = "created")]
    sort: SortArg,
    /// Oldest, or first by name or status, first
    #[arg(long)]
    ascending: bool,
    /// At most N jobs
    #[arg(short = 'n', long, value_name = "N", default_value = "20", conflicts_with = "all")]
    limit: NonZeroUsize,
    /// All jobs
    #[arg(long)]
    all: bool,
    /// What to print on stdout
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: HistoryOutput,
}

/// The API's TrainingJobStatus.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "PascalCase")]
enum StatusArg {
    InProgress,
    Completed,
    Failed,
    Stopping,
    Stopped,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SortArg {
    Created,
    Name,
    Status,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum HistoryOutput {
    Table,
    /// One JSON object a line
    Json,
    Csv,
    /// Names alone, one a line
    Names,
}

pub(crate) async fn run(args: HistoryArgs, context: &Context) -> Result<()> {
    let output = args.output;
    let query = resolve(args)?;
    let jobs = ops::history::list(context.cloud().await?, &query).await?;
    let now = Timestamp::now();
    let rows: Vec<JobRow> = jobs.iter().map(|job| JobRow::of(job, now)).collect();
    show(&rows, output, context)
}

fn resolve(args: HistoryArgs) -> Result<JobsQuery> {
    let HistoryArgs { name, status, since, until, sort, ascending, limit, all, output: _ } = args;
    let span = logs::span(since.as_deref(), until.as_deref())?;
    Ok(JobsQuery {
        name_contains: name,
        status: status.map(StatusArg::status),
        created_after: span.since,
        created_before: span.until,
        sort_by: sort.sort_by(),
        ascending,
        limit: (!all).then_some(limit.get()),
    })
}

impl StatusArg {
    fn status(self) -> JobStatus {
        match self {
            Self::InProgress => JobStatus::InProgress,
            Self::Completed => JobStatus::Completed,
            Self::Failed => JobStatus::Failed,
            Self::Stopping => JobStatus::Stopping,
            Self::Stopped => JobStatus::Stopped,
        }
    }
}

impl SortArg {
    fn sort_by(self) -> SortBy {
        match self {
            Self::Created => SortBy::CreationTime,
            Self::Name => SortBy::Name,
            Self::Status => SortBy::Status,
        }
    }
}

fn show(rows: &[JobRow], output: HistoryOutput, context: &Context) -> Result<()> {
    let mut data = context.ui.data();
    match output {
        HistoryOutput::Table if rows.is_empty() => context.ui.note("no jobs"),
        HistoryOutput::Table => data.text(&history::table(rows))?,
        HistoryOutput::Csv => data.bytes(&history::csv(rows)?)?,
        HistoryOutput::Json => rows.iter().try_for_each(|row| data.text(&(json_line(row)? + "\n")))?,
        HistoryOutput::Names => rows.iter().try_for_each(|row| data.text(&format!("{}\n", row.name())))?,
    }
    data.flush()
}
