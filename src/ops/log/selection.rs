//! The part of a log that is asked for.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::cloud::LogStream;

/// What of a log is wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogSelection {
    /// Inclusive.
    pub(crate) since: Option<Timestamp>,
    /// Exclusive.
    pub(crate) until: Option<Timestamp>,
    /// `algo-2`; none means all.
    pub(crate) nodes: Vec<String>,
    /// Only so many lines from the end on.
    pub(crate) tail: Option<usize>,
}

impl LogSelection {
    pub(super) fn has(&self, stream: &LogStream) -> bool {
        self.nodes.is_empty() || self.nodes.iter().any(|node| node == stream.node())
    }

    /// The numbers of the nodes that are wanted of so many; none where neither is known.
    pub(super) fn numbers(&self, nodes: Option<usize>) -> BTreeSet<u32> {
        if self.nodes.is_empty() {
            return (1..=nodes.and_then(|count| u32::try_from(count).ok()).unwrap_or(0)).collect();
        }
        self.nodes.iter().filter_map(|node| node.strip_prefix("algo-")?.parse().ok()).collect()
    }
}
