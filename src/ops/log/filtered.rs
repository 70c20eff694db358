//! Reads the events of all nodes with one call, FilterLogEvents, for jobs of many nodes.
//!
//! Each poll reads all pages from a little before the end of the previous poll (see [`Dedup::rescan_start`]), so late
//! events are found without a separate rescan; [`Dedup`] drops what was emitted before. A caller who lacks
//! `logs:FilterLogEvents` gets a [`PerStreamReader`] instead.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::dedup::Dedup;
use super::per_stream::{PerStreamReader, Sink};
use super::rate_limits::RateLimits;
use super::selection::LogSelection;
use super::tail::StreamPosition;
use crate::cloud::{Cloud, Cost, EventsQuery, JobEvent, JobEventsPage, LogStream, PageTokens};
use crate::error::Result;
use crate::model::{JobName, LogEvent};

const NODE_BY_NODE: &str = "each node's log is read by itself";

/// Reader of all of a job's streams at once.
#[derive(Debug, Default)]
pub(super) struct FilteredReader {
    dedup: Dedup,
    /// Start of the current poll.
    start: Option<Timestamp>,
    /// Start of the next poll, as of the beginning of the current one.
    next_start: Option<Timestamp>,
    /// Next page of a poll that is in progress or has failed midway.
    token: Option<String>,
    /// True once a page has been read.
    has_read: bool,
    /// True once the log has been read to its end.
    is_caught_up: bool,
    /// Events that the tail has emitted already.
    tail_events: Dedup,
    /// Stream positions after the tail.
    tail_positions: Vec<StreamPosition>,
    /// Timestamp of each stream's first event in the tail, by stream name; older events are not wanted.
    tail_starts: HashMap<Arc<str>, Timestamp>,
}

impl FilteredReader {
    /// Continues after a tail whose events have been emitted.
    pub(super) fn resume_after_tail(&mut self, positions: Vec<StreamPosition>) {
        for StreamPosition { stream, known, .. } in &positions {
            for event in known {
                self.tail_events.record(stream, event);
            }
            self.tail_starts.extend(known.front().map(|event| (stream.name.clone(), event.timestamp)));
        }
        self.tail_positions = positions;
        self.start = self.tail_events.rescan_start();
    }

    /// Returns a reader of each stream by itself, for a caller who may not call FilterLogEvents. Nothing has been read
    /// yet.
    pub(super) fn take_per_stream(&mut self) -> PerStreamReader {
        let mut reader = PerStreamReader::default();
        reader.resume_after_tail(std::mem::take(&mut self.tail_positions));
        reader
    }

    /// Returns true if the tail has emitted the event, or if it is older than the tail.
    fn is_in_tail(&mut self, stream: &LogStream, event: &LogEvent) -> bool {
        let is_older = self.tail_starts.get(&stream.name).is_some_and(|tail_start| event.timestamp < *tail_start);
        self.tail_events.remove(stream, event) || is_older
    }

    /// Reads to the end of the log. Returns false if the caller lacks the permission and nothing has been read yet.
    ///
    /// After an error, the next call continues with the page that failed.
    pub(super) async fn poll(
        &mut self,
        cloud: &Cloud,
        job: &JobName,
        wanted: &LogSelection,
        limits: &mut RateLimits,
        sink: &mut impl Sink,
    ) -> Result<bool> {
        if self.token.is_none() {
            self.next_start = self.dedup.rescan_start();
        }
        let mut tokens = PageTokens::default();
        loop {
            limits.filter_events.take().await;
            let query = EventsQuery {
                start: self.start.max(wanted.since),
                end: wanted.until,
                from_head: true,
                token: self.token.clone(),
                ..EventsQuery::default()
            };
            let page = match cloud.logs.job_events(job, &query).await {
                Err(error) if error.is_denied() && !self.has_read => {
                    cloud.fallbacks.report(Cost::Calls, &error, NODE_BY_NODE);
                    return Ok(false);
                }
                page => page?,
            };
            self.has_read = true;
            tokens.after(page.events.is_empty());
            self.emit(page, wanted, sink)?;
            self.token = tokens.next(self.token.take(), &format!("the log of {job}"))?;
            if self.token.is_none() {
                self.complete_poll();
                return Ok(true);
            }
        }
    }

    /// Emits the new events of a page that are wanted.
    fn emit(&mut self, page: JobEventsPage, wanted: &LogSelection, sink: &mut impl Sink) -> Result<()> {
        self.token = page.next_token;
        // While catching up, a page that is not the last is followed by newer events only.
        let has_newer_page = !self.is_caught_up && self.token.is_some();
        // The clock of what else writes below the job's name says nothing of the nodes'.
        let of_kind = page.events.iter().filter(|JobEvent { stream, .. }| wanted.has_kind(stream));
        of_kind.for_each(|JobEvent { event, .. }| self.dedup.advance_clock(event));
        for JobEvent { stream, event, id } in page.events {
            let settled = has_newer_page || self.dedup.is_settled(&event);
            let is_new = self.dedup.record_id_if_new(&event, id);
            if is_new && wanted.has(&stream) && !self.is_in_tail(&stream, &event) {
                sink.line(&stream, event, settled)?;
            }
        }
        Ok(())
    }

    fn complete_poll(&mut self) {
        self.is_caught_up = true;
        self.start = self.next_start.or_else(|| self.dedup.rescan_start());
        if let Some(start) = self.start {
            self.dedup.forget_before(start);
        }
    }
}
