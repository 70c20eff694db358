//! What the images of reinforcement learning get beside what other frameworks do, as from the SDK's `RLEstimator`.
//!
//! Source: the SageMaker Python SDK 2.257.7, `rl/estimator.py`.

use serde_json::{Map, Value};

use super::facts::ResolvedInputs;
use crate::job::spec::Framework;
use crate::model::request::MetricDefinition;

/// Names and expressions.
type MetricTable = [(&'static str, &'static str)];

/// `RLEstimator.default_metric_definitions` of the toolkit Coach.
const COACH: &MetricTable =
    &[("reward-training", "^Training>.*Total reward=(.*?),"), ("reward-testing", "^Testing>.*Total reward=(.*?),")];
/// The same of Ray.
const RAY: &MetricTable = &[
    ("episode_reward_mean", "episode_reward_mean: ([-+]?[0-9]*[.]?[0-9]+([eE][-+]?[0-9]+)?)"),
    ("episode_reward_max", "episode_reward_max: ([-+]?[0-9]*[.]?[0-9]+([eE][-+]?[0-9]+)?)"),
];

/// What a toolkit prints. None for other frameworks.
fn printed_by(framework: &Framework) -> Option<&'static MetricTable> {
    match framework.name.as_str() {
        "coach-mxnet" | "coach-tensorflow" => Some(COACH),
        "ray-pytorch" | "ray-tensorflow" => Some(RAY),
        _ => None,
    }
}

/// The metrics of a job whose spec has none. An image of the user's own is not known to print them.
pub(super) fn default_metrics(framework: &Framework) -> Vec<MetricDefinition> {
    let metrics = printed_by(framework).filter(|_| framework.image.is_none()).unwrap_or_default();
    metrics.iter().map(|&(name, regex)| MetricDefinition { name: name.to_owned(), regex: regex.to_owned() }).collect()
}

/// Where the toolkit stores what a script writes to `output/intermediate` while it runs, and whose job it is.
pub(super) fn hyperparameters(framework: &Framework, facts: &ResolvedInputs<'_>) -> Map<String, Value> {
    if printed_by(framework).is_none() {
        return Map::new();
    }
    let entries =
        [("sagemaker_s3_output", facts.output.to_string()), ("sagemaker_estimator", "RLEstimator".to_owned())];
    entries.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}
