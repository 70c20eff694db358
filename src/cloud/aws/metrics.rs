//! A job's training metrics in CloudWatch.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat};
use jiff::Timestamp;

use super::arn;
use super::config::{AwsConfig, client};
use super::error::failed;
use crate::cloud::{CloudResult, MetricPoint, Metrics, PageTokens};
use crate::model::JobName;

const NAMESPACE: &str = "/aws/sagemaker/TrainingJobs";
const DIMENSION: &str = "TrainingJobName";
/// Period of a data point, in seconds: the finest that CloudWatch has for these metrics.
const PERIOD_SECONDS: i32 = 60;
/// Maximum number of queries per GetMetricData call (CloudWatch API reference).
const MAX_QUERIES: usize = 500;
/// Retention of data points of one minute: 15 days.
const RETENTION: Duration = Duration::from_hours(15 * 24);

/// Implements [`Metrics`] with CloudWatch.
#[derive(Debug)]
pub(super) struct AwsMetrics {
    client: Client,
}

impl AwsMetrics {
    pub(super) fn new(config: &AwsConfig) -> Self {
        Self { client: client!(aws_sdk_cloudwatch, config) }
    }

    async fn names(&self, job: &JobName) -> CloudResult<Vec<String>> {
        let of_job = aws_sdk_cloudwatch::types::DimensionFilter::builder().name(DIMENSION).value(job.as_str()).build();
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

    async fn values(&self, job: &JobName, names: &[String]) -> CloudResult<Vec<MetricPoint>> {
        let queries: Vec<_> = names.iter().enumerate().map(|(index, name)| query(job, index, name)).collect();
        let now = Timestamp::now().as_second();
        let start = now - i64::try_from(RETENTION.as_secs()).unwrap_or(0);
        let mut points = Vec::new();
        let mut token = None;
        let mut tokens = PageTokens::default();
        loop {
            let call = self
                .client
                .get_metric_data()
                .set_metric_data_queries(Some(queries.clone()))
                .start_time(DateTime::from_secs(start))
                .end_time(DateTime::from_secs(now + i64::from(PERIOD_SECONDS)));
            let page = call
                .set_next_token(token)
                .send()
                .await
                .map_err(failed(format!("read the metrics of {job}"), arn::ANY))?;
            points.extend(page.metric_data_results.into_iter().flatten().flat_map(|result| points_of(result, names)));
            token = tokens.next(page.next_token, &format!("the metrics of {job}"))?;
            if token.is_none() {
                return Ok(points);
            }
        }
    }
}

fn query(job: &JobName, index: usize, name: &str) -> MetricDataQuery {
    let dimension = Dimension::builder().name(DIMENSION).value(job.as_str()).build();
    let metric = Metric::builder().namespace(NAMESPACE).metric_name(name).dimensions(dimension).build();
    let average = MetricStat::builder().metric(metric).period(PERIOD_SECONDS).stat("Average").build();
    MetricDataQuery::builder().id(format!("m{index}")).metric_stat(average).build()
}

fn points_of(result: MetricDataResult, names: &[String]) -> Vec<MetricPoint> {
    let index = result.id().and_then(|id| id.strip_prefix('m')).and_then(|index| index.parse::<usize>().ok());
    let Some(name) = index.and_then(|index| names.get(index)) else { return Vec::new() };
    let times = result.timestamps.unwrap_or_default();
    let points = times.into_iter().zip(result.values.unwrap_or_default());
    points
        .filter_map(|(time, value)| {
            let timestamp = Timestamp::from_second(time.secs()).ok()?;
            Some(MetricPoint { name: name.clone(), timestamp, value })
        })
        .collect()
}

#[async_trait]
impl Metrics for AwsMetrics {
    async fn training_metrics(&self, job: &JobName) -> CloudResult<Vec<MetricPoint>> {
        let names = self.names(job).await?;
        let mut points = Vec::new();
        for names in names.chunks(MAX_QUERIES) {
            points.extend(self.values(job, names).await?);
        }
        points.sort_by_key(|point| point.timestamp);
        Ok(points)
    }
}
