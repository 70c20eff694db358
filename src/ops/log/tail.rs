//! The end of a log, read from the end.

use std::collections::VecDeque;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::pace::Quota;
use super::{MOST_STREAMS, Wanted};
use crate::cloud::{Cloud, CloudError, EventsQuery, LogEvent, LogStream};
use crate::error::{Error, Result};

/// The last lines of all streams together, oldest first.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) lines: Vec<(LogStream, LogEvent)>,
    /// Each stream, and the token to read on from.
    pub(super) streams: Vec<(LogStream, Option<String>)>,
}

/// Reads the last `count` events that `shows`.
pub(super) async fn tail(
    cloud: &Cloud,
    streams: Vec<LogStream>,
    wanted: &Wanted,
    count: usize,
    quota: &mut Quota,
    shows: &impl Fn(&LogEvent) -> bool,
) -> Result<Tail> {
    for _ in &streams {
        quota.get.take().await;
    }
    let ends = streams.into_iter().map(|stream| last(cloud, stream, wanted, count, shows));
    let ends: Vec<End> = stream::iter(ends).buffered(MOST_STREAMS).try_collect().await?;
    let mut lines = Vec::new();
    let mut streams = Vec::new();
    for End { stream, events, forward } in ends {
        lines.extend(events.into_iter().map(|event| (stream.clone(), event)));
        streams.push((stream, forward));
    }
    // A stable sort: what a stream has of one time stays as it was.
    lines.sort_by_key(|(stream, event)| (event.timestamp, stream.number()));
    let lines = lines.split_off(lines.len().saturating_sub(count));
    Ok(Tail { lines, streams })
}

struct End {
    stream: LogStream,
    events: VecDeque<LogEvent>,
    forward: Option<String>,
}

async fn last(
    cloud: &Cloud,
    stream: LogStream,
    wanted: &Wanted,
    count: usize,
    shows: &impl Fn(&LogEvent) -> bool,
) -> Result<End> {
    let (mut events, mut token, mut forward) = (VecDeque::new(), None::<String>, None);
    // One page is read in any case: where to follow from must be known for a tail of no lines, too.
    loop {
        let query =
            EventsQuery { start: wanted.since, end: wanted.until, from_head: false, token: token.clone(), limit: None };
        let page = match cloud.logs.events(&stream, &query).await {
            Err(CloudError::NotFound(what)) => return Err(Error::failure(format!("{what} does not exist"))),
            page => page?,
        };
        // Pages of this computer's come without a pause: let an interruption in.
        tokio::task::yield_now().await;
        forward.get_or_insert(page.next_forward_token);
        for event in page.events.into_iter().rev().filter(shows).take(count - events.len()) {
            events.push_front(event);
        }
        if events.len() >= count || token.as_deref() == Some(&page.next_backward_token) {
            return Ok(End { stream, events, forward });
        }
        token = Some(page.next_backward_token);
    }
}
