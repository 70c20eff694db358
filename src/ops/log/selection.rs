//! Selects a part of a log by time, node and number of lines.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::cloud::LogStream;

/// Selected part of a log.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogSelection {
    /// Earliest timestamp, inclusive.
    pub(crate) since: Option<Timestamp>,
    /// Latest timestamp, exclusive.
    pub(crate) until: Option<Timestamp>,
    /// Node names such as `algo-2`; empty means all.
    pub(crate) nodes: Vec<String>,
    /// Number of lines from the end; `None` means all.
    pub(crate) tail: Option<usize>,
    /// The log of remote sessions and of what else writes below the job's name, in place of the nodes' output.
    pub(crate) sessions: bool,
}

impl LogSelection {
    /// Returns true if the stream's node and kind are selected.
    pub(super) fn has(&self, stream: &LogStream) -> bool {
        let has_node = self.nodes.is_empty() || self.nodes.iter().any(|node| node == stream.node());
        has_node && self.has_kind(stream)
    }

    /// Returns true if the stream's kind is selected: the output of nodes, or what else is below the job's name.
    pub(super) fn has_kind(&self, stream: &LogStream) -> bool {
        self.sessions != stream.is_of_node()
    }

    /// Returns the numbers of the selected nodes of a job with `nodes` nodes; empty if neither is known.
    pub(super) fn node_numbers(&self, nodes: Option<usize>) -> BTreeSet<u32> {
        if self.nodes.is_empty() {
            return (1..=nodes.and_then(|count| u32::try_from(count).ok()).unwrap_or(0)).collect();
        }
        self.nodes.iter().filter_map(|node| node.strip_prefix("algo-")?.parse().ok()).collect()
    }
}
