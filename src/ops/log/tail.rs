//! Reads the last lines of a log, backwards from its end.

use std::collections::VecDeque;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::dedup::LATENESS_WINDOW;
use super::polling::MAX_CONCURRENT_STREAMS;
use super::rate_limits::RateLimits;
use super::selection::LogSelection;
use crate::cloud::{Cloud, CloudError, EventsQuery, LogStream, PageTokens};
use crate::error::{Error, Result};
use crate::model::LogEvent;

/// The last lines of all streams.
#[derive(Debug)]
pub(super) struct Tail {
    /// Oldest first.
    pub(super) lines: Vec<(LogStream, LogEvent)>,
    /// Position after the last event of each stream.
    pub(super) positions: Vec<StreamPosition>,
}

/// Position from which a stream is read on.
#[derive(Clone, Debug)]
pub(super) struct StreamPosition {
    pub(super) stream: LogStream,
    /// Cursor (`nextForwardToken`); `None` means the start of the stream.
    pub(super) token: Option<String>,
    /// Events read from the stream's lateness window, oldest first. An event there that is not among them arrived
    /// later.
    pub(super) known: VecDeque<LogEvent>,
}

/// Reads the last `count` events for which `shows` returns true.
///
/// Fails if a stream does not exist any more.
pub(super) async fn read_tail(
    cloud: &Cloud,
    streams: Vec<LogStream>,
    wanted: &LogSelection,
    count: usize,
    limits: &mut RateLimits,
    shows: &impl Fn(&LogEvent) -> bool,
) -> Result<Tail> {
    for _ in &streams {
        limits.get_events.take().await;
    }
    let ends = streams.into_iter().map(|stream| read_stream_tail(cloud, stream, wanted, count, shows));
    let ends: Vec<StreamTail> = stream::iter(ends).buffered(MAX_CONCURRENT_STREAMS).try_collect().await?;
    let mut lines = Vec::new();
    let mut positions = Vec::new();
    for StreamTail { events, position } in ends {
        lines.extend(events.into_iter().map(|event| (position.stream.clone(), event)));
        positions.push(position);
    }
    // A stable sort keeps a stream's events of the same time in their order.
    lines.sort_by_key(|(stream, event)| (event.timestamp, stream.number()));
    let lines = lines.split_off(lines.len().saturating_sub(count));
    Ok(Tail { lines, positions })
}

/// The last events of one stream.
struct StreamTail {
    events: VecDeque<LogEvent>,
    position: StreamPosition,
}

async fn read_stream_tail(
    cloud: &Cloud,
    stream: LogStream,
    wanted: &LogSelection,
    count: usize,
    shows: &impl Fn(&LogEvent) -> bool,
) -> Result<StreamTail> {
    let mut events = VecDeque::new();
    let mut token = None::<String>;
    let mut forward = None;
    let mut known: VecDeque<LogEvent> = VecDeque::new();
    let mut tokens = PageTokens::default();
    // One page is read even for a tail of no lines: it has the cursor to follow from.
    loop {
        let query =
            EventsQuery { start: wanted.since, end: wanted.until, token: token.clone(), ..EventsQuery::default() };
        let page = match cloud.logs.events(&stream, &query).await {
            Err(CloudError::NotFound(what)) => return Err(Error::failure(format!("{what} does not exist"))),
            page => page?,
        };
        // Pages of a local log return without waiting: let a cancellation in.
        tokio::task::yield_now().await;
        forward.get_or_insert(page.next_forward_token);
        for event in page.events.into_iter().rev() {
            if events.len() < count && shows(&event) {
                events.push_front(event.clone());
            }
            if known.back().is_none_or(|newest| newest.timestamp.duration_since(event.timestamp) <= LATENESS_WINDOW) {
                known.push_front(event);
            }
        }
        if events.len() >= count || token.as_deref() == Some(&page.next_backward_token) {
            return Ok(StreamTail { events, position: StreamPosition { stream, token: forward, known } });
        }
        token = tokens.next(Some(page.next_backward_token), "the log's last events")?;
    }
}
