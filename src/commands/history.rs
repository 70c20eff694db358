//! `smtrain history`: lists jobs.

use std::num::NonZeroUsize;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::logs;
use crate::cloud::{JobsQuery, ListedJob, SortBy};
use crate::context::Context;
use crate::error::Result;
use crate::model::JobStatus;
use crate::ops;
use crate::ui::DataOutput;
use crate::ui::table::Table;
use crate::view::history::{self, JobRow};
use crate::view::json_line;

/// List jobs, newest first
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Only jobs whose names contain this text
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Only jobs with this status
    #[arg(short, long, ignore_case = true)]
    status: Option<StatusArg>,
    /// Only jobs created from this time on: 2h (ago), 7d, 2026-11-23
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only jobs created before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Sort key
    #[arg(long, value_name = "KEY", default_value = "created")]
    sort: SortArg,
    /// Sort in ascending order: oldest first, or by name or status from A to Z
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
    /// Names only, one a line
    Names,
}

pub(crate) async fn run(args: HistoryArgs, context: &Context) -> Result<()> {
    let output = args.output;
    let query = resolve(args)?;
    let mut rows = Rows::new(output, context);
    let now = Timestamp::now();
    let mut is_empty = true;
    let show = |jobs: Vec<ListedJob>| {
        is_empty = false;
        for job in &jobs {
            if let Err(why) = &job.status {
                context.ui.warning(format_args!("the state of job {} can't be read: {why}", job.name));
            }
        }
        rows.show(&jobs.iter().map(|job| JobRow::of(job, now)).collect::<Vec<_>>())
    };
    if context.local {
        context.warn_of_local_state();
    }
    ops::history::each(context.cloud().await?, &query, show).await?;
    if is_empty {
        rows.none(context)?;
    }
    Ok(())
}

fn resolve(args: HistoryArgs) -> Result<JobsQuery> {
    let HistoryArgs { name, status, since, until, sort, ascending, limit, all, output } = args;
    let (created_after, created_before) = logs::span(since.as_deref(), until.as_deref())?;
    Ok(JobsQuery {
        name_contains: name,
        status: status.map(StatusArg::status),
        created_after,
        created_before,
        sort_by: sort.sort_by(),
        ascending,
        limit: (!all).then_some(limit.get()),
        details: !matches!(output, HistoryOutput::Names),
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

/// Prints rows in batches.
struct Rows {
    data: DataOutput,
    format: Format,
}

enum Format {
    Table(Table),
    Json,
    Csv { headings: bool },
    Names,
}

impl Rows {
    fn new(output: HistoryOutput, context: &Context) -> Self {
        let format = match output {
            HistoryOutput::Table => Format::Table(history::table()),
            HistoryOutput::Json => Format::Json,
            HistoryOutput::Csv => Format::Csv { headings: true },
            HistoryOutput::Names => Format::Names,
        };
        Self { data: context.ui.data(), format }
    }

    fn show(&mut self, rows: &[JobRow]) -> Result<()> {
        let Self { data, format } = self;
        match format {
            Format::Table(table) => data.text(history::lines(table, rows))?,
            Format::Json => rows.iter().try_for_each(|row| data.text(json_line(row)? + "\n"))?,
            Format::Csv { headings } => data.text(history::csv(rows, std::mem::take(headings))?)?,
            Format::Names => rows.iter().try_for_each(|row| data.text(format_args!("{}\n", row.name())))?,
        }
        data.flush()
    }

    fn none(&mut self, context: &Context) -> Result<()> {
        match self.format {
            Format::Table(_) => context.ui.note("no jobs"),
            Format::Csv { .. } => self.show(&[])?,
            Format::Json | Format::Names => {}
        }
        Ok(())
    }
}
