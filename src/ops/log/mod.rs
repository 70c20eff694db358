//! A job's log, read whole or followed: every line once, in order, from every node.
//!
//! [`streams`] reads each node's stream by itself, [`whole`] all of them by one call; both look back over a stretch of time
//! for lines that came late, and know by [`seen`] which they gave before. [`merge`] puts the nodes in one order. [`follow`]
//! goes on until the job has ended, at the rate of [`pace`].

mod dedup;
mod filtered;
mod follow;
mod merge;
mod per_stream;
mod phases;
mod polling;
mod preflight;
mod read;
mod recorder;
mod stats;
mod tail;
mod traceback;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::cloud::{Cloud, LogStream};
use crate::error::Result;
use crate::model::LogEvent;

pub(crate) use follow::{Followed, Following, follow};
pub(crate) use preflight::{Glance, glance};
pub(crate) use read::{read, waits_for};

/// What of a log is wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Inclusive.
    pub(crate) since: Option<Timestamp>,
    /// Exclusive.
    pub(crate) until: Option<Timestamp>,
    /// `algo-2`; none means all.
    pub(crate) nodes: Vec<String>,
    /// Only so many lines from the end on.
    pub(crate) tail: Option<usize>,
}

impl Wanted {
    fn has(&self, stream: &LogStream) -> bool {
        self.nodes.is_empty() || self.nodes.iter().any(|node| node == stream.node())
    }

    /// The numbers of the nodes that are wanted of so many; none where neither is known.
    fn numbers(&self, nodes: Option<usize>) -> BTreeSet<u32> {
        if self.nodes.is_empty() {
            return (1..=nodes.and_then(|count| u32::try_from(count).ok()).unwrap_or(0)).collect();
        }
        self.nodes.iter().filter_map(|node| node.strip_prefix("algo-")?.parse().ok()).collect()
    }
}

/// What a reader or a follower tells.
pub(crate) trait Watcher {
    /// `late`: newer ones have been told before.
    fn line(&mut self, stream: &LogStream, event: &LogEvent, late: bool) -> Result<()>;
    /// Whether a line would be shown: of a log's tail, only such lines count.
    fn shows(&self, event: &LogEvent) -> bool;
    /// Lines will come from more than one node.
    fn several_nodes(&mut self, widest: usize);
    /// A round of lines is over: what was held back for speed is to be shown.
    fn flush(&mut self) -> Result<()>;
    /// The job has entered a phase.
    fn phase(&mut self, phase: &str, message: &str) -> Result<()>;
    /// Something that is said once: the connection is lost, a node is silent.
    fn note(&mut self, text: &str) -> Result<()>;
}

/// From more nodes than this, one call for all of them brings lines sooner than one for each, at the rate that is polite.
const MOST_NODES: usize = 8;

fn is_large(cloud: &Cloud, nodes: usize) -> bool {
    !cloud.is_local && nodes > MOST_NODES
}
/// Streams that are asked at the same time.
const MOST_STREAMS: usize = 8;
