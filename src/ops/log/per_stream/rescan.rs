//! Rescans the lateness window for events that arrived after newer ones.

use jiff::SignedDuration;
use tokio::time::Instant;

use super::{MAX_EMPTY_PAGES, PerStreamReader, Sink, StreamReader, events_of, query};
use crate::cloud::{Cloud, CloudError, EventsQuery, PageTokens};
use crate::error::Result;
use crate::ops::log::dedup::{LATENESS_WINDOW, RescanPass};
use crate::ops::log::rate_limits::RateLimits;
use crate::ops::log::selection::LogSelection;

/// Resolution of a query's times.
const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

impl PerStreamReader {
    /// Reads the lateness window again and emits the events that are new: no forward cursor leads to them.
    ///
    /// Rescans each stream once in `polls` polls; with 1, all streams now.
    pub(crate) async fn rescan(
        &mut self,
        cloud: &Cloud,
        wanted: &LogSelection,
        limits: &mut RateLimits,
        sink: &mut impl Sink,
        polls: u32,
    ) -> Result<()> {
        let Some(from) = self.rescan_from else { return Ok(()) };
        let is_spread = polls > 1;
        let polls = polls as usize;
        if is_spread && self.is_rescan_pointless() {
            return Ok(());
        }
        self.rescan.credit = (self.rescan.credit + self.streams.len()).min(self.streams.len() * polls);
        if self.rescan.next_stream == 0 || self.rescan.is_spread && !is_spread {
            self.rescan.begin(self.dedup.rescan_start(), is_spread);
        }
        let start = Some(from).max(wanted.since);
        while self.rescan.next_stream < self.streams.len() && self.rescan.credit >= polls {
            let query = EventsQuery { start, ..query(wanted, None, usize::MAX) };
            self.rescan_stream(self.rescan.next_stream, query, cloud, limits, sink).await?;
            self.rescan.next_stream += 1;
            self.rescan.credit -= polls;
        }
        if self.rescan.next_stream >= self.streams.len() {
            self.end_rescan();
        }
        Ok(())
    }

    /// Returns true if no late event is expected: all streams were rescanned more than a lateness window after the last
    /// event.
    fn is_rescan_pointless(&self) -> bool {
        let (Some(line), Some(rescan)) = (self.last_line_at, self.rescan.began) else { return false };
        self.rescan.next_stream == 0 && rescan.duration_since(line).as_secs() > LATENESS_WINDOW.as_secs().unsigned_abs()
    }

    /// Ends the rescan, and forgets the events that the next one will not find.
    fn end_rescan(&mut self) {
        self.rescan.next_stream = 0;
        self.rescan_from = self.rescan.next_start;
        if let Some(next) = self.rescan.next_start {
            self.dedup.forget_before(next);
            self.emitted_by_rescan.forget_before(next);
        }
    }

    /// Rescans a stream up to its newest event.
    async fn rescan_stream(
        &mut self,
        number: usize,
        query: EventsQuery,
        cloud: &Cloud,
        limits: &mut RateLimits,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let Some(reader) = self.streams.get(number).filter(|reader| !reader.is_gone) else { return Ok(()) };
        let Some(mut query) = up_to_newest(reader, query) else { return Ok(()) };
        let stream = reader.stream.clone();
        let mut pass = RescanPass::default();
        let mut empty_pages = 0;
        let mut tokens = PageTokens::default();
        loop {
            limits.get_events.take().await;
            let page = match cloud.logs.events(&stream, &query).await {
                Err(CloudError::NotFound(_)) => return Ok(()),
                page => page?,
            };
            let is_empty = page.events.is_empty();
            empty_pages = if is_empty { empty_pages + 1 } else { 0 };
            for event in page.events {
                if self.dedup.record_if_new(&mut pass, &stream, &event) {
                    self.last_line_at = Some(Instant::now());
                    self.emitted_by_rescan.record(&stream, &event);
                    sink.line(&stream, event, false)?;
                }
            }
            if query.token.as_ref() == Some(&page.next_forward_token) || empty_pages > MAX_EMPTY_PAGES {
                return Ok(());
            }
            if !is_empty {
                tokens.check(&page.next_forward_token, &events_of(&stream))?;
            }
            query.token = Some(page.next_forward_token);
        }
    }
}

/// Returns the query without events newer than the stream's newest one, which are behind the forward cursor; `None` if
/// nothing is left of it.
fn up_to_newest(reader: &StreamReader, query: EventsQuery) -> Option<EventsQuery> {
    let end = reader.newest?.checked_add(MILLISECOND).ok()?;
    if query.start.is_some_and(|start| start >= end) {
        return None;
    }
    let until = query.end.map_or(end, |until| until.min(end));
    Some(EventsQuery { start: query.start.max(reader.floor), end: Some(until), ..query })
}
