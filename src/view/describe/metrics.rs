//! The metrics of a job: the last value of each, and the range of all its values.

use jiff::SignedDuration;

use super::page::DescribePage;
use crate::cloud::{MetricHistory, MetricPoint};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::view::count;

/// Adds each metric that the job's description or its history has.
pub(super) fn section(page: &mut DescribePage, job: &DescribeTrainingJobResponse, history: &MetricHistory) {
    let metrics = metrics(job, history);
    if !metrics.is_empty() {
        page.heading("metrics");
    }
    for metric in &metrics {
        page.entry(metric.name, &metric.text(history.period));
    }
}

/// Values of one metric.
struct MetricSummary<'a> {
    name: &'a str,
    /// Last value that the service took (FinalMetricDataList), which it tells at the job's end.
    last: Option<f64>,
    range: Option<MetricRange>,
}

/// Range of the values that are kept.
struct MetricRange {
    values: u64,
    least: f64,
    greatest: f64,
    /// Average of the newest point, and the number of values in it.
    newest: (f64, u64),
}

/// Returns the metrics that have a last value, then the others.
fn metrics<'a>(job: &'a DescribeTrainingJobResponse, history: &'a MetricHistory) -> Vec<MetricSummary<'a>> {
    let last = job.final_metric_data_list.iter().flatten();
    let last = last.filter_map(|metric| Some((metric.metric_name.as_deref()?, metric.value)));
    let mut metrics: Vec<MetricSummary<'a>> =
        last.map(|(name, last)| MetricSummary { name, last, range: None }).collect();
    for point in &history.points {
        match metrics.iter_mut().find(|metric| metric.name == point.name) {
            Some(metric) => metric.add(point),
            None => metrics.push(MetricSummary { name: &point.name, last: None, range: Some(MetricRange::of(point)) }),
        }
    }
    metrics
}

impl MetricSummary<'_> {
    fn add(&mut self, point: &MetricPoint) {
        match &mut self.range {
            Some(range) => range.add(point),
            None => self.range = Some(MetricRange::of(point)),
        }
    }

    /// Formats the values: `0.25 (last of 2 values, from 0.25 to 0.9)`. `period` is the length of a point.
    fn text(&self, period: Option<SignedDuration>) -> String {
        match (self.last, &self.range) {
            (Some(last), Some(range)) => format!("{last} (last of {})", range.text()),
            (Some(last), None) => format!("{last} (last value)"),
            (None, Some(range)) => match (range.newest, period) {
                ((average, values), Some(period)) if values > 1 => {
                    format!("{average} (average of its last {}; {})", period_text(period), range.text())
                }
                ((value, _), _) => format!("{value} (newest of {})", range.text()),
            },
            (None, None) => "-".to_owned(),
        }
    }
}

/// Formats the length of a point: CloudWatch has a minute, five, and an hour.
fn period_text(period: SignedDuration) -> String {
    match period.as_mins() {
        1 => "minute".to_owned(),
        60 => "hour".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

impl MetricRange {
    fn of(point: &MetricPoint) -> Self {
        let MetricPoint { least, greatest, average, values, .. } = *point;
        Self { values, least, greatest, newest: (average, values) }
    }

    fn add(&mut self, point: &MetricPoint) {
        self.values += point.values;
        self.least = self.least.min(point.least);
        self.greatest = self.greatest.max(point.greatest);
        self.newest = (point.average, point.values);
    }

    fn text(&self) -> String {
        let Self { values, least, greatest, .. } = self;
        let values = count(usize::try_from(*values).unwrap_or(usize::MAX), "value");
        format!("{values}, from {least} to {greatest}")
    }
}
