//! Statistics of a followed log: lines, nodes, late lines, gaps, and nodes that have stalled.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use crate::cloud::LogStream;
use crate::model::LogEvent;
use crate::model::request::ResourceConfig;

/// Counts of a log's lines and nodes.
#[derive(Debug, Default)]
pub(crate) struct LogStats {
    pub(crate) lines: u64,
    pub(crate) late: u64,
    /// Number of streams that were deleted before they were read to their end.
    pub(crate) gaps: usize,
    /// Number of gap events: a local log marks where lines may be missing.
    gap_marks: usize,
    /// Number of nodes expected to log; `None` if the job does not say.
    pub(crate) expected: Option<usize>,
    nodes: BTreeMap<u32, NodeStats>,
    /// Longest time between an event and its ingestion.
    longest_lag: SignedDuration,
}

#[derive(Debug)]
struct NodeStats {
    name: String,
    /// When its last line arrived; `None` before its first.
    last_line: Option<Instant>,
    /// True if its current stall has been reported.
    is_reported: bool,
}

impl NodeStats {
    fn new(number: u32) -> Self {
        Self { name: format!("algo-{number}"), last_line: None, is_reported: false }
    }
}

impl LogStats {
    /// Counts a line.
    pub(super) fn count(&mut self, stream: &LogStream, event: &LogEvent, late: bool) {
        self.gap_marks += usize::from(event.is_gap);
        self.lines += u64::from(!event.is_gap);
        self.late += u64::from(late);
        let lag = event.ingested.map(|ingested| ingested.duration_since(event.timestamp)).unwrap_or_default();
        self.longest_lag = self.longest_lag.max(lag);
        let node = self.nodes.entry(stream.number()).or_insert_with(|| NodeStats::new(stream.number()));
        node.last_line = Some(Instant::now());
        node.is_reported = false;
    }

    /// Returns the number of places where lines are or may be missing.
    pub(crate) fn total_gaps(&self) -> usize {
        self.gaps + self.gap_marks
    }

    /// Sets the nodes that are expected to log, by their numbers.
    pub(super) fn expect_nodes(&mut self, numbers: &BTreeSet<u32>) {
        self.expected = Some(numbers.len()).filter(|count| *count > 0);
        for number in numbers {
            self.nodes.entry(*number).or_insert_with(|| NodeStats::new(*number));
        }
    }

    /// Returns the length of the longest node name, in bytes.
    pub(super) fn node_name_width(&self) -> usize {
        self.nodes.values().map(|node| node.name.len()).max().unwrap_or_default()
    }

    /// Returns the number of nodes that have logged.
    pub(crate) fn node_count(&self) -> usize {
        self.nodes.values().filter(|node| node.last_line.is_some()).count()
    }

    /// Returns true if an expected node has not logged yet.
    pub(super) fn misses_node(&self) -> bool {
        self.node_count() < self.nodes.len()
    }

    /// Returns the longest time between an event and its ingestion so far: lines may arrive this long after a job's
    /// end.
    pub(super) fn longest_lag(&self) -> Duration {
        Duration::try_from(self.longest_lag).unwrap_or_default()
    }

    /// Returns the names of nodes that have printed nothing for `stall`, each once per stall. For a node that never
    /// printed, the time counts from `start`, when the job began to train.
    pub(super) fn take_stalled(&mut self, stall: Duration, start: Instant) -> Vec<String> {
        let is_stalled = |node: &NodeStats| !node.is_reported && node.last_line.unwrap_or(start).elapsed() >= stall;
        let stalled = self.nodes.values_mut().filter(|node| is_stalled(node));
        let stalled = stalled.map(|node| {
            node.is_reported = true;
            node.name.clone()
        });
        stalled.collect()
    }
}

/// Returns the number of a job's nodes; `None` if the description has none.
pub(super) fn node_count(resources: &ResourceConfig) -> Option<usize> {
    let groups = resources.instance_groups.iter().flatten().map(|group| group.instance_count);
    let in_groups: i32 = groups.sum();
    let count = resources.selected_instance_count.or(resources.instance_count).unwrap_or(in_groups);
    usize::try_from(count).ok().filter(|count| *count > 0)
}
