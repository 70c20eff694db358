//! Output of the commands: versioned JSON for scripts, text for people.

pub(crate) mod describe;
pub(crate) mod download;
pub(crate) mod dry_run;
pub(crate) mod history;
pub(crate) mod images;
mod json;
pub(crate) mod log_end;
pub(crate) mod log_lines;
pub(crate) mod validation;

use serde::Serialize;
use serde_json::Value;

use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, JobStatus, secrets};

pub(crate) use json::{json, json_line};

/// Version in every JSON object. It increases when a field changes its meaning or is removed; fields may be added.
const VERSION: u32 = 1;

/// A job template.
#[derive(Debug, Serialize)]
pub(crate) struct TemplateJson<'a> {
    version: u32,
    name: &'a str,
    summary: &'a str,
}

impl<'a> TemplateJson<'a> {
    pub(crate) fn new(name: &'a str, summary: &'a str) -> Self {
        Self { version: VERSION, name, summary }
    }
}

/// A job that was submitted, or that has ended.
#[derive(Debug, Serialize)]
pub(crate) struct JobJson<'a> {
    pub(crate) version: u32,
    pub(crate) name: &'a str,
    pub(crate) arn: &'a str,
    pub(crate) status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure_reason: Option<&'a str>,
}

impl<'a> JobJson<'a> {
    /// Returns the object of a job that was just created.
    pub(crate) fn created(name: &'a JobName, arn: &'a str) -> Self {
        let status = JobStatus::InProgress.as_str();
        Self { version: VERSION, name: name.as_str(), arn, status, failure_reason: None }
    }

    pub(crate) fn of(job: &'a DescribeTrainingJobResponse) -> Self {
        Self {
            version: VERSION,
            name: job.training_job_name.as_str(),
            arn: &job.training_job_arn,
            status: job.training_job_status.as_str(),
            failure_reason: job.failure_reason.as_deref(),
        }
    }
}

/// A job that was asked to stop, or what was given where no job was found.
#[derive(Debug, Serialize)]
pub(crate) struct StopJson<'a> {
    pub(crate) version: u32,
    pub(crate) name: &'a str,
    /// The API's status after the request; `null` if it can't be read.
    pub(crate) status: Option<String>,
    /// `stopping`, `ended` if the job had ended already, or `failed`.
    pub(crate) outcome: &'static str,
    /// Reason why the job was not stopped.
    pub(crate) error: Option<String>,
}

impl<'a> StopJson<'a> {
    pub(crate) fn new(name: &'a str, status: Option<&JobStatus>, outcome: &'static str) -> Self {
        let status = status.map(|status| status.as_str().to_owned());
        Self { version: VERSION, name, status, outcome, error: None }
    }

    pub(crate) fn failed(name: &'a str, error: String) -> Self {
        Self { version: VERSION, name, status: None, outcome: "failed", error: Some(error) }
    }
}

/// Formats a number with a noun: `1 file`, `2 files`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Replaces the values of a job that look like secrets, and returns their names.
fn hide_secrets(job: &mut Value) -> Vec<String> {
    let mut hidden = Vec::new();
    for table in ["HyperParameters", "Environment"] {
        for (name, value) in job.get_mut(table).and_then(Value::as_object_mut).into_iter().flatten() {
            if value.as_str().is_some_and(|text| secrets::looks_like_one(name, text)) {
                *value = secrets::HIDDEN.into();
                hidden.push(format!("{table}.{name}"));
            }
        }
    }
    hidden
}
