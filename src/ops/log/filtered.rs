//! All nodes by one call: FilterLogEvents, for jobs of many nodes, where the caller may.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::dedup::Dedup;
use super::per_stream::{Sink, Streams};
use super::polling::Quota;
use super::selection::LogSelection;
use super::tail::Rest;
use crate::cloud::{Cloud, Cost, EventsQuery, JobEvent, JobEventsPage, LogStream, PageTokens};
use crate::error::Result;
use crate::model::{JobName, LogEvent};

const NODE_BY_NODE: &str = "each node's log is read by itself";

/// A job's whole log, read over and over from a little before where it was read to.
#[derive(Debug, Default)]
pub(super) struct Whole {
    seen: Dedup,
    /// Where this reading starts, and the next one will.
    start: Option<Timestamp>,
    next_start: Option<Timestamp>,
    /// Of a reading that is under way, or broke off.
    token: Option<String>,
    /// A page has been read.
    has_read: bool,
    /// All that was there has been read once.
    is_caught_up: bool,
    /// The log's end, where only that was wanted; and of each stream, where it starts.
    told: Dedup,
    ends: Vec<Rest>,
    floors: HashMap<Arc<str>, Timestamp>,
}

impl Whole {
    /// What streams' ends hold has been told: the log is read from a little before, for what came since.
    pub(super) fn go_on(&mut self, ends: Vec<Rest>) {
        for Rest { stream, known, .. } in &ends {
            for event in known {
                self.told.add(stream, event);
            }
            self.floors.extend(known.front().map(|event| (stream.name.clone(), event.timestamp)));
        }
        self.ends = ends;
        self.start = self.told.start_of_look();
    }

    /// Each stream by itself, for a caller who may not read them by one call; nothing has been read yet.
    pub(super) fn as_streams(&mut self) -> Streams {
        let mut streams = Streams::default();
        streams.go_on(std::mem::take(&mut self.ends));
        streams
    }

    /// Whether an event was told as one of the log's end, or is older.
    fn is_told(&mut self, stream: &LogStream, event: &LogEvent) -> bool {
        let is_older = self.floors.get(&stream.name).is_some_and(|floor| event.timestamp < *floor);
        self.told.take(stream, event) || is_older
    }

    /// Reads to the end. False where the caller may not, and nothing has been read yet.
    pub(super) async fn round(
        &mut self,
        cloud: &Cloud,
        job: &JobName,
        wanted: &LogSelection,
        quota: &mut Quota,
        sink: &mut impl Sink,
    ) -> Result<bool> {
        if self.token.is_none() {
            self.next_start = self.seen.start_of_look();
        }
        let mut tokens = PageTokens::default();
        loop {
            quota.filter.take().await;
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
            self.give(page, wanted, sink)?;
            self.token = tokens.next(self.token.take(), &format!("the log of {job}"))?;
            if self.token.is_none() {
                self.finish();
                return Ok(true);
            }
        }
    }

    fn give(&mut self, page: JobEventsPage, wanted: &LogSelection, sink: &mut impl Sink) -> Result<()> {
        self.token = page.next_token;
        // What has newer pages after it, of a log that is only being caught up with, has its place.
        let is_past = !self.is_caught_up && self.token.is_some();
        page.events.iter().for_each(|JobEvent { event, .. }| self.seen.tick(event));
        for JobEvent { stream, event, id } in page.events {
            let settled = is_past || self.seen.is_settled(&event);
            let is_new = self.seen.is_new_id(&event, id);
            if is_new && wanted.has(&stream) && !self.is_told(&stream, &event) {
                sink.line(&stream, event, settled)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) {
        self.is_caught_up = true;
        self.start = self.next_start.or_else(|| self.seen.start_of_look());
        if let Some(start) = self.start {
            self.seen.forget_before(start);
        }
    }
}
