//! Reading the log that is there: all of it, a time span of it, or its last lines.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::cloud::{Cloud, CloudError, EventsQuery, LogEvent, LogStream};
use crate::error::{Error, Result};
use crate::model::JobName;

/// A span of time, open where it is not given.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    /// Inclusive.
    pub(crate) since: Option<Timestamp>,
    /// Exclusive.
    pub(crate) until: Option<Timestamp>,
}

impl Span {
    fn query(self, from_head: bool, token: Option<String>) -> EventsQuery {
        EventsQuery { start: self.since, end: self.until, from_head, token, limit: None }
    }
}

pub(crate) async fn streams(cloud: &Cloud, job: &JobName) -> Result<Vec<LogStream>> {
    // A job without a log yet is told from one that isn't there.
    let streams = cloud.logs.streams(job).await?;
    if streams.is_empty() {
        cloud.jobs.describe(job).await?;
    }
    Ok(streams)
}

/// Gives every event of the span, oldest first; returns the token to go on from.
pub(crate) async fn forwards(
    cloud: &Cloud,
    stream: &LogStream,
    span: Span,
    mut token: Option<String>,
    each: &mut impl FnMut(&LogStream, &LogEvent) -> Result<()>,
) -> Result<Option<String>> {
    loop {
        let page = cloud.logs.events(stream, &span.query(true, token.clone())).await?;
        page.events.iter().try_for_each(|event| each(stream, event))?;
        // Pages of this computer's come without a pause: let an interruption in.
        tokio::task::yield_now().await;
        // The end is where the token repeats; an empty page is not the end.
        if token.as_deref() == Some(&page.next_forward_token) {
            return Ok(token);
        }
        token = Some(page.next_forward_token);
    }
}

/// The last `count` events of the span that are `wanted`, oldest first, read from the end.
pub(crate) async fn last(
    cloud: &Cloud,
    stream: &LogStream,
    span: Span,
    count: usize,
    wanted: impl Fn(&LogEvent) -> bool,
) -> Result<Tail> {
    let (mut events, mut token, mut forward) = (VecDeque::new(), None::<String>, None);
    // One page is read in any case: where to follow from must be known for a tail of no lines, too.
    loop {
        let page = match cloud.logs.events(stream, &span.query(false, token.clone())).await {
            Err(CloudError::NotFound(what)) => return Err(Error::failure(format!("{what} does not exist"))),
            page => page?,
        };
        forward.get_or_insert(page.next_forward_token);
        for event in page.events.into_iter().rev().filter(&wanted).take(count - events.len()) {
            events.push_front(event);
        }
        if events.len() >= count || token.as_deref() == Some(&page.next_backward_token) {
            return Ok(Tail { events, forward });
        }
        token = Some(page.next_backward_token);
    }
}

/// The end of a stream, and the token to follow it from.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) events: VecDeque<LogEvent>,
    pub(crate) forward: Option<String>,
}
