//! Poll intervals and idle backoff of log reading.
//!
//! [`Backoff`] decides what each poll does beside reading on, and how long to pause after it: briefly while lines
//! arrive, longer while the log is idle.

use std::time::Duration;

use crate::cloud::Cloud;

/// Maximum backoff multiplier of the base pause while the log is idle.
const MAX_IDLE_BACKOFF: u32 = 5;
/// Maximum backoff multiplier if a poll takes so many calls that they exceed [`IDLE_CALLS_PER_SECOND`].
const MAX_IDLE_BACKOFF_MANY_STREAMS: u32 = 20;
/// Calls per second that polling an idle log should not exceed.
const IDLE_CALLS_PER_SECOND: f64 = 0.25;
/// Polls per DescribeTrainingJob.
const POLLS_PER_DESCRIBE: u32 = 2;
/// Polls per DescribeLogStreams.
const POLLS_PER_STREAM_LIST: u32 = 7;
/// Polls in which each stream's lateness window is rescanned once.
const POLLS_PER_RESCAN: u32 = 6;

/// Schedule of polls.
#[derive(Debug)]
pub(super) struct Backoff {
    /// Shortest pause between two polls.
    base_pause: Duration,
    /// Backoff: the last pause was this many times the base pause.
    multiplier: u32,
    max_multiplier: u32,
    /// Polls until the job is described again.
    until_describe: u32,
    /// Polls until the streams are listed again.
    until_list: u32,
}

/// Calls that a poll makes beside reading new events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PollPlan {
    /// Describe the job.
    pub(super) describe_job: bool,
    /// List the job's streams.
    pub(super) list_streams: bool,
    /// Polls in which each stream is rescanned once; 1 means all streams in this poll.
    pub(super) rescan_polls: u32,
}

impl Backoff {
    /// Returns the schedule for a cloud, with its poll interval for logs as base pause. Local logs have no backoff.
    pub(super) fn for_cloud(cloud: &Cloud) -> Self {
        let max_multiplier = if cloud.capabilities.has_rate_quotas { MAX_IDLE_BACKOFF } else { 1 };
        Self { base_pause: cloud.poll_intervals.log, multiplier: 1, max_multiplier, until_describe: 0, until_list: 0 }
    }

    /// Returns what the next poll does. With `is_ending` it does everything; with `misses_streams` (a node has no
    /// stream yet) it lists the streams.
    pub(super) fn next(&mut self, is_ending: bool, misses_streams: bool) -> PollPlan {
        let due = |remaining: &mut u32, every: u32, at_once: bool| {
            let is_due = *remaining == 0 || at_once;
            *remaining = if is_due { every - 1 } else { *remaining - 1 };
            is_due
        };
        // With backoff, a poll takes the time of several; reading a local file costs nothing.
        let every = |polls: u32| if self.max_multiplier == 1 { 1 } else { polls.div_ceil(self.multiplier.min(2)) };
        let describe_every = every(POLLS_PER_DESCRIBE);
        let list_every = every(POLLS_PER_STREAM_LIST);
        let rescan_every = every(POLLS_PER_RESCAN);
        PollPlan {
            describe_job: due(&mut self.until_describe, describe_every, is_ending),
            list_streams: due(&mut self.until_list, list_every, is_ending || misses_streams),
            rescan_polls: if is_ending { 1 } else { rescan_every },
        }
    }

    /// Returns the pause after a poll of `calls` calls: the base pause after lines, twice the last one (up to a
    /// maximum) after none (`was_quiet`).
    pub(super) fn pause(&mut self, was_quiet: bool, calls: usize) -> Duration {
        self.multiplier = if was_quiet { (self.multiplier * 2).min(self.max_multiplier(calls)) } else { 1 };
        self.base_pause * self.multiplier
    }

    /// Returns the maximum multiplier for polls of `calls` calls.
    fn max_multiplier(&self, calls: usize) -> u32 {
        // With backoff, each poll describes the job, and every fourth lists the streams.
        let calls = u32::try_from(calls).map_or(f64::MAX, f64::from) + 1.25;
        let idle_pause = Duration::try_from_secs_f64(calls / IDLE_CALLS_PER_SECOND).unwrap_or(Duration::MAX);
        let pauses = idle_pause.as_millis().div_ceil(self.base_pause.as_millis().max(1));
        u32::try_from(pauses).unwrap_or(u32::MAX).min(MAX_IDLE_BACKOFF_MANY_STREAMS).max(self.max_multiplier)
    }

    /// Returns the shortest pause between two polls.
    pub(super) fn base_pause(&self) -> Duration {
        self.base_pause
    }
}

/// Maximum number of nodes whose streams are read one by one. With more, FilterLogEvents delivers lines sooner within
/// the rate limits.
pub(super) const MAX_PER_STREAM_NODES: usize = 8;

/// Returns true if a job of `nodes` nodes is read with one call for all nodes.
pub(super) fn is_large(cloud: &Cloud, nodes: usize) -> bool {
    cloud.capabilities.filters_job_events && nodes > MAX_PER_STREAM_NODES
}

/// Maximum number of streams read at the same time.
pub(super) const MAX_CONCURRENT_STREAMS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_job_costs_at_most_three_calls_in_ten_seconds() {
        for nodes in [1, 2, 4, 7] {
            let mut backoff = Backoff {
                base_pause: Duration::from_secs(2),
                multiplier: 1,
                max_multiplier: MAX_IDLE_BACKOFF,
                until_describe: 0,
                until_list: 0,
            };
            let mut calls = 0_u32;
            let mut seconds = 0;
            for poll in 0..400 {
                let PollPlan { describe_job, list_streams, .. } = backoff.next(false, false);
                let pause = backoff.pause(true, nodes as usize);
                if poll > 10 {
                    calls += nodes + u32::from(describe_job) + u32::from(list_streams);
                    seconds += u32::try_from(pause.as_secs()).unwrap_or(u32::MAX);
                }
            }
            assert!(f64::from(calls) <= 0.3 * f64::from(seconds), "{nodes} nodes: {calls} calls in {seconds} s");
        }
    }
}
