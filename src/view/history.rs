//! Output of `history`: a table, JSON lines, CSV or names.

use jiff::Timestamp;
use serde::Serialize;

use super::VERSION;
use crate::cloud::ListedJob;
use crate::error::{Result, WithContext};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{InstanceType, JobStatus, time};
use crate::ui::table::{Cell, Table};
use crate::ui::{Style, Text};

/// Status of a job whose state cannot be read.
const UNREADABLE: &str = "Unreadable";

/// A job in the list. Times are RFC 3339 in UTC, durations in seconds.
#[derive(Debug, Serialize)]
pub(crate) struct JobRow {
    version: u32,
    name: String,
    status: String,
    secondary_status: Option<String>,
    /// The image or algorithm, and the entry point.
    runs: Option<String>,
    instances: Option<String>,
    created: String,
    ended: Option<String>,
    /// Duration of the training phase, until now for a running job.
    training_seconds: Option<i64>,
    billable_seconds: Option<i32>,
    /// Name of the first metric in the spec, which has its last value in `metric_value`.
    metric: Option<String>,
    metric_value: Option<f64>,
    #[serde(skip)]
    state: Option<JobStatus>,
    #[serde(skip)]
    created_at: Timestamp,
}

impl JobRow {
    pub(crate) fn of(job: &ListedJob, now: Timestamp) -> Self {
        let details = job.details.as_ref();
        // Details that lag behind the status describe an earlier phase.
        let current = details.filter(|details| job.status.as_ref() == Ok(&details.training_job_status));
        let metric = details.and_then(|details| details.final_metric_data_list.iter().flatten().next());
        let ended = job.ended.or_else(|| current?.ended());
        let until = ended.unwrap_or(now);
        let start = details.and_then(|details| details.training_start_time);
        Self {
            version: VERSION,
            name: job.name.to_string(),
            status: job.status.as_ref().map_or(UNREADABLE, JobStatus::as_str).to_owned(),
            secondary_status: current.map(|details| details.secondary_status.clone()),
            runs: details.and_then(runs),
            instances: details.and_then(instances),
            created: job.created.to_string(),
            ended: ended.map(|time| time.to_string()),
            training_seconds: start.map(|start| until.duration_since(start).as_secs()),
            billable_seconds: details.and_then(|details| details.billable_time_in_seconds),
            metric: metric.and_then(|metric| metric.metric_name.clone()),
            metric_value: metric.and_then(|metric| metric.value),
            state: job.status.as_ref().ok().cloned(),
            created_at: job.created,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn cells(&self) -> Vec<Cell> {
        let seconds = |seconds: i64| time::duration(jiff::SignedDuration::from_secs(seconds));
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let metric = self.metric.as_ref().zip(self.metric_value).map(|(name, value)| format!("{name}={value}"));
        vec![
            Cell::from(self.name.as_str()),
            Cell::styled(self.status.as_str(), self.state.as_ref().map_or(Style::Warning, Style::of)),
            or_dash(self.runs.clone()).into(),
            or_dash(self.instances.clone()).into(),
            time::local(self.created_at).into(),
            or_dash(self.training_seconds.map(seconds)).into(),
            or_dash(self.billable_seconds.map(|billed| seconds(billed.into()))).into(),
            or_dash(metric).into(),
        ]
    }
}

/// Number of digits of an image's digest that are shown.
const DIGEST_SHOWN: usize = 12;

/// The fields of [`JobRow`], which stand over the columns even where there is no row.
const CSV_HEADINGS: [&str; 12] = [
    "version",
    "name",
    "status",
    "secondary_status",
    "runs",
    "instances",
    "created",
    "ended",
    "training_seconds",
    "billable_seconds",
    "metric",
    "metric_value",
];

/// Formats the image and entry point of a job, as far as they are known: `sklearn:1.4-2 train.py`.
pub(crate) fn runs(job: &DescribeTrainingJobResponse) -> Option<String> {
    let algorithm = job.algorithm_specification.as_ref();
    let image = algorithm.and_then(|algorithm| algorithm.training_image.as_ref().or(algorithm.algorithm_name.as_ref()));
    let model = || job.serverless_job_config.as_ref().map(|serverless| base_model(&serverless.base_model_arn));
    let image = image.map(|image| short(image)).or_else(model);
    let program = job.hyper_parameters.as_ref().and_then(|parameters| parameters.get("sagemaker_program"));
    let program = program.map(|program| program.trim_matches('"').to_owned());
    let known: Vec<String> = image.into_iter().chain(program).collect();
    (!known.is_empty()).then(|| known.join(" "))
}

/// Returns the name of a model of SageMaker's hub: the NAME of `hub-content/HUB/Model/NAME/VERSION`.
fn base_model(arn: &str) -> String {
    arn.split('/').nth(3).unwrap_or(arn).to_owned()
}

/// Shortens an image's URI or an algorithm's ARN, as in `scikit-learn:1.4-2`: without the registry and, for AWS's own
/// images, without their common prefix and build suffix.
fn short(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or(image).trim_matches(['<', '>']);
    if let Some((name, digest)) = name.split_once("@sha256:") {
        return format!("{name}@{}", digest.get(..DIGEST_SHOWN).unwrap_or(digest));
    }
    let name = name.strip_prefix("sagemaker-").unwrap_or(name);
    let built_for = ["-cpu-py", "-gpu-py"].iter().filter_map(|processor| name.find(processor)).min();
    built_for.and_then(|end| name.get(..end)).unwrap_or(name).to_owned()
}

/// Formats the instances of a job: `2 x ml.g5.xlarge`, those of each group, or those that it prefers, in order. `None`
/// where nothing is known of them.
pub(crate) fn instances(job: &DescribeTrainingJobResponse) -> Option<String> {
    let resources = job.resource_config.as_ref()?;
    let count = resources.selected_instance_count.or(resources.instance_count).unwrap_or(1);
    if let Some(kind) = resources.selected_instance_type.as_ref().or(resources.instance_type.as_ref()) {
        return Some(some_of(count, kind));
    }
    let groups = resources.instance_groups.iter().flatten();
    let groups: Vec<String> = groups.map(|group| some_of(group.instance_count, &group.instance_type)).collect();
    let preferences = resources.instance_preferences.iter().flatten();
    let preferences = preferences.map(|it| some_of(it.instance_count.unwrap_or(count), &it.instance_type));
    let text = if groups.is_empty() { preferences.collect::<Vec<_>>().join(" or ") } else { groups.join(" + ") };
    (!text.is_empty()).then_some(text)
}

/// Formats a number of instances of a type.
fn some_of(count: i32, kind: &InstanceType) -> String {
    if count == 1 { kind.to_string() } else { format!("{count} x {kind}") }
}

pub(crate) fn table() -> Table {
    Table::new(vec!["NAME", "STATUS", "RUNS", "INSTANCES", "CREATED", "TRAINED", "BILLED", "METRIC"])
}

/// Renders the next rows of the table.
pub(crate) fn lines(table: &mut Table, rows: &[JobRow]) -> Text {
    for row in rows {
        table.row(row.cells());
    }
    table.render()
}

/// Formats the next CSV records, with the headings first if asked.
pub(crate) fn csv(rows: &[JobRow], headings: bool) -> Result<String> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    if headings {
        writer.write_record(CSV_HEADINGS).context("write CSV")?;
    }
    rows.iter().try_for_each(|row| writer.serialize(row)).context("write CSV")?;
    let csv = writer.into_inner().context("write CSV")?;
    String::from_utf8(csv).context("write CSV")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_short() {
        for (image, expected) in [
            ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3", "scikit-learn:1.4-2"),
            ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", "xgboost:1.7-1"),
            (
                "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.1.0-gpu-py310-cu121-ubuntu20.04-sagemaker",
                "pytorch-training:2.1.0",
            ),
            (
                "763104351884.dkr.ecr.eu-west-1.amazonaws.com/huggingface-pytorch-training:2.1.0-transformers4.36.0-gpu-py310",
                "huggingface-pytorch-training:2.1.0-transformers4.36.0",
            ),
            ("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/my-trainer:v1-gpu-2", "my-trainer:v1-gpu-2"),
            (
                "123456789012.dkr.ecr.us-east-1.amazonaws.com/r@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "r@0123456789ab",
            ),
            ("public.ecr.aws/docker/library/python:3.12", "python:3.12"),
            ("arn:aws:sagemaker:us-east-1:123456789012:algorithm/my-algorithm", "my-algorithm"),
            ("my-algorithm", "my-algorithm"),
            ("<sklearn:1.4-2>", "sklearn:1.4-2"),
        ] {
            assert_eq!(short(image), expected, "{image}");
        }
    }
}
