//! Deduplicates log events that overlapping reads return more than once.
//!
//! GetLogEvents returns no event IDs, and two identical lines are two events. An event is therefore identified by its
//! stream, timestamp, ingestion time and message, and each identity is counted: a rescan emits an event only if it has
//! found more copies of it than were emitted before. FilterLogEvents does return an ID, which is used as it is.
//!
//! Only recent events are kept (up to twice [`LATENESS_WINDOW`], or back to the start of the next rescan), so memory
//! does not grow with the log.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::{SignedDuration, Timestamp};

use crate::cloud::LogStream;
use crate::model::LogEvent;

/// Lateness window: an event that arrives this much later than newer ones is still found by a rescan. Logging agents
/// send batches every few seconds; tests lose no event that is up to 20 s late.
pub(super) const LATENESS_WINDOW: SignedDuration = SignedDuration::from_secs(30);

/// Identities of recently emitted events, with counts, by timestamp.
#[derive(Debug, Default)]
pub(super) struct Dedup {
    events: BTreeMap<Timestamp, HashMap<u64, u32>>,
    /// Newest ingestion time seen: the service's clock.
    clock: Option<Timestamp>,
    /// Start of the next rescan. Events from then on are kept however far the clock advances.
    next_rescan: Option<Timestamp>,
}

/// Counts of the events that one rescan of a stream has found.
#[derive(Debug, Default)]
pub(super) struct RescanPass {
    counts: HashMap<(Timestamp, u64), u32>,
}

impl Dedup {
    /// Records an emitted event. Events older than the retained time are not recorded.
    pub(super) fn record(&mut self, stream: &LogStream, event: &LogEvent) {
        self.advance_clock(event);
        if self.retained_from().is_none_or(|oldest| event.timestamp >= oldest) {
            *self.events.entry(event.timestamp).or_default().entry(digest(stream, event)).or_default() += 1;
        }
    }

    /// Records an event that a rescan has found. Returns true if it was not emitted before.
    pub(super) fn record_if_new(&mut self, pass: &mut RescanPass, stream: &LogStream, event: &LogEvent) -> bool {
        self.advance_clock(event);
        let key = (event.timestamp, digest(stream, event));
        let count = pass.counts.entry(key).or_default();
        *count += 1;
        let emitted = self.events.entry(key.0).or_default().entry(key.1).or_default();
        let is_new = *count > *emitted;
        if is_new {
            *emitted = *count;
        }
        is_new
    }

    /// Records an event by the ID that the service gives it. Returns true if the ID was not recorded before, or if the
    /// event is older than the retained time.
    pub(super) fn record_id_if_new(&mut self, event: &LogEvent, id: u64) -> bool {
        self.advance_clock(event);
        if self.retained_from().is_some_and(|oldest| event.timestamp < oldest) {
            return true;
        }
        self.events.entry(event.timestamp).or_default().insert(id, 1).is_none()
    }

    /// Removes one copy of an event. Returns false if there is none.
    pub(super) fn remove(&mut self, stream: &LogStream, event: &LogEvent) -> bool {
        let Some(at_time) = self.events.get_mut(&event.timestamp) else { return false };
        let Some(count) = at_time.get_mut(&digest(stream, event)).filter(|count| **count > 0) else { return false };
        *count -= 1;
        true
    }

    /// Returns true if the event is older than the lateness window: no older event is expected any more.
    pub(super) fn is_settled(&self, event: &LogEvent) -> bool {
        self.clock.is_some_and(|clock| clock.duration_since(event.timestamp) > LATENESS_WINDOW)
    }

    /// Returns where a rescan must start to find every late event since the previous rescan; `None` before any event.
    pub(super) fn rescan_start(&self) -> Option<Timestamp> {
        self.clock.map(|clock| clock.saturating_sub(LATENESS_WINDOW).unwrap_or(clock))
    }

    /// Removes the events that no rescan will find again, where `start` is the start of the next one.
    pub(super) fn forget_before(&mut self, start: Timestamp) {
        self.next_rescan = Some(start);
        self.events = self.events.split_off(&start);
    }

    /// Returns the time before which no event is kept; `None` before any event.
    pub(super) fn retained_from(&self) -> Option<Timestamp> {
        // Twice the window: the next rescan starts by the clock at the previous one.
        let oldest = self.clock.map(|clock| clock.saturating_sub(LATENESS_WINDOW * 2).unwrap_or(clock));
        oldest.map(|oldest| self.next_rescan.map_or(oldest, |next_rescan| next_rescan.min(oldest)))
    }

    /// Advances the clock to the event's ingestion time, and removes the events that are no longer retained. A log that
    /// is read from its start passes through all of its time here.
    pub(super) fn advance_clock(&mut self, event: &LogEvent) {
        let ingested = event.ingested.unwrap_or(event.timestamp);
        if self.clock.is_some_and(|clock| clock >= ingested) {
            return;
        }
        self.clock = Some(ingested);
        if let Some(oldest) = self.retained_from() {
            while self.events.first_key_value().is_some_and(|(time, _)| *time < oldest) {
                self.events.pop_first();
            }
        }
    }
}

fn digest(stream: &LogStream, event: &LogEvent) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&stream.name, event.ingested, &event.message).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::log::tests::{event, stream};

    #[test]
    fn identical_lines_are_counted() {
        let mut dedup = Dedup::default();
        let stream = stream(1);
        let line = event(5, "same");
        dedup.record(&stream, &line);
        let mut pass = RescanPass::default();
        assert!(!dedup.record_if_new(&mut pass, &stream, &line));
        assert!(dedup.record_if_new(&mut pass, &stream, &line), "the second one is another");
        let mut again = RescanPass::default();
        assert!(!dedup.record_if_new(&mut again, &stream, &line));
        assert!(!dedup.record_if_new(&mut again, &stream, &line));
    }

    #[test]
    fn old_events_are_forgotten() {
        let mut dedup = Dedup::default();
        let stream = stream(1);
        for second in 0..10_000 {
            dedup.record(&stream, &event(second, "line"));
        }
        assert!(dedup.events.len() < 70, "{}", dedup.events.len());
        assert_eq!(dedup.rescan_start(), event(9_969, "").timestamp.into());
    }
}
