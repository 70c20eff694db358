//! Looks back: the last stretch of time read again, for lines that came after newer ones.

use jiff::SignedDuration;
use tokio::time::Instant;

use super::{EMPTY_PAGES, Sink, Streams, log_of, query};
use crate::cloud::{Cloud, CloudError, EventsQuery, PageTokens};
use crate::error::Result;
use crate::ops::log::dedup::{LATENESS, Look};
use crate::ops::log::polling::Quota;
use crate::ops::log::selection::LogSelection;

const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

impl Streams {
    /// Reads the last stretch of time again, for lines that came after newer ones: no forward token leads to those. Each
    /// stream once in `rounds` rounds; in one, all of them now.
    pub(crate) async fn look_back(
        &mut self,
        cloud: &Cloud,
        wanted: &LogSelection,
        quota: &mut Quota,
        sink: &mut impl Sink,
        rounds: u32,
    ) -> Result<()> {
        let Some(from) = self.look_from else { return Ok(()) };
        let (rounds, is_shared) = (rounds as usize, rounds > 1);
        if is_shared && self.is_looked_out() {
            return Ok(());
        }
        self.look.credit = (self.look.credit + self.streams.len()).min(self.streams.len() * rounds);
        if self.look.at == 0 || self.look.is_shared && !is_shared {
            self.look.begin(self.seen.start_of_look(), is_shared);
        }
        let start = Some(from).max(wanted.since);
        while self.look.at < self.streams.len() && self.look.credit >= rounds {
            let query = EventsQuery { start, ..query(wanted, None, usize::MAX) };
            self.look_at(self.look.at, query, cloud, quota, sink).await?;
            self.look.at += 1;
            self.look.credit -= rounds;
        }
        if self.look.at >= self.streams.len() {
            self.end_look();
        }
        Ok(())
    }

    /// Whether nothing late can come any more: all streams were looked back at, long after the last line came.
    fn is_looked_out(&self) -> bool {
        let (Some(line), Some(look)) = (self.last_line, self.look.began) else { return false };
        self.look.at == 0 && look.duration_since(line).as_secs() > LATENESS.as_secs().unsigned_abs()
    }

    fn end_look(&mut self) {
        self.look.at = 0;
        self.look_from = self.look.next;
        if let Some(next) = self.look.next {
            self.seen.forget_before(next);
            self.looked.forget_before(next);
        }
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
        let mut tokens = PageTokens::default();
        loop {
            quota.get.take().await;
            let page = match cloud.logs.events(&stream, &query).await {
                Err(CloudError::NotFound(_)) => return Ok(()),
                page => page?,
            };
            let is_empty = page.events.is_empty();
            empty_pages = if is_empty { empty_pages + 1 } else { 0 };
            for event in page.events {
                if self.seen.is_new(&mut look, &stream, &event) {
                    self.last_line = Some(Instant::now());
                    self.looked.add(&stream, &event);
                    sink.line(&stream, event, false)?;
                }
            }
            if query.token.as_ref() == Some(&page.next_forward_token) || empty_pages > EMPTY_PAGES {
                return Ok(());
            }
            if !is_empty {
                tokens.check(&page.next_forward_token, &log_of(&stream))?;
            }
            query.token = Some(page.next_forward_token);
        }
    }
}
