//! The end of a log, read from the end.

use std::collections::VecDeque;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::dedup::LATENESS;
use super::polling::{MOST_STREAMS, Quota};
use super::selection::LogSelection;
use crate::cloud::{Cloud, CloudError, EventsQuery, LogStream, PageTokens};
use crate::error::{Error, Result};
use crate::model::LogEvent;

/// The last lines of all streams together, oldest first.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) lines: Vec<(LogStream, LogEvent)>,
    /// Each stream, and where to read on.
    pub(super) streams: Vec<Rest>,
}

/// Where a stream is read on.
#[derive(Clone, Debug)]
pub(super) struct Rest {
    pub(super) stream: LogStream,
    pub(super) token: Option<String>,
    /// The last stretch of time that has been read of it, oldest first: what isn't among it came since.
    pub(super) known: VecDeque<LogEvent>,
}

/// Reads the last `count` events that `shows`.
pub(super) async fn tail(
    cloud: &Cloud,
    streams: Vec<LogStream>,
    wanted: &LogSelection,
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
    for End { events, rest } in ends {
        lines.extend(events.into_iter().map(|event| (rest.stream.clone(), event)));
        streams.push(rest);
    }
    // A stable sort: what a stream has of one time stays as it was.
    lines.sort_by_key(|(stream, event)| (event.timestamp, stream.number()));
    let lines = lines.split_off(lines.len().saturating_sub(count));
    Ok(Tail { lines, streams })
}

struct End {
    events: VecDeque<LogEvent>,
    rest: Rest,
}

async fn last(
    cloud: &Cloud,
    stream: LogStream,
    wanted: &LogSelection,
    count: usize,
    shows: &impl Fn(&LogEvent) -> bool,
) -> Result<End> {
    let (mut events, mut token, mut forward) = (VecDeque::new(), None::<String>, None);
    let mut known: VecDeque<LogEvent> = VecDeque::new();
    let mut tokens = PageTokens::default();
    // One page is read in any case: where to follow from must be known for a tail of no lines, too.
    loop {
        let query =
            EventsQuery { start: wanted.since, end: wanted.until, token: token.clone(), ..EventsQuery::default() };
        let page = match cloud.logs.events(&stream, &query).await {
            Err(CloudError::NotFound(what)) => return Err(Error::failure(format!("{what} does not exist"))),
            page => page?,
        };
        // Pages of this computer's come without a pause: let an interruption in.
        tokio::task::yield_now().await;
        forward.get_or_insert(page.next_forward_token);
        for event in page.events.into_iter().rev() {
            if events.len() < count && shows(&event) {
                events.push_front(event.clone());
            }
            if known.back().is_none_or(|newest| newest.timestamp.duration_since(event.timestamp) <= LATENESS) {
                known.push_front(event);
            }
        }
        if events.len() >= count || token.as_deref() == Some(&page.next_backward_token) {
            return Ok(End { events, rest: Rest { stream, token: forward, known } });
        }
        token = tokens.next(Some(page.next_backward_token), "the end of the log")?;
    }
}
