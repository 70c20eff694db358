//! Each node's stream read by itself: GetLogEvents, which every role of SageMaker's may call.

use std::collections::VecDeque;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;

use super::merge::Merge;
use super::pace::Quota;
use super::seen::{LATENESS, Look, Seen};
use super::tail::Rest;
use super::{MOST_STREAMS, Wanted};
use crate::cloud::{Cloud, CloudError, CloudResult, EventsPage, EventsQuery, LogEvent, LogStream};
use crate::error::Result;
use tokio::time::Instant;

/// Empty pages in a row, each with another token, that are no end yet: pages can be empty in the middle, and there are
/// reports of tokens that never repeat.
const EMPTY_PAGES: u32 = 10;
/// Events of all streams that are in memory at once: a page of each.
const MOST_EVENTS: usize = 80_000;
const LEAST_PAGE: usize = 500;

/// What is done with lines as they come.
pub(super) trait Sink {
    /// `settled`: nothing older is on its way.
    fn line(&mut self, stream: &LogStream, event: LogEvent, settled: bool) -> Result<()>;
}

#[derive(Debug, Default)]
pub(super) struct Streams {
    streams: Vec<Reading>,
    seen: Seen,
    /// What a look back gave: reading on may come by it again.
    looked: Seen,
    /// Where the next look back starts; none before the first round is over.
    look_from: Option<Timestamp>,
    /// A round that broke off goes on: what has been read to its end in it is not read again.
    is_open: bool,
    /// The stream that a look back has come to.
    looked_at: usize,
    /// Where the next look back will start, as it was when this one started.
    look_next: Option<Timestamp>,
    /// The service's clock, as far as the pages show it.
    newest_ingested: Option<Timestamp>,
    /// Streams that went away while they were read.
    pub(super) gaps: usize,
}

#[derive(Debug)]
struct Reading {
    stream: LogStream,
    token: Option<String>,
    queue: VecDeque<LogEvent>,
    empty_pages: u32,
    at_end: bool,
    is_gone: bool,
    /// The newest event given.
    newest: Option<Timestamp>,
    /// What is older was never wanted.
    floor: Option<Timestamp>,
}

impl Reading {
    fn wants_page(&self) -> bool {
        self.queue.is_empty() && !self.at_end && !self.is_gone
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
            queue: VecDeque::new(),
            empty_pages: 0,
            at_end: false,
            is_gone: false,
            newest: None,
            floor: None,
        });
    }

    /// Streams that are read from their start on.
    pub(super) fn add_all(&mut self, streams: Vec<LogStream>) {
        for stream in streams {
            self.add(stream, None);
        }
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

    /// Reads every stream to its end, in one order.
    pub(super) async fn round(
        &mut self,
        cloud: &Cloud,
        wanted: &Wanted,
        quota: &mut Quota,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let look_from = self.seen.start_of_look();
        if !self.is_open {
            self.streams.iter_mut().for_each(|reading| reading.at_end = false);
            self.is_open = true;
        }
        while self.fetch(cloud, wanted, quota).await? {
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
    async fn fetch(&mut self, cloud: &Cloud, wanted: &Wanted, quota: &mut Quota) -> CloudResult<bool> {
        let limit = (MOST_EVENTS / self.streams.len().max(1)).max(LEAST_PAGE);
        let waiting: Vec<(usize, LogStream, EventsQuery)> = self
            .streams
            .iter()
            .enumerate()
            .filter(|(_, reading)| reading.wants_page())
            .map(|(number, reading)| (number, reading.stream.clone(), query(wanted, reading.token.clone(), limit)))
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
                Ok(page) => self.take(number, page),
                Err(CloudError::NotFound(_)) => self.lose(number),
                // The others' pages are kept: their tokens have moved on.
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(true), Err)
    }

    fn take(&mut self, number: usize, page: EventsPage) {
        let Some(reading) = self.streams.get_mut(number) else { return };
        reading.empty_pages = if page.events.is_empty() { reading.empty_pages + 1 } else { 0 };
        let is_same = reading.token.as_deref() == Some(&page.next_forward_token);
        reading.at_end = is_same || reading.empty_pages > EMPTY_PAGES;
        if reading.at_end {
            reading.empty_pages = 0;
        }
        reading.token = Some(page.next_forward_token);
        self.newest_ingested = self.newest_ingested.max(page.events.iter().filter_map(|event| event.ingested).max());
        reading.queue.extend(page.events);
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

    /// Reads the last stretch of time again, for lines that came after newer ones: no forward token leads to those.
    pub(super) async fn look_back(
        &mut self,
        cloud: &Cloud,
        wanted: &Wanted,
        quota: &mut Quota,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let Some(from) = self.look_from else { return Ok(()) };
        if self.looked_at == 0 {
            self.look_next = self.seen.start_of_look();
        }
        let start = Some(from).max(wanted.since);
        while self.looked_at < self.streams.len() {
            let query = EventsQuery { start, ..query(wanted, None, usize::MAX) };
            self.look_at(self.looked_at, query, cloud, quota, sink).await?;
            self.looked_at += 1;
        }
        self.looked_at = 0;
        self.look_from = self.look_next;
        if let Some(next) = self.look_next {
            self.seen.forget_before(next);
            self.looked.forget_before(next);
        }
        Ok(())
    }

    async fn look_at(
        &mut self,
        number: usize,
        mut query: EventsQuery,
        cloud: &Cloud,
        quota: &mut Quota,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let Some(reading) = self.streams.get(number).filter(|reading| !reading.is_gone) else { return Ok(()) };
        // What is newer comes by reading on.
        let Some(end) = reading.newest.and_then(|newest| newest.checked_add(MILLISECOND).ok()) else { return Ok(()) };
        if query.start.is_some_and(|start| start >= end) {
            return Ok(());
        }
        query.start = query.start.max(reading.floor);
        query.end = Some(query.end.map_or(end, |until| until.min(end)));
        let (stream, mut look, mut empty_pages) = (reading.stream.clone(), Look::default(), 0);
        loop {
            quota.get.take().await;
            let page = match cloud.logs.events(&stream, &query).await {
                Err(CloudError::NotFound(_)) => return Ok(()),
                page => page?,
            };
            empty_pages = if page.events.is_empty() { empty_pages + 1 } else { 0 };
            for event in page.events {
                if self.seen.is_new(&mut look, &stream, &event) {
                    self.looked.add(&stream, &event);
                    sink.line(&stream, event, false)?;
                }
            }
            if query.token.as_ref() == Some(&page.next_forward_token) || empty_pages > EMPTY_PAGES {
                return Ok(());
            }
            query.token = Some(page.next_forward_token);
        }
    }
}

const MILLISECOND: jiff::SignedDuration = jiff::SignedDuration::from_millis(1);

fn query(wanted: &Wanted, token: Option<String>, limit: usize) -> EventsQuery {
    let limit = Some(limit).filter(|limit| *limit < MOST_EVENTS / MOST_STREAMS);
    EventsQuery { start: wanted.since, end: wanted.until, from_head: true, token, limit }
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
