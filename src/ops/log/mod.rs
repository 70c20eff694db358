//! Reads or follows a job's log: every line of every node once, in one order.
//!
//! [`mod@read`] reads what exists, [`tail`] its last lines. [`mod@follow`] polls until the job has ended and its log is
//! drained. Both read with [`per_stream`] (GetLogEvents, one stream at a time) or [`filtered`] (FilterLogEvents, all
//! streams of a large job). Events that arrive late are found by reading the lateness window again, and [`dedup`] drops
//! those that were emitted before. [`merge`] puts the nodes' lines in one order, and a [`Watcher`] receives them.
//! [`polling`] has the intervals, the backoff and the rate limits.
//!
//! The reasons are in `docs/decisions/following-a-log.md`.

mod dedup;
mod filtered;
mod follow;
mod merge;
mod per_stream;
mod phases;
mod polling;
mod preflight;
mod rate_limits;
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
pub(crate) use read::{no_log_reason, read};
pub(crate) use selection::LogSelection;
pub(crate) use watcher::Watcher;
