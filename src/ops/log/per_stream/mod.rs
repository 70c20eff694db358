//! Each node's stream read by itself: GetLogEvents, which every role of SageMaker's may call.

mod look_back;
mod rescan;

use std::collections::VecDeque;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use tokio::time::Instant;

use super::dedup::{Dedup, LATENESS};
use super::merge::Merge;
use super::polling::{MOST_STREAMS, Quota};
use super::selection::LogSelection;
use super::tail::Rest;
use crate::cloud::{Cloud, CloudError, CloudResult, EventsPage, EventsQuery, LogStream, PageTokens};
use crate::error::Result;
use crate::model::LogEvent;
use look_back::RescanProgress;

/// Empty pages in a row, each with another token, that are no end yet: pages can be empty in the middle, and there are
/// reports of tokens that never repeat.
const EMPTY_PAGES: u32 = 10;
/// Events of all streams that are in memory at once: a page of each.
const MOST_EVENTS: usize = 80_000;
const LEAST_PAGE: usize = 500;
/// The most that GetLogEvents puts on a page (CloudWatch Logs API reference).
const FULL_PAGE: usize = 10_000;
const FULL_PAGE_BYTES: usize = 1024 * 1024;

/// What is done with lines as they come.
pub(super) trait Sink {
    /// `settled`: nothing older is on its way.
    fn line(&mut self, stream: &LogStream, event: LogEvent, settled: bool) -> Result<()>;
}

#[derive(Debug, Default)]
pub(super) struct Streams {
    streams: Vec<Reading>,
    seen: Dedup,
    /// What a look back gave: reading on may come by it again.
    looked: Dedup,
    /// Where the next look back starts; none before the first round is over.
    look_from: Option<Timestamp>,
    /// A round that broke off goes on: what has been read to its end in it is not read again.
    is_open: bool,
    look: RescanProgress,
    /// The service's clock, as far as the pages show it, and as it stood when the round began.
    newest_ingested: Option<Timestamp>,
    clock: Option<Timestamp>,
    /// When a line came last.
    last_line: Option<Instant>,
    /// Streams that went away while they were read.
    pub(super) gaps: usize,
}

#[derive(Debug)]
struct Reading {
    stream: LogStream,
    token: Option<String>,
    /// Tokens behind pages of this round that held events.
    tokens: PageTokens,
    queue: VecDeque<LogEvent>,
    empty_pages: u32,
    at_end: bool,
    is_gone: bool,
    /// The newest event given.
    newest: Option<Timestamp>,
    /// What is older was never wanted.
    floor: Option<Timestamp>,
    /// Where reading ends although the stream grows.
    up_to: Option<String>,
}

impl Reading {
    fn wants_page(&self) -> bool {
        self.queue.is_empty() && !self.at_end && !self.is_gone
    }

    /// Prepares for another round, which reads on from the end of the last one.
    fn begin_round(&mut self) {
        self.at_end = false;
        self.tokens = PageTokens::default();
    }

    /// Queues a page's events and moves on behind it, unless the next page is an earlier one. A token that repeats behind
    /// empty pages adds nothing; those are counted instead.
    fn take(&mut self, page: EventsPage, is_enough: bool) -> CloudResult<()> {
        let is_empty = page.events.is_empty();
        self.empty_pages = if is_empty { self.empty_pages + 1 } else { 0 };
        let is_same = self.token.as_deref() == Some(&page.next_forward_token);
        self.at_end = is_same || is_enough || self.empty_pages > EMPTY_PAGES;
        if self.at_end {
            self.empty_pages = 0;
        }
        if !self.at_end && !is_empty {
            self.tokens.check(&page.next_forward_token, &log_of(&self.stream))?;
        }
        self.queue.extend(page.events);
        self.token = Some(page.next_forward_token);
        Ok(())
    }
}

impl Streams {
    /// Streams that are new are read from their start on, unless `token` says where.
    pub(super) fn add(&mut self, stream: LogStream, token: Option<String>) {
        if self.streams.iter().any(|known| known.stream == stream) {
            return;
        }
        self.streams.push(Reading {
            stream,
            token,
            tokens: PageTokens::default(),
            queue: VecDeque::new(),
            empty_pages: 0,
            at_end: false,
            is_gone: false,
            newest: None,
            floor: None,
            up_to: None,
        });
    }

    /// Streams that are read from their start on.
    pub(super) fn add_all(&mut self, streams: Vec<LogStream>) {
        for stream in streams {
            self.add(stream, None);
        }
    }

    /// Has every stream read no further than to where it ends now.
    pub(super) async fn end_here(&mut self, cloud: &Cloud) -> CloudResult<()> {
        for reading in &mut self.streams {
            reading.up_to = cloud.logs.end(&reading.stream).await?;
        }
        Ok(())
    }

    /// How many streams there are.
    pub(super) fn len(&self) -> usize {
        self.streams.len()
    }

    /// Of how many nodes there are streams.
    pub(super) fn nodes(&self) -> usize {
        let numbers: std::collections::BTreeSet<u32> =
            self.streams.iter().map(|reading| reading.stream.number()).collect();
        numbers.len()
    }

    /// Streams whose ends have been told are read from there; of what is older, only what came since.
    pub(super) fn go_on(&mut self, ends: Vec<Rest>) {
        for Rest { stream, token, known } in ends {
            self.add(stream.clone(), token);
            for event in &known {
                self.seen.add(&stream, event);
            }
            if let Some(reading) = self.streams.last_mut() {
                reading.newest = known.back().map(|event| event.timestamp);
                reading.floor = known.front().map(|event| event.timestamp);
            }
        }
        self.look_from = self.seen.start_of_look();
    }

    /// Reads every stream, in one order: to its end, or, where more is to come, to what came since the round began.
    pub(super) async fn round(
        &mut self,
        cloud: &Cloud,
        wanted: &LogSelection,
        quota: &mut Quota,
        sink: &mut impl Sink,
        more_to_come: bool,
    ) -> Result<()> {
        let look_from = self.seen.start_of_look();
        if !self.is_open {
            self.streams.iter_mut().for_each(Reading::begin_round);
            self.clock = self.newest_ingested;
            self.is_open = true;
        }
        while self.fetch(cloud, wanted, quota, more_to_come).await? {
            self.give(sink)?;
        }
        self.give(sink)?;
        self.is_open = false;
        if self.look_from.is_none() {
            // What has been forgotten by now can't be told from what is new.
            self.look_from = look_from.or_else(|| self.seen.start_of_look()).max(self.seen.oldest());
            self.look_from.into_iter().for_each(|start| self.seen.forget_before(start));
        }
        Ok(())
    }

    /// A page for each stream that has none; false when all have been read to their ends.
    async fn fetch(
        &mut self,
        cloud: &Cloud,
        wanted: &LogSelection,
        quota: &mut Quota,
        more_to_come: bool,
    ) -> CloudResult<bool> {
        let limit = (MOST_EVENTS / self.streams.len().max(1)).max(LEAST_PAGE);
        let waiting: Vec<(usize, LogStream, EventsQuery)> = self
            .streams
            .iter()
            .enumerate()
            .filter(|(_, reading)| reading.wants_page())
            .map(|(number, reading)| {
                let up_to = reading.up_to.clone();
                let query = EventsQuery { up_to, ..query(wanted, reading.token.clone(), limit) };
                (number, reading.stream.clone(), query)
            })
            .collect();
        if waiting.is_empty() {
            return Ok(false);
        }
        for _ in &waiting {
            quota.get.take().await;
        }
        let pages = waiting
            .into_iter()
            .map(|(number, stream, query)| async move { (number, cloud.logs.events(&stream, &query).await) });
        let mut pages = stream::iter(pages).buffer_unordered(MOST_STREAMS);
        let mut failed = None;
        while let Some((number, page)) = pages.next().await {
            match page {
                Ok(page) => {
                    let is_enough = more_to_come && is_small(&page, limit) && self.is_of_this_round(&page);
                    if let Err(error) = self.take(number, page, is_enough) {
                        failed = Some(error);
                    }
                }
                Err(CloudError::NotFound(_)) => self.lose(number),
                // The others' pages are kept: their tokens have moved on.
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(true), Err)
    }

    /// Whether a page has what came since the round began. While lines keep coming, the end is never reached. In the first
    /// round, any line is: it is to be shown soon.
    fn is_of_this_round(&self, page: &EventsPage) -> bool {
        newest_ingested(page) > self.clock
    }

    /// `is_enough`: the next round goes on from there.
    fn take(&mut self, number: usize, page: EventsPage, is_enough: bool) -> CloudResult<()> {
        self.newest_ingested = self.newest_ingested.max(newest_ingested(&page));
        match self.streams.get_mut(number) {
            Some(reading) => reading.take(page, is_enough),
            None => Ok(()),
        }
    }

    fn lose(&mut self, number: usize) {
        if let Some(reading) = self.streams.get_mut(number) {
            reading.is_gone = true;
            self.gaps += usize::from(reading.token.is_some());
        }
    }

    /// Gives events in order, for as long as the next one is known: a stream that may have an older one is read first.
    fn give(&mut self, sink: &mut impl Sink) -> Result<()> {
        while !self.streams.iter().any(Reading::wants_page) {
            let heads = self.streams.iter().enumerate();
            let next = heads.filter_map(|(number, reading)| {
                Some((reading.queue.front()?.timestamp, reading.stream.number(), number))
            });
            let Some((.., number)) = next.min() else { break };
            let settled = self.is_settled(number);
            let Some(reading) = self.streams.get_mut(number) else { break };
            let Some(event) = reading.queue.pop_front() else { break };
            reading.newest = reading.newest.max(Some(event.timestamp));
            self.last_line = Some(Instant::now());
            if !self.looked.take(&reading.stream, &event) {
                self.seen.add(&reading.stream, &event);
                sink.line(&reading.stream, event, settled)?;
            }
        }
        Ok(())
    }

    /// Whether no stream can have anything older than a stream's next event: each has a newer one waiting, or the event is
    /// older than what may still be on its way.
    fn is_settled(&self, number: usize) -> bool {
        let event = self.streams.get(number).and_then(|reading| reading.queue.front());
        let is_old = |newest: Timestamp| event.is_some_and(|event| newest.duration_since(event.timestamp) > LATENESS);
        self.newest_ingested.is_some_and(is_old)
            || self.streams.iter().all(|reading| reading.is_gone || !reading.queue.is_empty())
    }
}

/// Whether a page has much room left: there is hardly more behind it.
fn is_small(page: &EventsPage, limit: usize) -> bool {
    let bytes: usize = page.events.iter().map(|event| event.message.len()).sum();
    page.events.len() < limit.min(FULL_PAGE) / 2 && bytes < FULL_PAGE_BYTES / 2
}

/// The name of the list, for an error.
fn log_of(stream: &LogStream) -> String {
    format!("the events of the log stream {}", stream.name)
}

fn newest_ingested(page: &EventsPage) -> Option<Timestamp> {
    page.events.iter().filter_map(|event| event.ingested).max()
}

fn query(wanted: &LogSelection, token: Option<String>, limit: usize) -> EventsQuery {
    let limit = Some(limit).filter(|limit| *limit < FULL_PAGE);
    EventsQuery { start: wanted.since, end: wanted.until, from_head: true, token, limit, up_to: None }
}

/// Lines on their way through the merge.
pub(super) struct Through<'a, F> {
    pub(super) merge: &'a mut Merge,
    pub(super) tell: F,
}

impl<F: FnMut(&LogStream, &LogEvent, bool) -> Result<()>> Sink for Through<'_, F> {
    fn line(&mut self, stream: &LogStream, event: LogEvent, settled: bool) -> Result<()> {
        if let Some(late) = self.merge.pass(&event, settled) {
            return (self.tell)(stream, &event, late);
        }
        self.merge.push(stream.clone(), event, settled, Instant::now());
        Ok(())
    }
}

impl<F: FnMut(&LogStream, &LogEvent, bool) -> Result<()>> Through<'_, F> {
    /// Tells the lines whose time has come.
    pub(super) fn release(&mut self) -> Result<()> {
        let Self { merge, tell } = self;
        merge.release(Instant::now()).try_for_each(|line| tell(&line.stream, &line.event, line.late))
    }

    pub(super) fn release_all(&mut self) -> Result<()> {
        let Self { merge, tell } = self;
        merge.release_all().try_for_each(|line| tell(&line.stream, &line.event, line.late))
    }
}
