//! What came of a log: how many lines, from which nodes, how late; and who is silent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use crate::cloud::LogStream;
use crate::model::LogEvent;
use crate::model::request::ResourceConfig;

#[derive(Debug, Default)]
pub(crate) struct LogStats {
    pub(crate) lines: u64,
    pub(crate) late: u64,
    /// Streams that went away before they were read to their end.
    pub(crate) gaps: usize,
    /// Places in the log that say themselves that lines may be missing.
    marks: usize,
    /// How many nodes are to log, as far as the job says.
    pub(crate) expected: Option<usize>,
    nodes: BTreeMap<u32, Node>,
    /// The longest time from an event to its arrival at the service.
    longest_lag: SignedDuration,
}

#[derive(Debug)]
struct Node {
    name: String,
    /// None before its first line.
    last: Option<Instant>,
    /// Its silence has been told.
    told: bool,
}

impl Node {
    fn new(number: u32) -> Self {
        Self { name: format!("algo-{number}"), last: None, told: false }
    }
}

impl LogStats {
    pub(super) fn count(&mut self, stream: &LogStream, event: &LogEvent, late: bool) {
        self.marks += usize::from(event.is_gap);
        self.lines += u64::from(!event.is_gap);
        self.late += u64::from(late);
        let lag = event.ingested.map(|ingested| ingested.duration_since(event.timestamp)).unwrap_or_default();
        self.longest_lag = self.longest_lag.max(lag);
        let node = self.nodes.entry(stream.number()).or_insert_with(|| Node::new(stream.number()));
        (node.last, node.told) = (Some(Instant::now()), false);
    }

    /// Places where lines are or may be missing.
    pub(crate) fn all_gaps(&self) -> usize {
        self.gaps + self.marks
    }

    /// The nodes that are to log, by their numbers.
    pub(super) fn expect(&mut self, numbers: &BTreeSet<u32>) {
        self.expected = Some(numbers.len()).filter(|count| *count > 0);
        for number in numbers {
            self.nodes.entry(*number).or_insert_with(|| Node::new(*number));
        }
    }

    /// Of the nodes' names.
    pub(super) fn widest(&self) -> usize {
        self.nodes.values().map(|node| node.name.len()).max().unwrap_or_default()
    }

    /// How many nodes have logged.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes.values().filter(|node| node.last.is_some()).count()
    }

    /// Whether a node that is to log has not done so yet.
    pub(super) fn misses_nodes(&self) -> bool {
        self.nodes() < self.nodes.len()
    }

    /// How long after a job's end lines may still come, by how late they came so far.
    pub(super) fn patience(&self) -> Duration {
        Duration::try_from(self.longest_lag).unwrap_or_default()
    }

    /// Nodes that have printed nothing for so long, each once for each time; those too that never printed anything, for
    /// as long as the job trains since `start`.
    pub(super) fn silent(&mut self, stall: Duration, start: Instant) -> Vec<String> {
        let is_silent = |node: &Node| !node.told && node.last.unwrap_or(start).elapsed() >= stall;
        let silent = self.nodes.values_mut().filter(|node| is_silent(node));
        let silent = silent.map(|node| {
            node.told = true;
            node.name.clone()
        });
        silent.collect()
    }
}

/// The number of a job's nodes.
pub(super) fn nodes(resources: &ResourceConfig) -> Option<usize> {
    let groups = resources.instance_groups.iter().flatten().map(|group| group.instance_count);
    let of_groups: i32 = groups.sum();
    let count = resources.selected_instance_count.or(resources.instance_count).unwrap_or(of_groups);
    usize::try_from(count).ok().filter(|count| *count > 0)
}
