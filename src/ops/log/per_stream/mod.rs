//! Reads each stream by itself with GetLogEvents, which the usual SageMaker roles may call.
//!
//! A poll reads up to [`MAX_CONCURRENT_STREAMS`] streams at a time, page by page, and emits their events in time order:
//! an event is emitted once every stream has one queued or is at its end. A cursor (`nextForwardToken`) leads on from
//! poll to poll. It never returns events that arrive late, with a time before it; [`rescan`] finds those.

mod rescan;
mod rescan_progress;

use std::collections::VecDeque;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use tokio::time::Instant;

use super::dedup::{Dedup, LATENESS_WINDOW};
use super::merge::Merge;
use super::polling::MAX_CONCURRENT_STREAMS;
use super::rate_limits::RateLimits;
use super::selection::LogSelection;
use super::tail::StreamPosition;
use crate::cloud::{Cloud, CloudError, CloudResult, EventsPage, EventsQuery, LogStream, PageTokens};
use crate::error::Result;
use crate::model::LogEvent;
use rescan_progress::RescanProgress;

/// Number of empty pages in a row after which a stream counts as read to its end. Pages within a stream can be empty,
/// and there are reports of tokens that never repeat.
const MAX_EMPTY_PAGES: u32 = 10;
/// Maximum number of events in memory: one page of each stream.
const MAX_BUFFERED_EVENTS: usize = 80_000;
/// Minimum number of events asked for per page, whatever the number of streams.
const MIN_PAGE_EVENTS: usize = 500;
/// Maximum number of events on a page of GetLogEvents (CloudWatch Logs API reference).
const MAX_PAGE_EVENTS: usize = 10_000;
/// Maximum size of a page of GetLogEvents, in bytes (CloudWatch Logs API reference).
const MAX_PAGE_BYTES: usize = 1024 * 1024;

/// Receives events as they are read.
pub(super) trait Sink {
    /// Receives an event. With `settled`, no older event is expected.
    fn line(&mut self, stream: &LogStream, event: LogEvent, settled: bool) -> Result<()>;
}

/// Reader of a job's streams, one call per stream.
#[derive(Debug, Default)]
pub(super) struct PerStreamReader {
    streams: Vec<StreamReader>,
    dedup: Dedup,
    /// Events emitted by a rescan; the forward cursor may return them again.
    emitted_by_rescan: Dedup,
    /// Start of the next rescan; `None` before the first poll is complete.
    rescan_from: Option<Timestamp>,
    /// A poll that failed midway is resumed; streams already read to their end in it are skipped.
    poll_in_progress: bool,
    rescan: RescanProgress,
    /// Newest ingestion time seen: the service's clock.
    newest_ingested: Option<Timestamp>,
    /// The service's clock when the current poll began.
    clock_at_start: Option<Timestamp>,
    /// When the last event was read.
    last_line_at: Option<Instant>,
    /// Number of streams that were deleted while they were read.
    pub(super) gaps: usize,
}

/// Position in one stream, and the events read from it.
#[derive(Debug)]
struct StreamReader {
    stream: LogStream,
    /// Cursor (`nextForwardToken`); `None` means the start of the stream.
    token: Option<String>,
    /// Tokens of this poll's pages that had events; one that repeats is an error.
    tokens: PageTokens,
    /// Events not emitted yet.
    queue: VecDeque<LogEvent>,
    /// Number of empty pages in a row.
    empty_pages: u32,
    /// True if this poll has read the stream to its end.
    at_end: bool,
    /// True if the stream was deleted.
    is_gone: bool,
    /// Newest timestamp emitted.
    newest: Option<Timestamp>,
    /// Oldest timestamp wanted, after a tail.
    floor: Option<Timestamp>,
    /// Token at which reading stops, although the stream may grow.
    stop_token: Option<String>,
}

impl StreamReader {
    /// Returns true if the next page is needed before anything is emitted.
    fn wants_page(&self) -> bool {
        self.queue.is_empty() && !self.at_end && !self.is_gone
    }

    /// Prepares for another poll, which continues at the cursor.
    fn begin_poll(&mut self) {
        self.at_end = false;
        self.tokens = PageTokens::default();
    }

    /// Queues a page's events and moves the cursor. With `is_enough`, the poll ends here for this stream.
    ///
    /// Fails if the token leads back to an earlier page with events. Empty pages are counted instead.
    fn take(&mut self, page: EventsPage, is_enough: bool) -> CloudResult<()> {
        let is_empty = page.events.is_empty();
        self.empty_pages = if is_empty { self.empty_pages + 1 } else { 0 };
        let is_same = self.token.as_deref() == Some(&page.next_forward_token);
        self.at_end = is_same || is_enough || self.empty_pages > MAX_EMPTY_PAGES;
        if self.at_end {
            self.empty_pages = 0;
        }
        if !self.at_end && !is_empty {
            self.tokens.check(&page.next_forward_token, &events_of(&self.stream))?;
        }
        self.queue.extend(page.events);
        self.token = Some(page.next_forward_token);
        Ok(())
    }
}

impl PerStreamReader {
    /// Adds a stream, unless it is known. Reading starts at `token`, or at the start of the stream.
    pub(super) fn add(&mut self, stream: LogStream, token: Option<String>) {
        if self.streams.iter().any(|known| known.stream == stream) {
            return;
        }
        self.streams.push(StreamReader {
            stream,
            token,
            tokens: PageTokens::default(),
            queue: VecDeque::new(),
            empty_pages: 0,
            at_end: false,
            is_gone: false,
            newest: None,
            floor: None,
            stop_token: None,
        });
    }

    /// Adds streams; new ones are read from their start.
    pub(super) fn add_all(&mut self, streams: Vec<LogStream>) {
        for stream in streams {
            self.add(stream, None);
        }
    }

    /// Limits every stream to its current end.
    pub(super) async fn stop_at_current_end(&mut self, cloud: &Cloud) -> CloudResult<()> {
        for reader in &mut self.streams {
            reader.stop_token = cloud.logs.end(&reader.stream).await?;
        }
        Ok(())
    }

    /// Returns the number of streams.
    pub(super) fn len(&self) -> usize {
        self.streams.len()
    }

    /// Returns the number of nodes that have a stream.
    pub(super) fn node_count(&self) -> usize {
        let numbers: std::collections::BTreeSet<u32> =
            self.streams.iter().map(|reader| reader.stream.number()).collect();
        numbers.len()
    }

    /// Continues after a tail whose events have been emitted. Older events are emitted only if they arrived since.
    pub(super) fn resume_after_tail(&mut self, positions: Vec<StreamPosition>) {
        for StreamPosition { stream, token, known } in positions {
            self.add(stream.clone(), token);
            for event in &known {
                self.dedup.record(&stream, event);
            }
            if let Some(reader) = self.streams.last_mut() {
                reader.newest = known.back().map(|event| event.timestamp);
                reader.floor = known.front().map(|event| event.timestamp);
            }
        }
        self.rescan_from = self.dedup.rescan_start();
    }

    /// Reads all streams and emits their events in time order.
    ///
    /// Reads each stream to its end or, with `more_to_come`, until a page has events that arrived after the poll began.
    /// After an error, the next call resumes the poll.
    pub(super) async fn poll(
        &mut self,
        cloud: &Cloud,
        wanted: &LogSelection,
        limits: &mut RateLimits,
        sink: &mut impl Sink,
        more_to_come: bool,
    ) -> Result<()> {
        let rescan_from = self.dedup.rescan_start();
        if !self.poll_in_progress {
            self.streams.iter_mut().for_each(StreamReader::begin_poll);
            self.clock_at_start = self.newest_ingested;
            self.poll_in_progress = true;
        }
        while self.fetch_pages(cloud, wanted, limits, more_to_come).await? {
            self.emit(sink)?;
        }
        self.emit(sink)?;
        self.poll_in_progress = false;
        if self.rescan_from.is_none() {
            // Events that the deduplication has forgotten would be emitted again.
            self.rescan_from = rescan_from.or_else(|| self.dedup.rescan_start()).max(self.dedup.retained_from());
            self.rescan_from.into_iter().for_each(|start| self.dedup.forget_before(start));
        }
        Ok(())
    }

    /// Fetches a page of each stream that needs one. Returns false if all streams have been read to their end.
    async fn fetch_pages(
        &mut self,
        cloud: &Cloud,
        wanted: &LogSelection,
        limits: &mut RateLimits,
        more_to_come: bool,
    ) -> CloudResult<bool> {
        let limit = (MAX_BUFFERED_EVENTS / self.streams.len().max(1)).max(MIN_PAGE_EVENTS);
        let waiting = self.next_queries(wanted, limit);
        if waiting.is_empty() {
            return Ok(false);
        }
        for _ in &waiting {
            limits.get_events.take().await;
        }
        let pages = waiting
            .into_iter()
            .map(|(number, stream, query)| async move { (number, cloud.logs.events(&stream, &query).await) });
        let mut pages = stream::iter(pages).buffer_unordered(MAX_CONCURRENT_STREAMS);
        let mut failed = None;
        while let Some((number, page)) = pages.next().await {
            match page {
                Ok(page) => {
                    let is_enough = more_to_come && is_small(&page, limit) && self.is_of_this_poll(&page);
                    if let Err(error) = self.take(number, page, is_enough) {
                        failed = Some(error);
                    }
                }
                Err(CloudError::NotFound(_)) => self.mark_gone(number),
                // The other pages are kept: their cursors have moved.
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(true), Err)
    }

    /// Returns the streams that need a page, by number, with the query for it.
    fn next_queries(&self, wanted: &LogSelection, limit: usize) -> Vec<(usize, LogStream, EventsQuery)> {
        let waiting = self.streams.iter().enumerate().filter(|(_, reader)| reader.wants_page());
        let queries = waiting.map(|(number, reader)| {
            let stop_token = reader.stop_token.clone();
            let query = EventsQuery { up_to: stop_token, ..query(wanted, reader.token.clone(), limit) };
            (number, reader.stream.clone(), query)
        });
        queries.collect()
    }

    /// Returns true if a page has events that arrived after the poll began. Reading on would never end while lines keep
    /// arriving. In the first poll, any event counts, so that lines show soon.
    fn is_of_this_poll(&self, page: &EventsPage) -> bool {
        newest_ingested(page) > self.clock_at_start
    }

    /// Adds a stream's page. With `is_enough`, the next poll continues behind it.
    fn take(&mut self, number: usize, page: EventsPage, is_enough: bool) -> CloudResult<()> {
        self.newest_ingested = self.newest_ingested.max(newest_ingested(&page));
        match self.streams.get_mut(number) {
            Some(reader) => reader.take(page, is_enough),
            None => Ok(()),
        }
    }

    /// Marks a stream as deleted.
    fn mark_gone(&mut self, number: usize) {
        if let Some(reader) = self.streams.get_mut(number) {
            reader.is_gone = true;
            self.gaps += usize::from(reader.token.is_some());
        }
    }

    /// Emits queued events in time order, until a stream that may have an older one needs another page.
    fn emit(&mut self, sink: &mut impl Sink) -> Result<()> {
        while !self.streams.iter().any(StreamReader::wants_page) {
            let heads = self.streams.iter().enumerate();
            let next = heads
                .filter_map(|(number, reader)| Some((reader.queue.front()?.timestamp, reader.stream.number(), number)));
            let Some((.., number)) = next.min() else { break };
            let settled = self.is_settled(number);
            let Some(reader) = self.streams.get_mut(number) else { break };
            let Some(event) = reader.queue.pop_front() else { break };
            reader.newest = reader.newest.max(Some(event.timestamp));
            self.last_line_at = Some(Instant::now());
            if !self.emitted_by_rescan.remove(&reader.stream, &event) {
                self.dedup.record(&reader.stream, &event);
                sink.line(&reader.stream, event, settled)?;
            }
        }
        Ok(())
    }

    /// Returns true if no stream can have an older event than a stream's next one: each has a newer one queued, or the
    /// event is older than the lateness window.
    fn is_settled(&self, number: usize) -> bool {
        let event = self.streams.get(number).and_then(|reader| reader.queue.front());
        let is_old =
            |newest: Timestamp| event.is_some_and(|event| newest.duration_since(event.timestamp) > LATENESS_WINDOW);
        self.newest_ingested.is_some_and(is_old)
            || self.streams.iter().all(|reader| reader.is_gone || !reader.queue.is_empty())
    }
}

/// Returns true if a page is less than half full, so that hardly any more events follow.
fn is_small(page: &EventsPage, limit: usize) -> bool {
    let bytes: usize = page.events.iter().map(|event| event.message.len()).sum();
    page.events.len() < limit.min(MAX_PAGE_EVENTS) / 2 && bytes < MAX_PAGE_BYTES / 2
}

/// Returns the name of a stream's list of events, for an error.
fn events_of(stream: &LogStream) -> String {
    format!("the events of the log stream {}", stream.name)
}

/// Returns the newest ingestion time on a page.
fn newest_ingested(page: &EventsPage) -> Option<Timestamp> {
    page.events.iter().filter_map(|event| event.ingested).max()
}

/// Builds the query of a stream's events, oldest first.
fn query(wanted: &LogSelection, token: Option<String>, limit: usize) -> EventsQuery {
    let limit = Some(limit).filter(|limit| *limit < MAX_PAGE_EVENTS);
    EventsQuery { start: wanted.since, end: wanted.until, from_head: true, token, limit, up_to: None }
}

/// Sink that passes events through the merge to a function.
pub(super) struct MergingSink<'a, F> {
    pub(super) merge: &'a mut Merge,
    /// Called with a stream, an event, and whether it is late.
    pub(super) emit: F,
}

impl<F: FnMut(&LogStream, LogEvent, bool) -> Result<()>> Sink for MergingSink<'_, F> {
    fn line(&mut self, stream: &LogStream, event: LogEvent, settled: bool) -> Result<()> {
        if let Some(late) = self.merge.try_pass(&event, settled) {
            return (self.emit)(stream, event, late);
        }
        self.merge.push(stream.clone(), event, settled, Instant::now());
        Ok(())
    }
}

impl<F: FnMut(&LogStream, LogEvent, bool) -> Result<()>> MergingSink<'_, F> {
    /// Emits the held lines that are due.
    pub(super) fn release(&mut self) -> Result<()> {
        let Self { merge, emit } = self;
        merge.release(Instant::now()).try_for_each(|line| emit(&line.stream, line.event, line.late))
    }

    /// Emits all held lines.
    pub(super) fn release_all(&mut self) -> Result<()> {
        let Self { merge, emit } = self;
        merge.release_all().try_for_each(|line| emit(&line.stream, line.event, line.late))
    }
}
