//! Folds the same line of several nodes into one (`--fold`).

use std::collections::{HashMap, HashSet, VecDeque};

use jiff::SignedDuration;

use crate::view::log_lines::LogLine;

/// Longest time between the same line of two nodes for them to be folded.
const FOLD_WINDOW: SignedDuration = SignedDuration::from_secs(5);

/// Lines that may still be repeated by another node, in order of first arrival.
#[derive(Debug, Default)]
pub(super) struct Fold {
    groups: VecDeque<FoldGroup>,
    /// Number of the group with a text; the first of `groups` has number `first`.
    by_text: HashMap<Vec<u8>, usize>,
    first: usize,
}

/// A line and the nodes that printed it.
#[derive(Debug)]
struct FoldGroup {
    line: LogLine,
    nodes: HashSet<u32>,
}

impl Fold {
    /// Adds a line. Returns the lines that are complete.
    pub(super) fn push(&mut self, line: LogLine) -> Vec<LogLine> {
        let node = line.stream.number();
        let known = self.by_text.get(&line.event.message).and_then(|number| self.groups.get_mut(number - self.first));
        // A node that prints it again starts another.
        if let Some(group) = known.filter(|group| !group.nodes.contains(&node)) {
            group.nodes.insert(node);
            group.line.times += 1;
            return Vec::new();
        }
        let now = line.event.timestamp;
        let mut over = Vec::new();
        while self.groups.front().is_some_and(|group| now.duration_since(group.line.event.timestamp) > FOLD_WINDOW) {
            over.extend(self.pop());
        }
        self.by_text.insert(line.event.message.clone(), self.first + self.groups.len());
        self.groups.push_back(FoldGroup { line, nodes: HashSet::from([node]) });
        over
    }

    /// Removes and returns all lines.
    pub(super) fn take(&mut self) -> Vec<LogLine> {
        std::iter::from_fn(|| self.pop()).collect()
    }

    fn pop(&mut self) -> Option<LogLine> {
        let FoldGroup { line, .. } = self.groups.pop_front()?;
        if self.by_text.get(&line.event.message) == Some(&self.first) {
            self.by_text.remove(&line.event.message);
        }
        self.first += 1;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::cloud::LogStream;
    use crate::model::LogEvent;

    fn line(node: u32, second: i64, text: &str) -> LogLine {
        let timestamp = Timestamp::from_second(second).unwrap_or_default();
        LogLine {
            stream: LogStream { name: format!("job/algo-{node}-1").into() },
            event: LogEvent { timestamp, ingested: None, message: text.into(), is_gap: false },
            late: false,
            times: 1,
        }
    }

    #[test]
    fn the_same_of_other_nodes_is_counted() {
        let mut fold = Fold::default();
        let lines = [(1, 0, "start"), (2, 0, "start"), (1, 1, "own"), (3, 1, "start"), (1, 2, "start"), (2, 9, "end")];
        let mut shown: Vec<LogLine> =
            lines.iter().flat_map(|(node, at, text)| fold.push(line(*node, *at, text))).collect();
        shown.extend(fold.take());
        let shown: Vec<(usize, String)> =
            shown.iter().map(|line| (line.times, String::from_utf8_lossy(&line.event.message).into_owned())).collect();
        let expected = [(3, "start"), (1, "own"), (1, "start"), (1, "end")];
        assert_eq!(shown, expected.map(|(times, text)| (times, text.to_owned())));
    }
}
