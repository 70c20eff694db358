//! Output of `describe`.

mod metrics;
mod page;
mod setup;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use self::page::DescribePage;
use super::{VERSION, history};
use crate::cloud::MetricHistory;
use crate::error::{Result, WithContext};
use crate::model::request::Tag;
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{secrets, time};
use crate::ui::{Style, Text};

/// The reply of DescribeTrainingJob under `job`, in the API's names.
#[derive(Debug, Serialize)]
pub(crate) struct DescribeJson {
    version: u32,
    job: Value,
}

impl DescribeJson {
    pub(crate) fn of(job: &DescribeTrainingJobResponse) -> Result<Self> {
        let typed = || serde_json::to_value(job).context("write JSON");
        let mut job = job.document.clone().map_or_else(typed, Ok)?;
        super::hide_secrets(&mut job);
        Ok(Self { version: VERSION, job })
    }
}

/// A job with what DescribeTrainingJob does not tell of it.
#[derive(Debug)]
pub(crate) struct DescribedJob<'a> {
    pub(crate) job: &'a DescribeTrainingJobResponse,
    pub(crate) metrics: &'a MetricHistory,
    pub(crate) tags: &'a [Tag],
}

/// Formats everything about a job; a running phase lasts until `now`.
pub(crate) fn text(described: &DescribedJob<'_>, now: Timestamp) -> Text {
    let DescribedJob { job, metrics, tags } = described;
    let mut page = DescribePage::default();
    state(&mut page, job, now);
    if let Some(runs) = history::runs(job) {
        page.field("runs", &runs);
    }
    setup::fields(&mut page, job);
    if let Some(artifacts) = &job.model_artifacts {
        page.field("model", &artifacts.s3_model_artifacts);
    }
    page.field("arn", &job.training_job_arn);
    map(&mut page, "hyperparameters", job.hyper_parameters.iter().flatten());
    map(&mut page, "environment", job.environment.iter().flatten());
    channels(&mut page, job);
    map(&mut page, "tags", tags.iter().map(|tag| (&tag.key, &tag.value)));
    metrics::section(&mut page, job, metrics);
    phases(&mut page, job, now);
    page.text
}

fn state(page: &mut DescribePage, job: &DescribeTrainingJobResponse, now: Timestamp) {
    let style = Style::of(&job.training_job_status);
    page.field("name", job.training_job_name.as_str());
    let status = &job.training_job_status;
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

fn phases(page: &mut DescribePage, job: &DescribeTrainingJobResponse, now: Timestamp) {
    page.heading("phases");
    for phase in job.secondary_status_transitions.iter().flatten() {
        let took = time::duration(phase.end_time.unwrap_or(now).duration_since(phase.start_time));
        let message = phase.status_message.as_deref().unwrap_or_default();
        page.entry(&phase.status, &format!("{} {took:>8}  {message}", time::local(phase.start_time)));
    }
}
