//! The log that is there, read once.

use super::filtered::Whole;
use super::merge::Merge;
use super::per_stream::{Streams, Through};
use super::polling::{Quota, is_large};
use super::selection::LogSelection;
use super::tail::tail;
use super::watcher::Watcher;
use crate::cloud::{Cloud, LogStream};
use crate::error::Result;
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, LogEvent};

/// Tells every line that is wanted. False where the job has no log at all.
pub(crate) async fn read(
    cloud: &Cloud,
    job: &JobName,
    wanted: &LogSelection,
    watcher: &mut impl Watcher,
) -> Result<bool> {
    let mut quota = Quota::of(cloud);
    quota.list.take().await;
    let streams = streams(cloud, job, wanted).await?;
    if streams.is_empty() {
        return Ok(false);
    }
    announce(&streams, watcher);
    if let Some(count) = wanted.tail {
        let tail = tail(cloud, streams, wanted, count, &mut quota, &|event| watcher.shows(event)).await?;
        tail.lines.iter().try_for_each(|(stream, event)| watcher.line(stream, event, false))?;
    } else {
        let mut merge = Merge::new(None);
        let mut tell = |stream: &LogStream, event: &LogEvent, late| watcher.line(stream, event, late);
        let mut sink = Through { merge: &mut merge, tell: &mut tell };
        read_all(cloud, job, wanted, streams, &mut quota, &mut sink).await?;
        sink.release_all()?;
    }
    watcher.flush()?;
    Ok(true)
}

async fn read_all<F: FnMut(&LogStream, &LogEvent, bool) -> Result<()>>(
    cloud: &Cloud,
    job: &JobName,
    wanted: &LogSelection,
    streams: Vec<LogStream>,
    quota: &mut Quota,
    sink: &mut Through<'_, F>,
) -> Result<()> {
    if is_large(cloud, streams.len()) && Whole::default().round(cloud, job, wanted, quota, sink).await? {
        return Ok(());
    }
    let mut reader = Streams::default();
    reader.add_all(streams);
    // A script may print faster than its log is read.
    reader.end_here(cloud).await?;
    reader.round(cloud, wanted, quota, sink, false).await
}

/// The streams of the nodes that are wanted.
pub(super) async fn streams(cloud: &Cloud, job: &JobName, wanted: &LogSelection) -> Result<Vec<LogStream>> {
    Ok(of_wanted(cloud.logs.streams(job).await?, wanted))
}

/// Those of the nodes that are wanted, by node.
pub(super) fn of_wanted(mut streams: Vec<LogStream>, wanted: &LogSelection) -> Vec<LogStream> {
    streams.retain(|stream| wanted.has(stream));
    streams.sort_by(|one, other| (one.number(), &one.name).cmp(&(other.number(), &other.name)));
    streams
}

/// Tells that there are several nodes, if there are.
pub(super) fn announce(streams: &[LogStream], watcher: &mut impl Watcher) {
    let is_several = streams.iter().any(|stream| streams.first().is_some_and(|first| first.node() != stream.node()));
    if is_several {
        watcher.several_nodes(streams.iter().map(|stream| stream.node().len()).max().unwrap_or_default());
    }
}

/// Why a job has no log: what it waits for, or how it ended before it logged anything.
pub(crate) fn waits_for(state: &DescribeTrainingJobResponse) -> String {
    let name = &state.training_job_name;
    let status = state.training_job_status;
    let last = state.secondary_status_transitions.iter().flatten().last();
    let message = last.and_then(|phase| phase.status_message.as_deref()).unwrap_or_default();
    let because = match state.failure_reason.as_deref().unwrap_or(message) {
        "" => String::new(),
        text => format!(": {text}"),
    };
    if status.is_final() {
        format!("job {name} ended {status} and logged nothing{because}")
    } else {
        format!("job {name} has no log yet; it is {}{because}", state.secondary_status)
    }
}
