//! All nodes by one call: FilterLogEvents, for jobs of many nodes, where the caller may.

use jiff::Timestamp;

use super::Wanted;
use super::pace::Quota;
use super::seen::Seen;
use super::streams::Sink;
use crate::cloud::{Cloud, EventsQuery, JobEvent};
use crate::error::Result;
use crate::model::JobName;

/// A job's whole log, read over and over from a little before where it was read to.
#[derive(Debug, Default)]
pub(super) struct Whole {
    seen: Seen,
    /// Where this reading starts, and the next one will.
    start: Option<Timestamp>,
    next_start: Option<Timestamp>,
    /// Of a reading that is under way, or broke off.
    token: Option<String>,
    /// A page has been read.
    has_read: bool,
    /// All that was there has been read once.
    is_caught_up: bool,
    /// What is older was never wanted.
    floor: Option<Timestamp>,
}

impl Whole {
    pub(super) fn start_at(&mut self, floor: Option<Timestamp>) {
        self.floor = floor;
    }

    /// Reads to the end. False where the caller may not, and nothing has been read yet.
    pub(super) async fn round(
        &mut self,
        cloud: &Cloud,
        job: &JobName,
        wanted: &Wanted,
        quota: &mut Quota,
        sink: &mut impl Sink,
    ) -> Result<bool> {
        if self.token.is_none() {
            self.next_start = self.seen.start_of_look();
        }
        loop {
            quota.filter.take().await;
            let query = EventsQuery {
                start: self.start.max(wanted.since).max(self.floor),
                end: wanted.until,
                from_head: true,
                token: self.token.clone(),
                limit: None,
            };
            let page = match cloud.logs.job_events(job, &query).await {
                Err(error) if error.is_denied() && !self.has_read => return Ok(false),
                page => page?,
            };
            self.has_read = true;
            // What has newer pages after it, of a log that is only being caught up with, has its place.
            let is_past = !self.is_caught_up && page.next_token.is_some();
            for JobEvent { stream, event, id } in page.events {
                let settled = is_past || self.seen.is_settled(&event);
                if self.seen.is_new_id(&event, id) && wanted.has(&stream) {
                    sink.line(&stream, event, settled)?;
                }
            }
            self.token = page.next_token;
            if self.token.is_none() {
                break;
            }
        }
        self.finish();
        Ok(true)
    }

    fn finish(&mut self) {
        self.is_caught_up = true;
        self.start = self.next_start.or_else(|| self.seen.start_of_look());
        if let Some(start) = self.start {
            self.seen.forget_before(start);
        }
    }
}
