//! A job's training metrics in CloudWatch.
//!
//! CloudWatch keeps values of a minute for 15 days, of five minutes for 63 days, and of an hour for 455 days (CloudWatch
//! user guide, "Metrics retention"). The period that is asked for follows from the job's age. ListMetrics forgets a
//! metric after two weeks without values, so that names come from the job's description where it has any.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, DimensionFilter, Metric, MetricDataQuery, MetricDataResult, MetricStat};
use jiff::{SignedDuration, Timestamp};

use super::arn;
use super::config::{AwsConfig, client};
use super::error::failed;
use crate::cloud::{CloudResult, MetricHistory, MetricPoint, Metrics, PageTokens};
use crate::model::JobName;
use crate::model::training_job::DescribeTrainingJobResponse;

const NAMESPACE: &str = "/aws/sagemaker/TrainingJobs";
const DIMENSION: &str = "TrainingJobName";
/// Statistics of each period, in the order of [`MetricPoint`]'s numbers.
const STATISTICS: [&str; 4] = ["Average", "Minimum", "Maximum", "SampleCount"];
/// Maximum number of metrics per GetMetricData call, which takes 500 queries (CloudWatch API reference).
const MAX_METRICS: usize = 500 / STATISTICS.len();
/// Lengths of a period, and the age up to which CloudWatch keeps values of it.
const RETENTION: [(SignedDuration, SignedDuration); 3] = [
    (SignedDuration::from_mins(1), SignedDuration::from_hours(15 * 24)),
    (SignedDuration::from_mins(5), SignedDuration::from_hours(63 * 24)),
    (SignedDuration::from_hours(1), SignedDuration::from_hours(455 * 24)),
];

/// Implements [`Metrics`] with CloudWatch.
#[derive(Debug)]
pub(super) struct AwsMetrics {
    client: Client,
}

/// Time that is asked for, in seconds since 1970, and the period of its points.
#[derive(Clone, Copy, Debug)]
struct MetricSpan {
    start: i64,
    end: i64,
    period: SignedDuration,
}

impl MetricSpan {
    /// Returns the time in which the job can have logged; `None` if CloudWatch has forgotten it.
    fn of(job: &DescribeTrainingJobResponse, now: Timestamp) -> Option<Self> {
        let began = job.training_start_time.unwrap_or(job.creation_time);
        let age = now.duration_since(began);
        let (period, _) = RETENTION.into_iter().find(|(_, kept)| age < *kept)?;
        let seconds = period.as_secs();
        let end = job.training_end_time.unwrap_or(now).as_second();
        // Points stand at multiples of the period. The service's and this computer's clocks may differ by some.
        let start = began.as_second().div_euclid(seconds) * seconds;
        Some(Self { start, end: end.max(start) + seconds, period })
    }
}

impl AwsMetrics {
    pub(super) fn new(config: &AwsConfig) -> Self {
        Self { client: client!(aws_sdk_cloudwatch, config) }
    }

    /// Returns the names of a job's metrics: those that it tells, else those that CloudWatch knows.
    async fn names(&self, job: &DescribeTrainingJobResponse) -> CloudResult<Vec<String>> {
        let told = told_names(job);
        if told.is_empty() { self.known_names(&job.training_job_name).await } else { Ok(told) }
    }

    async fn known_names(&self, job: &JobName) -> CloudResult<Vec<String>> {
        let of_job = DimensionFilter::builder().name(DIMENSION).value(job.as_str()).build();
        let mut names = Vec::new();
        let mut token = None;
        let mut tokens = PageTokens::default();
        loop {
            let call = self.client.list_metrics().namespace(NAMESPACE).dimensions(of_job.clone());
            let page = call
                .set_next_token(token)
                .send()
                .await
                .map_err(failed(format!("list the metrics of {job}"), arn::ANY))?;
            names.extend(page.metrics.into_iter().flatten().filter_map(|metric| metric.metric_name));
            token = tokens.next(page.next_token, &format!("the metrics of {job}"))?;
            if token.is_none() {
                return Ok(names);
            }
        }
    }

    async fn values(&self, job: &JobName, names: &[String], span: MetricSpan) -> CloudResult<Vec<MetricPoint>> {
        let queries = queries(job, names, span.period);
        let mut points = Points::default();
        let mut token = None;
        let mut tokens = PageTokens::default();
        loop {
            let call = self
                .client
                .get_metric_data()
                .set_metric_data_queries(Some(queries.clone()))
                .start_time(DateTime::from_secs(span.start))
                .end_time(DateTime::from_secs(span.end));
            let page = call
                .set_next_token(token)
                .send()
                .await
                .map_err(failed(format!("read the metrics of {job}"), arn::ANY))?;
            page.metric_data_results.into_iter().flatten().for_each(|result| points.add(result));
            token = tokens.next(page.next_token, &format!("the metrics of {job}"))?;
            if token.is_none() {
                return Ok(points.of(names));
            }
        }
    }
}

/// Returns the names in a job's definitions and in its last values, each once.
fn told_names(job: &DescribeTrainingJobResponse) -> Vec<String> {
    let algorithm = job.algorithm_specification.iter();
    let defined = algorithm.flat_map(|algorithm| &algorithm.metric_definitions).flatten().map(|metric| &metric.name);
    let last = job.final_metric_data_list.iter().flatten().filter_map(|metric| metric.metric_name.as_ref());
    let mut seen = BTreeSet::new();
    defined.chain(last).filter(|name| seen.insert(name.as_str())).cloned().collect()
}

/// Returns a query for each statistic of each metric.
fn queries(job: &JobName, names: &[String], period: SignedDuration) -> Vec<MetricDataQuery> {
    let dimension = Dimension::builder().name(DIMENSION).value(job.as_str()).build();
    let seconds = i32::try_from(period.as_secs()).unwrap_or(i32::MAX);
    let of_metric = |(index, name): (usize, &String)| {
        let metric = Metric::builder().namespace(NAMESPACE).metric_name(name).dimensions(dimension.clone()).build();
        let query = move |(statistic, stat): (usize, &&str)| {
            let stat = MetricStat::builder().metric(metric.clone()).period(seconds).stat(*stat).build();
            MetricDataQuery::builder().id(format!("m{index}_{statistic}")).metric_stat(stat).build()
        };
        STATISTICS.iter().enumerate().map(query).collect::<Vec<_>>()
    };
    names.iter().enumerate().flat_map(of_metric).collect()
}

/// Statistics by time and by the metric's index, as they arrive.
#[derive(Debug, Default)]
struct Points(BTreeMap<(i64, usize), [Option<f64>; STATISTICS.len()]>);

impl Points {
    fn add(&mut self, result: MetricDataResult) {
        let Some((index, statistic)) = result.id().and_then(position) else { return };
        let times = result.timestamps.unwrap_or_default();
        for (time, value) in times.into_iter().zip(result.values.unwrap_or_default()) {
            let point = self.0.entry((time.secs(), index)).or_default();
            if let Some(place) = point.get_mut(statistic) {
                *place = Some(value);
            }
        }
    }

    /// Returns the points that are whole, oldest first.
    fn of(&self, names: &[String]) -> Vec<MetricPoint> {
        let point = |((seconds, index), statistics): (&(i64, usize), &[Option<f64>; STATISTICS.len()])| {
            let [average, least, greatest, values] = *statistics;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of values")]
            let values = values? as u64;
            Some(MetricPoint {
                name: names.get(*index)?.clone(),
                timestamp: Timestamp::from_second(*seconds).ok()?,
                average: average?,
                least: least?,
                greatest: greatest?,
                values,
            })
        };
        self.0.iter().filter_map(point).collect()
    }
}

/// Parses a query's id: the index of the metric and that of the statistic.
fn position(id: &str) -> Option<(usize, usize)> {
    let (metric, statistic) = id.strip_prefix('m')?.split_once('_')?;
    Some((metric.parse().ok()?, statistic.parse().ok()?))
}

#[async_trait]
impl Metrics for AwsMetrics {
    async fn training_metrics(&self, job: &DescribeTrainingJobResponse) -> CloudResult<MetricHistory> {
        let Some(span) = MetricSpan::of(job, Timestamp::now()) else {
            return Ok(MetricHistory { is_expired: true, ..MetricHistory::default() });
        };
        let names = self.names(job).await?;
        let mut points = Vec::new();
        for names in names.chunks(MAX_METRICS) {
            points.extend(self.values(&job.training_job_name, names, span).await?);
        }
        points.sort_by_key(|point| point.timestamp);
        Ok(MetricHistory { points, period: Some(span.period), is_expired: false })
    }
}
