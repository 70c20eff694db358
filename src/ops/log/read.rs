//! Reads a job's existing log once, without following it.

use super::filtered::FilteredReader;
use super::merge::Merge;
use super::per_stream::{MergingSink, PerStreamReader};
use super::polling::is_large;
use super::rate_limits::RateLimits;
use super::selection::LogSelection;
use super::tail::read_tail;
use super::watcher::Watcher;
use crate::cloud::{Cloud, LogStream};
use crate::error::Result;
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, LogEvent};

/// Emits every selected line to the watcher. Returns false if the job has no log.
pub(crate) async fn read(
    cloud: &Cloud,
    job: &JobName,
    wanted: &LogSelection,
    watcher: &mut impl Watcher,
) -> Result<bool> {
    let mut limits = RateLimits::for_cloud(cloud);
    limits.list_streams.take().await;
    let streams = list_streams(cloud, job, wanted).await?;
    if streams.is_empty() {
        return Ok(false);
    }
    announce_nodes(&streams, watcher);
    if let Some(count) = wanted.tail {
        let tail = read_tail(cloud, streams, wanted, count, &mut limits, &|event| watcher.shows(event)).await?;
        tail.lines.into_iter().try_for_each(|(stream, event)| watcher.line(&stream, event, false))?;
    } else {
        let mut merge = Merge::new(None);
        let mut emit = |stream: &LogStream, event: LogEvent, late| watcher.line(stream, event, late);
        let mut sink = MergingSink { merge: &mut merge, emit: &mut emit };
        read_all(cloud, job, wanted, streams, &mut limits, &mut sink).await?;
        sink.release_all()?;
    }
    watcher.flush()?;
    Ok(true)
}

async fn read_all<F: FnMut(&LogStream, LogEvent, bool) -> Result<()>>(
    cloud: &Cloud,
    job: &JobName,
    wanted: &LogSelection,
    streams: Vec<LogStream>,
    limits: &mut RateLimits,
    sink: &mut MergingSink<'_, F>,
) -> Result<()> {
    if is_large(cloud, streams.len()) && FilteredReader::default().poll(cloud, job, wanted, limits, sink).await? {
        return Ok(());
    }
    let mut reader = PerStreamReader::default();
    reader.add_all(streams);
    // Otherwise reading would never end if a local script prints faster than its log is read.
    reader.stop_at_current_end(cloud).await?;
    reader.poll(cloud, wanted, limits, sink, false).await
}

/// Lists the streams of the selected nodes, by node.
pub(super) async fn list_streams(cloud: &Cloud, job: &JobName, wanted: &LogSelection) -> Result<Vec<LogStream>> {
    Ok(select_streams(cloud.logs.streams(job).await?, wanted))
}

/// Returns the streams of the selected nodes, sorted by node.
pub(super) fn select_streams(mut streams: Vec<LogStream>, wanted: &LogSelection) -> Vec<LogStream> {
    streams.retain(|stream| wanted.has(stream));
    streams.sort_by(|one, other| (one.number(), &one.name).cmp(&(other.number(), &other.name)));
    streams
}

/// Tells the watcher that there are several nodes, if there are.
pub(super) fn announce_nodes(streams: &[LogStream], watcher: &mut impl Watcher) {
    let is_several = streams.iter().any(|stream| streams.first().is_some_and(|first| first.node() != stream.node()));
    if is_several {
        watcher.several_nodes(streams.iter().map(|stream| stream.node().len()).max().unwrap_or_default());
    }
}

/// Returns a message that says why a job has no log: its current phase, or how it ended.
pub(crate) fn no_log_reason(state: &DescribeTrainingJobResponse) -> String {
    let name = &state.training_job_name;
    let status = &state.training_job_status;
    let last = state.secondary_status_transitions.iter().flatten().last();
    let message = last.and_then(|phase| phase.status_message.as_deref()).unwrap_or_default();
    let because = match state.failure_reason.as_deref().unwrap_or(message) {
        "" => String::new(),
        text => format!(": {text}"),
    };
    if state.has_ended() {
        format!("job {name} ended {status} and logged nothing{because}")
    } else {
        format!("job {name} has no log yet; it is {}{because}", state.secondary_status)
    }
}
