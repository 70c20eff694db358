//! Describes a job and lists its log streams at the same time, before its log is read.

use super::polling::is_large;
use super::stats;
use crate::cloud::{Cloud, CloudResult, LogStream};
use crate::model::JobName;
use crate::model::training_job::DescribeTrainingJobResponse;

/// A job's description and its log streams.
#[derive(Clone, Debug)]
pub(crate) struct Preflight {
    pub(super) state: DescribeTrainingJobResponse,
    /// `None` if they could not be listed, or are not needed because one call reads all nodes.
    pub(super) streams: Option<Vec<LogStream>>,
}

/// Describes a job and lists its streams concurrently.
///
/// Fails if the job cannot be described. For a large job, the list is dropped unless it arrives first.
pub(crate) async fn preflight(cloud: &Cloud, job: &JobName) -> CloudResult<Box<Preflight>> {
    let listing = cloud.logs.streams(job);
    let describe = cloud.jobs.describe(job);
    tokio::pin!(listing, describe);
    let (state, listed) = tokio::select! {
        state = &mut describe => (state?, None),
        listed = &mut listing => (describe.await?, Some(listed)),
    };
    let streams = match listed {
        Some(listed) => listed.ok(),
        None if node_count(&state).is_some_and(|nodes| is_large(cloud, nodes)) => None,
        None => listing.await.ok(),
    };
    Ok(Box::new(Preflight { state, streams }))
}

/// Returns the job's number of nodes, if its description has one.
fn node_count(state: &DescribeTrainingJobResponse) -> Option<usize> {
    state.resource_config.as_ref().and_then(stats::node_count)
}
