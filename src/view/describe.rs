//! Output of `describe`.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::{VERSION, history};
use crate::cloud::MetricPoint;
use crate::error::{Result, WithContext};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{one_line, secrets, time};
use crate::ui::{Style, Text};

/// The reply of DescribeTrainingJob under `job`, in the API's names.
#[derive(Debug, Serialize)]
pub(crate) struct DescribeJson {
    version: u32,
    job: Value,
}

impl DescribeJson {
    pub(crate) fn of(job: &DescribeTrainingJobResponse) -> Result<Self> {
        let mut job = serde_json::to_value(job).context("write JSON")?;
        super::hide_secrets(&mut job);
        Ok(Self { version: VERSION, job })
    }
}

/// Formats everything about a job; a running phase lasts until `now`.
pub(crate) fn text(job: &DescribeTrainingJobResponse, points: &[MetricPoint], now: Timestamp) -> Text {
    let mut page = DescribePage::default();
    state(&mut page, job, now);
    page.field("runs", &history::runs(job));
    page.field("instances", &history::instances(job));
    limits(&mut page, job);
    if let Some(artifacts) = &job.model_artifacts {
        page.field("model", &artifacts.s3_model_artifacts);
    }
    page.field("arn", &job.training_job_arn);
    map(&mut page, "hyperparameters", job.hyper_parameters.iter().flatten());
    map(&mut page, "environment", job.environment.iter().flatten());
    channels(&mut page, job);
    metrics(&mut page, points);
    phases(&mut page, job, now);
    page.text
}

fn state(page: &mut DescribePage, job: &DescribeTrainingJobResponse, now: Timestamp) {
    let style = Style::of(job.training_job_status);
    page.field("name", job.training_job_name.as_str());
    let status = job.training_job_status;
    let phase = &job.secondary_status;
    let both = if status.as_str() == phase { phase.clone() } else { format!("{status} ({phase})") };
    page.styled_field("status", style, &both);
    if let Some(reason) = &job.failure_reason {
        page.field("reason", reason);
    }
    page.field("created", &time::local(job.creation_time));
    if let Some(start) = job.training_start_time {
        let until = job.training_end_time.unwrap_or(now);
        page.field("trained", &time::duration(until.duration_since(start)));
    }
    if let Some(seconds) = job.billable_time_in_seconds {
        page.field("billed", &time::duration(SignedDuration::from_secs(seconds.into())));
    }
}

fn limits(page: &mut DescribePage, job: &DescribeTrainingJobResponse) {
    if let Some(seconds) = job.stopping_condition.max_runtime_in_seconds {
        page.field("max run", &time::duration(SignedDuration::from_secs(seconds.into())));
    }
}

fn map<'a>(page: &mut DescribePage, title: &str, entries: impl Iterator<Item = (&'a String, &'a String)>) {
    let mut entries = entries.peekable();
    if entries.peek().is_some() {
        page.heading(title);
        entries.for_each(|(name, value)| {
            let shown = if secrets::looks_like_one(name, value) { secrets::HIDDEN } else { value };
            page.entry(name, shown);
        });
    }
}

fn channels(page: &mut DescribePage, job: &DescribeTrainingJobResponse) {
    let channels = job.input_data_config.as_deref().unwrap_or_default();
    if !channels.is_empty() {
        page.heading("channels");
    }
    for channel in channels {
        let source = &channel.data_source;
        let s3 = source.s3_data_source.as_ref().map(|source| source.s3_uri.clone());
        let file_system = source.file_system_data_source.as_ref();
        let place =
            s3.or_else(|| file_system.map(|system| format!("{}:{}", system.file_system_id, system.directory_path)));
        page.entry(&channel.channel_name, &place.unwrap_or_default());
    }
}

/// Adds each metric's last value and range.
fn metrics(page: &mut DescribePage, points: &[MetricPoint]) {
    let mut ranges: Vec<MetricRange<'_>> = Vec::new();
    for point in points {
        match ranges.iter_mut().find(|range| range.name == point.name) {
            Some(range) => range.add(point.value),
            None => ranges.push(MetricRange::of(point)),
        }
    }
    if !ranges.is_empty() {
        page.heading("metrics");
    }
    for MetricRange { name, values, last, least, greatest } in &ranges {
        page.entry(name, &format!("{last} (of {} from {least} to {greatest})", super::count(*values, "value")));
    }
}

/// Values of one metric.
struct MetricRange<'a> {
    name: &'a str,
    values: usize,
    last: f64,
    least: f64,
    greatest: f64,
}

impl<'a> MetricRange<'a> {
    fn of(point: &'a MetricPoint) -> Self {
        let value = point.value;
        Self { name: &point.name, values: 1, last: value, least: value, greatest: value }
    }

    fn add(&mut self, value: f64) {
        self.values += 1;
        self.last = value;
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
    }
}

fn phases(page: &mut DescribePage, job: &DescribeTrainingJobResponse, now: Timestamp) {
    page.heading("phases");
    for phase in job.secondary_status_transitions.iter().flatten() {
        let took = time::duration(phase.end_time.unwrap_or(now).duration_since(phase.start_time));
        let message = phase.status_message.as_deref().unwrap_or_default();
        page.entry(&phase.status, &format!("{} {took:>8}  {message}", time::local(phase.start_time)));
    }
}

/// Text of fields and sections.
#[derive(Default)]
struct DescribePage {
    text: Text,
}

/// Column of a field's value.
const FIELD_COLUMN: usize = 12;
/// Column of a section entry's value.
const ENTRY_COLUMN: usize = 34;

impl DescribePage {
    fn field(&mut self, name: &str, value: &str) {
        self.styled_field(name, Style::Plain, value);
    }

    fn styled_field(&mut self, name: &str, style: Style, value: &str) {
        self.text.push(format_args!("{name:<FIELD_COLUMN$}"));
        self.text.push_styled(style, indented(FIELD_COLUMN, value));
        self.text.push('\n');
    }

    fn heading(&mut self, title: &str) {
        self.text.push('\n');
        self.text.push_styled(Style::Heading, title);
        self.text.push('\n');
    }

    fn entry(&mut self, name: &str, value: &str) {
        let name = one_line(name);
        self.text.push(format_args!("  {name:<30}  {}\n", indented(ENTRY_COLUMN, value)));
    }
}

/// Indents further lines of a value to its column.
fn indented(column: usize, value: &str) -> String {
    value.replace('\n', &format!("\n{:column$}", ""))
}
