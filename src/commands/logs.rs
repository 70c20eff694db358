//! `smtrain logs`: a job's log, as it is or as it comes.

use clap::{Args, ValueEnum};
use jiff::{Timestamp, Zoned};
use regex::bytes::Regex;

use super::interrupt::interrupt;
use super::job_args::JobArg;
use crate::cloud::{Cloud, LogEvent, LogStream};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::when;
use crate::ops::find_job::Found;
use crate::ops::follow::{self, Positions, Watcher};
use crate::ops::read_log::{self, Span};
use crate::ops::wait;
use crate::ui::{self, Data, Style, Ui};
use crate::view::log_lines::{self, Kind, LogFormat};

/// Print a job's log
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    #[command(flatten)]
    job: JobArg,
    /// Go on until the job has ended; the exit code tells how: 0 Completed, 3 Failed, 4 Stopped
    #[arg(short, long)]
    follow: bool,
    /// Only the last N lines
    #[arg(short = 'n', long, value_name = "N")]
    tail: Option<usize>,
    /// Only lines of this time and later: 10m (ago), 2026-11-23, 2026-11-23T08:30
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only lines before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Start each line with its time
    #[arg(short, long)]
    timestamps: bool,
    /// Only lines that match a regular expression
    #[arg(short, long, value_name = "REGEX")]
    grep: Option<String>,
    /// What to print on stdout
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: LogsOutput,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogsOutput {
    /// The lines
    Text,
    /// One JSON object a line
    Json,
}

/// The arguments, understood.
struct Resolved {
    tail: Option<usize>,
    span: Span,
    grep: Option<Regex>,
    format: LogFormat,
}

pub(crate) async fn run(args: LogsArgs, context: &Context) -> Result<()> {
    let LogsArgs { job, follow, tail, since, until, timestamps, grep, output } = args;
    let grep = grep.map(|text| expression(&text)).transpose()?;
    let resolved = Resolved {
        tail,
        span: span(since.as_deref(), until.as_deref())?,
        grep,
        format: LogFormat { kind: kind(output), timestamps },
    };
    let job = job.find(context).await?;
    if follow { follow_log(&job, resolved, context).await } else { print_log(&job, resolved, context).await }
}

fn kind(output: LogsOutput) -> Kind {
    match output {
        LogsOutput::Json => Kind::Json,
        LogsOutput::Text if ui::out_is_terminal() => Kind::Terminal,
        LogsOutput::Text => Kind::Pipe,
    }
}

fn expression(text: &str) -> Result<Regex> {
    Regex::new(text).map_err(|error| Error::usage(format!("--grep {text:?} is no regular expression")).caused_by(error))
}

/// `--since` and `--until`, as a span.
pub(super) fn span(since: Option<&str>, until: Option<&str>) -> Result<Span> {
    Ok(Span { since: time("--since", since)?, until: time("--until", until)? })
}

fn time(flag: &str, text: Option<&str>) -> Result<Option<Timestamp>> {
    let parse = |text| when::parse(text, &Zoned::now()).map_err(|error| Error::usage(format!("{flag}: {error}")));
    text.map(parse).transpose()
}

async fn print_log(job: &Found<'_>, resolved: Resolved, context: &Context) -> Result<()> {
    let (Found { cloud, name }, Resolved { tail, span, grep, format }) = (job, resolved);
    let mut printer = LogPrinter::to_stdout(context.ui, format, grep);
    for stream in read_log::streams(cloud, name).await? {
        if let Some(count) = tail {
            printer.tail(&stream, span, count, cloud).await?;
        } else {
            let each = &mut |stream: &LogStream, event: &LogEvent| printer.line(stream, event);
            read_log::forwards(cloud, &stream, span, None, each).await?;
        }
    }
    printer.flush()
}

async fn follow_log(job: &Found<'_>, resolved: Resolved, context: &Context) -> Result<()> {
    let (Found { cloud, name }, Resolved { tail, span, grep, format }) = (job, resolved);
    let mut printer = LogPrinter::to_stdout(context.ui, format, grep);
    let mut positions = Positions::new();
    if let Some(count) = tail {
        for stream in read_log::streams(cloud, name).await? {
            let position = printer.tail(&stream, span, count, cloud).await?;
            positions.insert(stream.name, position);
        }
    }
    let followed = follow::follow(cloud, name, positions, span, &interrupt(), &mut printer).await;
    // What was printed before an interruption is to be seen.
    printer.flush()?;
    wait::verdict(&[followed?])
}

/// Prints a log, on stdout as data or on stderr as talk.
pub(super) struct LogPrinter {
    ui: Ui,
    format: LogFormat,
    grep: Option<Regex>,
    out: Option<Data>,
    buffer: Vec<u8>,
}

/// Bytes that are gathered before they are written.
const BUFFER: usize = 64 * 1024;

impl LogPrinter {
    fn to_stdout(ui: Ui, format: LogFormat, grep: Option<Regex>) -> Self {
        Self { ui, format, grep, out: Some(ui.data()), buffer: Vec::new() }
    }

    pub(super) fn to_stderr(ui: Ui) -> Self {
        let kind = if ui::err_is_terminal() { Kind::Terminal } else { Kind::Pipe };
        Self { ui, format: LogFormat { kind, timestamps: false }, grep: None, out: None, buffer: Vec::new() }
    }

    fn matches(&self, event: &LogEvent) -> bool {
        let (message, overwritten) = log_lines::parts(&event.message);
        let seen = !overwritten || self.format.kind != Kind::Pipe;
        seen && self.grep.as_ref().is_none_or(|grep| grep.is_match(message))
    }

    /// Prints the stream's last lines; returns where to go on from.
    async fn tail(&mut self, stream: &LogStream, span: Span, count: usize, cloud: &Cloud) -> Result<Option<String>> {
        let tail = read_log::last(cloud, stream, span, count, |event| self.matches(event)).await?;
        for event in &tail.events {
            self.line(stream, event)?;
        }
        Ok(tail.forward)
    }

    fn write_out(&mut self) -> Result<()> {
        match &mut self.out {
            Some(out) => out.bytes(&self.buffer)?,
            None => ui::talk_bytes(&self.buffer),
        }
        self.buffer.clear();
        Ok(())
    }
}

impl Watcher for LogPrinter {
    fn line(&mut self, stream: &LogStream, event: &LogEvent) -> Result<()> {
        if self.matches(event) {
            self.format.write(stream, event, &mut self.buffer)?;
        }
        if self.buffer.len() >= BUFFER { self.write_out() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.write_out()?;
        self.out.as_mut().map_or(Ok(()), Data::flush)
    }

    /// After the lines that came before it.
    fn phase(&mut self, phase: &str, message: &str) -> Result<()> {
        self.flush()?;
        let style = Style::Faint;
        self.ui.note(format_args!("{style}{phase}: {message}{style:#}"));
        Ok(())
    }
}
