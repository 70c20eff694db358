//! Which events have been given already: what an event is known by, and how often it came.
//!
//! GetLogEvents gives events no identity, and two identical lines are two lines: an event is its stream, time, time of
//! ingestion and text, counted. Only a stretch of time is kept, so that a log may be of any length.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::{SignedDuration, Timestamp};

use crate::cloud::LogStream;
use crate::model::LogEvent;

/// How late an event may come and still be waited for: agents send in batches of seconds, and 20 s lose none.
pub(super) const LATENESS: SignedDuration = SignedDuration::from_secs(30);

/// Events of the last stretch of time, by their time.
#[derive(Debug, Default)]
pub(super) struct Dedup {
    events: BTreeMap<Timestamp, HashMap<u64, u32>>,
    /// The service's clock, as far as it shows: the newest time of ingestion.
    newest: Option<Timestamp>,
    /// Where the next look starts: nothing newer is forgotten, however long it takes until then.
    kept_from: Option<Timestamp>,
}

/// The events that one look over a stretch of time has come by.
#[derive(Debug, Default)]
pub(super) struct Look {
    counts: HashMap<(Timestamp, u64), u32>,
}

impl Dedup {
    /// An event that is given.
    pub(super) fn add(&mut self, stream: &LogStream, event: &LogEvent) {
        self.tick(event);
        if self.oldest().is_none_or(|oldest| event.timestamp >= oldest) {
            *self.events.entry(event.timestamp).or_default().entry(digest(stream, event)).or_default() += 1;
        }
    }

    /// Whether a look has come by an event that was not given yet; it is counted as given.
    pub(super) fn is_new(&mut self, look: &mut Look, stream: &LogStream, event: &LogEvent) -> bool {
        self.tick(event);
        let key = (event.timestamp, digest(stream, event));
        let count = look.counts.entry(key).or_default();
        *count += 1;
        let given = self.events.entry(key.0).or_default().entry(key.1).or_default();
        let is_new = *count > *given;
        if is_new {
            *given = *count;
        }
        is_new
    }

    /// Whether an event with an identity was not given yet; it is counted as given.
    pub(super) fn is_new_id(&mut self, event: &LogEvent, id: u64) -> bool {
        self.tick(event);
        if self.oldest().is_some_and(|oldest| event.timestamp < oldest) {
            return true;
        }
        self.events.entry(event.timestamp).or_default().insert(id, 1).is_none()
    }

    /// Takes an event away, if it is there.
    pub(super) fn take(&mut self, stream: &LogStream, event: &LogEvent) -> bool {
        let Some(of_time) = self.events.get_mut(&event.timestamp) else { return false };
        let Some(count) = of_time.get_mut(&digest(stream, event)).filter(|count| **count > 0) else { return false };
        *count -= 1;
        true
    }

    /// Whether an event is older than what may still be on its way.
    pub(super) fn is_settled(&self, event: &LogEvent) -> bool {
        self.newest.is_some_and(|newest| newest.duration_since(event.timestamp) > LATENESS)
    }

    /// Where a look has to start that is to find every late event since the one before.
    pub(super) fn start_of_look(&self) -> Option<Timestamp> {
        self.newest.map(|newest| newest.saturating_sub(LATENESS).unwrap_or(newest))
    }

    /// Forgets what no look will come by again, `start` being that of the next.
    pub(super) fn forget_before(&mut self, start: Timestamp) {
        self.kept_from = Some(start);
        self.events = self.events.split_off(&start);
    }

    /// Nothing older is known any more.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        // Twice: the next look starts by the clock of the one before.
        let oldest = self.newest.map(|newest| newest.saturating_sub(LATENESS * 2).unwrap_or(newest));
        oldest.map(|oldest| self.kept_from.map_or(oldest, |kept_from| kept_from.min(oldest)))
    }

    /// The clock goes on. A log that is read from long ago runs through its whole time: what lies behind is forgotten as
    /// it goes.
    pub(super) fn tick(&mut self, event: &LogEvent) {
        let ingested = event.ingested.unwrap_or(event.timestamp);
        if self.newest.is_some_and(|newest| newest >= ingested) {
            return;
        }
        self.newest = Some(ingested);
        if let Some(oldest) = self.oldest() {
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
        let (mut seen, stream) = (Dedup::default(), stream(1));
        let line = event(5, "same");
        seen.add(&stream, &line);
        let mut look = Look::default();
        assert!(!seen.is_new(&mut look, &stream, &line));
        assert!(seen.is_new(&mut look, &stream, &line), "the second one is another");
        let mut again = Look::default();
        assert!(!seen.is_new(&mut again, &stream, &line) && !seen.is_new(&mut again, &stream, &line));
    }

    #[test]
    fn only_a_stretch_of_time_is_kept() {
        let (mut seen, stream) = (Dedup::default(), stream(1));
        for second in 0..10_000 {
            seen.add(&stream, &event(second, "line"));
        }
        assert!(seen.events.len() < 70, "{}", seen.events.len());
        assert_eq!(seen.start_of_look(), event(9_969, "").timestamp.into());
    }
}
