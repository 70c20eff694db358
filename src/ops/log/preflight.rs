//! The first preflight at a job whose log is wanted: the job and its streams, asked for at once.

use super::polling::is_large;
use super::stats;
use crate::cloud::{Cloud, CloudResult, LogStream};
use crate::model::JobName;
use crate::model::training_job::DescribeTrainingJobResponse;

/// What it shows.
#[derive(Clone, Debug)]
pub(crate) struct Preflight {
    pub(super) state: DescribeTrainingJobResponse,
    /// None where they are not there for the asking, or one call for all nodes needs none.
    pub(super) streams: Option<Vec<LogStream>>,
}

/// One answer is waited for, where two are given.
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
        None if nodes(&state).is_some_and(|nodes| is_large(cloud, nodes)) => None,
        None => listing.await.ok(),
    };
    Ok(Box::new(Preflight { state, streams }))
}

fn nodes(state: &DescribeTrainingJobResponse) -> Option<usize> {
    state.resource_config.as_ref().and_then(stats::nodes)
}
