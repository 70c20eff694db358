//! Metrics and hyperparameters that only the reinforcement-learning images get: those of the SDK's `RLEstimator`.
//!
//! Source: the SageMaker Python SDK 2.257.7, `rl/estimator.py`.

use super::added_value::AddedValue;
use crate::job::spec::Framework;
use crate::model::request::MetricDefinition;

/// Names of metrics with their regular expressions.
type MetricTable = [(&'static str, &'static str)];

/// `RLEstimator.default_metric_definitions` for the Coach toolkit.
const COACH: &MetricTable =
    &[("reward-training", "^Training>.*Total reward=(.*?),"), ("reward-testing", "^Testing>.*Total reward=(.*?),")];
/// `RLEstimator.default_metric_definitions` for the Ray toolkit.
const RAY: &MetricTable = &[
    ("episode_reward_mean", "episode_reward_mean: ([-+]?[0-9]*[.]?[0-9]+([eE][-+]?[0-9]+)?)"),
    ("episode_reward_max", "episode_reward_max: ([-+]?[0-9]*[.]?[0-9]+([eE][-+]?[0-9]+)?)"),
];

/// Returns the metrics that the framework's toolkit prints; `None` if it is no reinforcement-learning framework.
fn printed_metrics(framework: &Framework) -> Option<&'static MetricTable> {
    match framework.name.as_str() {
        "coach-mxnet" | "coach-tensorflow" => Some(COACH),
        "ray-pytorch" | "ray-tensorflow" => Some(RAY),
        _ => None,
    }
}

/// Returns the metrics of a job whose spec has none. A custom image has no default metrics: it may print others.
pub(super) fn default_metrics(framework: &Framework) -> Vec<MetricDefinition> {
    let metrics = printed_metrics(framework).filter(|_| framework.image.is_none()).unwrap_or_default();
    metrics.iter().map(|&(name, regex)| MetricDefinition { name: name.to_owned(), regex: regex.to_owned() }).collect()
}

/// Returns the hyperparameters for the toolkit: the S3 URI to which it uploads `output/intermediate` while the script
/// runs, and the estimator's name.
pub(super) fn hyperparameters(framework: &Framework) -> Vec<(&'static str, AddedValue)> {
    if printed_metrics(framework).is_none() {
        return Vec::new();
    }
    vec![("sagemaker_s3_output", AddedValue::Output), ("sagemaker_estimator", AddedValue::Fixed("RLEstimator".into()))]
}
