//! Merges the lines of all nodes into one order: by time, then node, then arrival. Pure.
//!
//! A line is held for a short time, so that an older line of another node that arrives meanwhile is emitted before it.
//! A line that arrives later than that is emitted at once and marked as late. No line is dropped.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::cloud::LogStream;
use crate::model::LogEvent;

/// Sort key of a line: its timestamp, its node's number, and its arrival number.
type OrderKey = (Timestamp, u32, u64);

/// Lines that are held until their turn.
#[derive(Debug)]
pub(super) struct Merge {
    /// Time for which a line is held; `None` for a job of one node, whose order needs no merging.
    hold: Option<Duration>,
    held: BTreeMap<OrderKey, (LogStream, LogEvent)>,
    /// When each held line is due, in order of arrival.
    due: VecDeque<(Instant, OrderKey)>,
    /// Newest timestamp emitted.
    newest: Option<Timestamp>,
    /// Number of lines pushed so far.
    arrivals: u64,
}

/// A line that has left the merge.
#[derive(Debug)]
pub(super) struct OrderedLine {
    pub(super) stream: LogStream,
    pub(super) event: LogEvent,
    /// True if a newer line was emitted before.
    pub(super) late: bool,
}

impl Merge {
    pub(super) fn new(hold: Option<Duration>) -> Self {
        Self { hold, held: BTreeMap::new(), due: VecDeque::new(), newest: None, arrivals: 0 }
    }

    /// Returns the number of lines held.
    pub(super) fn held_count(&self) -> u64 {
        self.held.len() as u64
    }

    /// Lets a line through at once if nothing is held and it needs no hold. Returns whether it is late, or `None` if
    /// the line must be pushed.
    pub(super) fn try_pass(&mut self, event: &LogEvent, settled: bool) -> Option<bool> {
        if !self.held.is_empty() || !(settled || self.hold.is_none()) {
            return None;
        }
        let late = self.newest.is_some_and(|newest| event.timestamp < newest);
        self.newest = self.newest.max(Some(event.timestamp));
        Some(late)
    }

    /// Adds a line. With `settled`, no older line can arrive, and it is due at once.
    pub(super) fn push(&mut self, stream: LogStream, event: LogEvent, settled: bool, now: Instant) {
        let key = (event.timestamp, stream.number(), self.arrivals);
        self.arrivals += 1;
        let hold = self.hold.filter(|_| !settled && self.newest.is_none_or(|newest| event.timestamp >= newest));
        self.due.push_back((now + hold.unwrap_or_default(), key));
        self.held.insert(key, (stream, event));
    }

    /// Removes and returns the lines that are due, and all lines that sort before them.
    pub(super) fn release(&mut self, now: Instant) -> impl Iterator<Item = OrderedLine> {
        let mut up_to: Option<OrderKey> = None;
        // Not sorted by time due: a settled line is due before lines that arrived earlier.
        self.due.retain(|(due, key)| {
            let is_due = *due <= now;
            if is_due {
                up_to = up_to.max(Some(*key));
            }
            !is_due
        });
        self.take(up_to)
    }

    /// Removes and returns all lines.
    pub(super) fn release_all(&mut self) -> impl Iterator<Item = OrderedLine> {
        self.due.clear();
        let up_to = self.held.last_key_value().map(|(key, _)| *key);
        self.take(up_to)
    }

    /// Returns when the next line is due; `None` if no line is held.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.iter().map(|(due, _)| *due).min()
    }

    fn take(&mut self, up_to: Option<OrderKey>) -> impl Iterator<Item = OrderedLine> {
        let rest = up_to.map(|(time, node, arrivals)| self.held.split_off(&(time, node, arrivals + 1)));
        let released = rest.map(|rest| std::mem::replace(&mut self.held, rest)).unwrap_or_default();
        // Lines that were released before they were due.
        if let Some(up_to) = up_to {
            self.due.retain(|(_, key)| *key > up_to);
        }
        let mut newest = self.newest;
        self.newest = newest.max(released.last_key_value().map(|((time, ..), _)| *time));
        released.into_values().map(move |(stream, event)| {
            let late = newest.is_some_and(|newest| event.timestamp < newest);
            newest = newest.max(Some(event.timestamp));
            OrderedLine { stream, event, late }
        })
    }
}
