//! One order for the lines of all nodes: by time, then node, then as they came. Pure.
//!
//! A line is held back a short while, so that an older one of another node, which is still on its way, comes before it. What
//! comes later than that is told at once, and counted as late: no line is ever dropped.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::cloud::LogStream;
use crate::model::LogEvent;

/// Where a line stands: its time, its node's number, and when it came.
type Place = (Timestamp, u32, u64);

#[derive(Debug)]
pub(super) struct Merge {
    /// None where there is one node: its own order is the order.
    hold: Option<Duration>,
    held: BTreeMap<Place, (LogStream, LogEvent)>,
    /// When each of those held is to be told, in the order in which they came.
    due: VecDeque<(Instant, Place)>,
    /// The last one told.
    last: Option<Timestamp>,
    came: u64,
}

/// A line whose turn has come.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) stream: LogStream,
    pub(super) event: LogEvent,
    /// Newer ones have been told before.
    pub(super) late: bool,
}

impl Merge {
    pub(super) fn new(hold: Option<Duration>) -> Self {
        Self { hold, held: BTreeMap::new(), due: VecDeque::new(), last: None, came: 0 }
    }

    /// How many lines are held back.
    pub(super) fn held(&self) -> u64 {
        self.held.len() as u64
    }

    /// Whether a line can be told at once, for there is nothing that it could have to wait for; then, whether it is late.
    pub(super) fn pass(&mut self, event: &LogEvent, settled: bool) -> Option<bool> {
        if !self.held.is_empty() || !(settled || self.hold.is_none()) {
            return None;
        }
        let late = self.last.is_some_and(|last| event.timestamp < last);
        self.last = self.last.max(Some(event.timestamp));
        Some(late)
    }

    /// A line has come. `settled`: nothing older is on its way.
    pub(super) fn push(&mut self, stream: LogStream, event: LogEvent, settled: bool, now: Instant) {
        let place = (event.timestamp, stream.number(), self.came);
        self.came += 1;
        let hold = self.hold.filter(|_| !settled && self.last.is_none_or(|last| event.timestamp >= last));
        self.due.push_back((now + hold.unwrap_or_default(), place));
        self.held.insert(place, (stream, event));
    }

    /// The lines whose time has come, and those that stand before them.
    pub(super) fn release(&mut self, now: Instant) -> impl Iterator<Item = Line> {
        let mut up_to: Option<Place> = None;
        // Those that are settled are due before others that came before them.
        self.due.retain(|(due, place)| {
            let is_due = *due <= now;
            if is_due {
                up_to = up_to.max(Some(*place));
            }
            !is_due
        });
        self.take(up_to)
    }

    /// All of them.
    pub(super) fn release_all(&mut self) -> impl Iterator<Item = Line> {
        self.due.clear();
        let up_to = self.held.last_key_value().map(|(place, _)| *place);
        self.take(up_to)
    }

    /// When the next line is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.iter().map(|(due, _)| *due).min()
    }

    fn take(&mut self, up_to: Option<Place>) -> impl Iterator<Item = Line> {
        let rest = up_to.map(|(time, node, came)| self.held.split_off(&(time, node, came + 1)));
        let told = rest.map(|rest| std::mem::replace(&mut self.held, rest)).unwrap_or_default();
        // What was told before its own time is due no more.
        if let Some(up_to) = up_to {
            self.due.retain(|(_, place)| *place > up_to);
        }
        let mut last = self.last;
        self.last = last.max(told.last_key_value().map(|((time, ..), _)| *time));
        told.into_values().map(move |(stream, event)| {
            let late = last.is_some_and(|last| event.timestamp < last);
            last = last.max(Some(event.timestamp));
            Line { stream, event, late }
        })
    }
}
