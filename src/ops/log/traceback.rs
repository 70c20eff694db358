//! Finds the traceback that shows why a job of several nodes failed.
//!
//! When one node fails, the others fail after it because it no longer answers, and their tracebacks say only that. The
//! earliest traceback that is no such consequence is the cause.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::cloud::LogStream;
use crate::model::LogEvent;

const START: &[u8] = b"Traceback (most recent call last):";
/// Maximum number of lines in a traceback; a longer one is cut.
const MAX_LINES: usize = 200;
/// Maximum size of a traceback, in bytes; a larger one is cut.
const MAX_BYTES: usize = 32 * 1024;

/// Texts in the last line of a consequence: a lost connection, a process ended by another, a launcher's own error.
const CONSEQUENCES: [&str; 14] = [
    "ChildFailedError",
    "SignalException",
    "ExecuteUserScriptError",
    "ConnectionResetError",
    "ConnectionRefusedError",
    "BrokenPipeError",
    "Connection reset by peer",
    "Connection closed by peer",
    "Broken pipe",
    "NCCL communicator was aborted",
    "ncclRemoteError",
    "DistNetworkError",
    "Socket Timeout",
    "MPI_ABORT",
];

/// A Python traceback of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Traceback {
    pub(crate) node: String,
    pub(crate) lines: Vec<String>,
    time: Timestamp,
}

impl Traceback {
    fn is_consequence(&self) -> bool {
        let last = self.lines.last().map_or("", String::as_str);
        CONSEQUENCES.iter().any(|word| last.contains(word))
    }
}

/// Collects tracebacks from the lines of all nodes.
#[derive(Debug, Default)]
pub(super) struct Tracebacks {
    /// Tracebacks whose end has not been seen, by node number.
    open: BTreeMap<u32, Traceback>,
    /// Earliest traceback that is no consequence.
    cause: Option<Traceback>,
    /// Earliest consequence.
    consequence: Option<Traceback>,
}

impl Tracebacks {
    /// Scans a line for the start of a traceback, or adds it to the node's open one.
    pub(super) fn scan(&mut self, stream: &LogStream, event: &LogEvent) {
        let number = stream.number();
        let message = event.decoded();
        if let Some(start) = find(&message) {
            self.close(number);
            let open = Traceback { node: stream.node().to_owned(), lines: Vec::new(), time: event.timestamp };
            self.open.insert(number, open);
            self.add(number, message.get(start..).unwrap_or_default());
        } else if self.open.contains_key(&number) {
            self.add(number, &message);
        }
    }

    /// Adds a line to a node's open traceback. The first line that is not indented names the exception and ends it.
    fn add(&mut self, number: u32, message: &[u8]) {
        let Some(open) = self.open.get_mut(&number) else { return };
        let text = String::from_utf8_lossy(message);
        let mut is_over = false;
        for line in text.lines() {
            let is_first = open.lines.is_empty();
            let is_inner = is_first || line.starts_with([' ', '\t']) || line.is_empty();
            open.lines.push(line.chars().take(1000).collect());
            is_over |= !is_inner;
        }
        let bytes: usize = open.lines.iter().map(String::len).sum();
        if is_over || open.lines.len() > MAX_LINES || bytes > MAX_BYTES {
            self.close(number);
        }
    }

    /// Ends a node's open traceback.
    fn close(&mut self, number: u32) {
        let Some(closed) = self.open.remove(&number) else { return };
        let best = if closed.is_consequence() { &mut self.consequence } else { &mut self.cause };
        if best.as_ref().is_none_or(|best| closed.time < best.time) {
            *best = Some(closed);
        }
    }

    /// Returns the earliest cause, or else the earliest consequence.
    pub(super) fn first(mut self) -> Option<Traceback> {
        let open: Vec<u32> = self.open.keys().copied().collect();
        for number in open {
            self.close(number);
        }
        self.cause.or(self.consequence)
    }
}

/// Returns the offset of a traceback's first line in a message; launchers prefix it with the rank.
fn find(message: &[u8]) -> Option<usize> {
    memchr::memmem::find(message, START)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::log::tests::{event, stream};

    fn scan(tracebacks: &mut Tracebacks, node: u32, second: i64, text: &str) {
        text.lines().for_each(|line| tracebacks.scan(&stream(node), &event(second, line)));
    }

    #[test]
    fn the_first_that_is_no_consequence() {
        let mut tracebacks = Tracebacks::default();
        scan(
            &mut tracebacks,
            1,
            5,
            "Traceback (most recent call last):\n  File \"a.py\"\nConnectionResetError: [Errno 104]",
        );
        scan(
            &mut tracebacks,
            3,
            9,
            "Traceback (most recent call last):\n  File \"b.py\"\n    x()\nValueError: no data\nafter",
        );
        scan(&mut tracebacks, 2, 12, "Traceback (most recent call last):\n  File \"c.py\"\nKeyError: 'late'");
        let first = tracebacks.first();
        let shown = first.as_ref().map(|first| (first.node.as_str(), first.lines.join("\n")));
        let expected = "Traceback (most recent call last):\n  File \"b.py\"\n    x()\nValueError: no data".to_owned();
        assert_eq!(shown, Some(("algo-3", expected)));
    }

    #[test]
    fn a_consequence_is_better_than_none() {
        let mut tracebacks = Tracebacks::default();
        scan(&mut tracebacks, 2, 7, "Traceback (most recent call last):\n  File \"a.py\"\nBrokenPipeError: broken");
        assert_eq!(tracebacks.first().map(|first| first.node).as_deref(), Some("algo-2"));
        assert_eq!(Tracebacks::default().first(), None);
    }
}
