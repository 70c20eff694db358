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
mod selection;
mod stats;
mod tail;
mod traceback;
mod watcher;

#[cfg(test)]
mod tests;

pub(crate) use follow::{Followed, Following, follow};
pub(crate) use preflight::{Preflight, preflight};
pub(crate) use read::{read, waits_for};
pub(crate) use selection::LogSelection;
pub(crate) use watcher::Watcher;
