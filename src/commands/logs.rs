//! `smtrain logs`: prints or follows a job's log.

use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::{Timestamp, Zoned};
use regex::bytes::Regex;

use super::interrupt::interrupt;
use super::job_args::JobArg;
use super::log_printer::{Grep, LogPrinter};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobStatus, duration, time};
use crate::ops::find_job::FoundJob;
use crate::ops::log::{self, Followed, Following, LogSelection};
use crate::ops::wait;
use crate::ui::{self, Ui};
use crate::view::log_end;
use crate::view::log_lines::{LogFormat, LogStyle, TimestampFormat};
use crate::view::{JobJson, json_line};

/// Print a job's log
///
/// Prints the lines of all nodes in one order, each once; with several nodes, each line starts with its node's name. With
/// -f, lines are shown as they arrive until the job has ended; Ctrl-C leaves the job running.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    #[command(flatten)]
    job: JobArg,
    /// Follow the log until the job has ended; exit code 0 Completed, 3 Failed, 4 Stopped
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    display: DisplayArgs,
    #[command(flatten)]
    grep: GrepArgs,
    /// Report nodes that have printed nothing for this long: 15m
    #[arg(long, value_name = "DURATION", requires = "follow")]
    stall: Option<String>,
    /// Print only the job's status; exit code 0 Completed or not ended, 3 Failed, 4 Stopped
    #[arg(long, conflicts_with_all = ["follow", "tail", "grep", "fold"])]
    status: bool,
    /// What to print on stdout
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: LogsOutput,
}

/// Part of the log.
#[derive(Debug, Args)]
struct SelectionArgs {
    /// Only the last N lines
    #[arg(short = 'n', long, value_name = "N")]
    tail: Option<usize>,
    /// Only lines from this time on: 10m (ago), 2026-11-23, 2026-11-23T08:30
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only lines before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only lines of this node, such as algo-2; repeatable
    #[arg(long = "node", value_name = "NODE")]
    nodes: Vec<String>,
    /// The job's other log streams, such as remote sessions ([remote_debug]), in place of the nodes' output
    #[arg(long, conflicts_with_all = ["follow", "status"])]
    ssm: bool,
}

/// Form of each line.
#[derive(Debug, Args)]
struct DisplayArgs {
    /// Start each line with its time
    #[arg(
        short,
        long,
        value_name = "ZONE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "local"
    )]
    timestamps: Option<StampArg>,
    /// Don't start lines with their node's name
    #[arg(long)]
    no_prefix: bool,
    /// Show a line that several nodes print once, with their number: [x64]
    #[arg(long)]
    fold: bool,
}

/// Filter of lines.
#[derive(Debug, Args)]
struct GrepArgs {
    /// Only lines that match this regular expression
    #[arg(short, long, value_name = "REGEX")]
    grep: Option<String>,
    /// Only lines that don't match the expression of --grep
    #[arg(long, requires = "grep")]
    invert: bool,
    /// Also N lines of the same node before and after each match
    #[arg(short = 'C', long, value_name = "N", requires = "grep", default_value = "0", hide_default_value = true)]
    context: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogsOutput {
    /// The lines
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StampArg {
    /// In this computer's time zone
    Local,
    Utc,
    /// Since the job was created
    Relative,
}

/// Resolved arguments.
struct Resolved {
    wanted: LogSelection,
    stall: Option<Duration>,
    grep: Grep,
    style: LogStyle,
    timestamps: Option<StampArg>,
    has_prefix: bool,
    folds: bool,
}

pub(crate) async fn run(args: LogsArgs, context: &Context) -> Result<()> {
    let LogsArgs { job, follow, selection, display, grep, stall, status, output } = args;
    let resolved = resolve(selection, display, grep, stall.as_deref(), output)?;
    let job = if follow { job.find_for_log(context).await? } else { job.find(context).await? };
    match (status, follow) {
        (true, _) => show_status(&job, output, context).await,
        (_, true) => follow_log(&job, resolved, context).await,
        _ => print_log(&job, resolved, context).await,
    }
}

/// Resolves the arguments that shape the output. Fails on an invalid time, duration or regular expression.
fn resolve(
    selection: SelectionArgs,
    display: DisplayArgs,
    grep: GrepArgs,
    stall: Option<&str>,
    output: LogsOutput,
) -> Result<Resolved> {
    let SelectionArgs { tail, since, until, nodes, ssm } = selection;
    let DisplayArgs { timestamps, no_prefix, fold } = display;
    let GrepArgs { grep, invert, context } = grep;
    let expression = grep.map(|text| expression(&text)).transpose()?;
    let (since, until) = span(since.as_deref(), until.as_deref())?;
    Ok(Resolved {
        wanted: LogSelection { since, until, nodes, tail, sessions: ssm },
        stall: stall.map(stall_time).transpose()?,
        grep: Grep::new(expression, invert, context),
        style: style(output),
        timestamps,
        has_prefix: !no_prefix,
        folds: fold,
    })
}

fn style(output: LogsOutput) -> LogStyle {
    match output {
        LogsOutput::Json => LogStyle::Json,
        LogsOutput::Text if ui::out_is_terminal() => LogStyle::Terminal,
        LogsOutput::Text => LogStyle::Pipe,
    }
}

fn expression(text: &str) -> Result<Regex> {
    Regex::new(text)
        .map_err(|error| Error::usage(format!("--grep {text:?} is not a regular expression")).caused_by(error))
}

fn stall_time(text: &str) -> Result<Duration> {
    let invalid = || Error::usage(format!("--stall {text:?} is not a duration")).hint("such as --stall 15m");
    duration::parse(text).filter(|duration| !duration.is_zero()).ok_or_else(invalid)
}

/// Resolves `--since` and `--until`.
pub(super) fn span(since: Option<&str>, until: Option<&str>) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
    Ok((time("--since", since)?, time("--until", until)?))
}

fn time(flag: &str, text: Option<&str>) -> Result<Option<Timestamp>> {
    let parse = |text| time::parse(text, &Zoned::now()).map_err(|error| Error::usage(format!("{flag}: {error}")));
    text.map(parse).transpose()
}

async fn print_log(job: &FoundJob<'_>, resolved: Resolved, context: &Context) -> Result<()> {
    let wanted = resolved.wanted.clone();
    let mut printer = printer(job, resolved, context.ui).await?;
    if log::read(job.cloud, &job.name, &wanted, &mut printer).await? {
        if let Some(warning) = log_end::gaps(printer.gaps()) {
            context.ui.warning(warning);
        }
        return Ok(());
    }
    // Distinguishes a job without a log from one that does not exist.
    let state = job.cloud.jobs.describe(&job.name).await?;
    let of_nodes = if wanted.nodes.is_empty() { String::new() } else { format!(" of {}", wanted.nodes.join(", ")) };
    context.ui.note(match (wanted.sessions, of_nodes.is_empty()) {
        (true, _) => format!("job {} has no log of remote sessions{of_nodes}", job.name),
        (false, true) => log::no_log_reason(&state),
        (false, false) => format!("there is no log{of_nodes} in job {}", job.name),
    });
    Ok(())
}

async fn follow_log(job: &FoundJob<'_>, resolved: Resolved, context: &Context) -> Result<()> {
    let following =
        Following { wanted: resolved.wanted.clone(), stall: resolved.stall, preflight: job.preflight.clone() };
    let mut printer = printer(job, resolved, context.ui).await?;
    let followed = follow(job, following, &mut printer, context).await?;
    wait::verdict(&[followed])
}

/// Follows a job to its end, and shows the summary. Returns the job as it ended.
pub(super) async fn follow(
    job: &FoundJob<'_>,
    following: Following,
    printer: &mut LogPrinter,
    context: &Context,
) -> Result<DescribeTrainingJobResponse> {
    let followed = log::follow(job.cloud, &job.name, following, &interrupt(), printer).await;
    // Shows what was printed before an interruption.
    log::Watcher::flush(printer)?;
    let Followed { state, stats, traceback, is_log_denied } = followed?;
    let end = log_end::LogEnd {
        lines: stats.lines,
        late: stats.late,
        gaps: stats.total_gaps(),
        nodes: stats.node_count(),
        expected: stats.expected,
        is_denied: is_log_denied,
    };
    context.ui.note(log_end::lines(&end));
    if let Some(phases) = log_end::phases(&state) {
        context.ui.note(phases);
    }
    let is_of_interest = state.training_job_status == JobStatus::Failed && stats.expected.unwrap_or(1) > 1;
    if let Some(traceback) = traceback.filter(|_| is_of_interest) {
        context.ui.note(log_end::traceback(&traceback.node, &traceback.lines));
    }
    Ok(state)
}

async fn show_status(job: &FoundJob<'_>, output: LogsOutput, context: &Context) -> Result<()> {
    let state = job.cloud.jobs.describe(&job.name).await?;
    match output {
        LogsOutput::Text => context.ui.line(&state.training_job_status)?,
        LogsOutput::Json => context.ui.line(json_line(&JobJson::of(&state))?)?,
    }
    wait::verdict(&[state])
}

async fn printer(job: &FoundJob<'_>, resolved: Resolved, ui: Ui) -> Result<LogPrinter> {
    let timestamps = match resolved.timestamps {
        None => None,
        Some(StampArg::Local) => Some(TimestampFormat::Local),
        Some(StampArg::Utc) => Some(TimestampFormat::Utc),
        Some(StampArg::Relative) => {
            Some(TimestampFormat::Since(job.cloud.jobs.describe(&job.name).await?.creation_time))
        }
    };
    let format = LogFormat { style: resolved.style, timestamps, prefix: None, colored: false };
    let printer = LogPrinter::to_stdout(ui, format, resolved.grep);
    let printer = if resolved.has_prefix { printer } else { printer.without_prefix() };
    Ok(if resolved.folds { printer.folded() } else { printer })
}
