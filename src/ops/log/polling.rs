//! Poll intervals, idle backoff and rate limits of log reading.
//!
//! [`Backoff`] decides what each poll does beside reading on, and how long to pause after it: briefly while lines
//! arrive, longer while the log is idle. [`RateLimits`] has a token bucket for each operation, which keeps one smtrain
//! below a share of the account's quota, however many streams a job has.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::cloud::Cloud;

// Rate limits: 30 % of the lowest quota of any region (AWS General Reference, CloudWatch Logs quotas: GetLogEvents 10,
// FilterLogEvents 5, DescribeLogStreams 5 calls per second).
const GET_EVENTS_PER_SECOND: f64 = 3.0;
const FILTER_EVENTS_PER_SECOND: f64 = 1.5;
const LIST_STREAMS_PER_SECOND: f64 = 1.5;
/// Burst of a bucket while the existing log is read, in seconds of its rate.
const INITIAL_BURST_SECONDS: f64 = 100.0;
/// Burst of a bucket once the existing log has been read, in seconds of its rate.
const BURST_SECONDS: f64 = 3.0;

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

/// Limits the rate of calls; allows bursts.
#[derive(Debug)]
pub(super) struct TokenBucket {
    /// Tokens per second; `None` means unlimited.
    rate: Option<f64>,
    /// Tokens available; negative while callers wait.
    tokens: f64,
    /// Maximum number of tokens.
    capacity: f64,
    refilled_at: Instant,
}

impl TokenBucket {
    fn new(rate: Option<f64>) -> Self {
        let capacity = rate.unwrap_or_default() * INITIAL_BURST_SECONDS;
        Self { rate, tokens: capacity, capacity, refilled_at: Instant::now() }
    }

    /// Reduces the capacity from [`INITIAL_BURST_SECONDS`] to [`BURST_SECONDS`].
    fn end_initial_burst(&mut self) {
        self.capacity = self.rate.unwrap_or_default() * BURST_SECONDS;
    }

    /// Takes a token; waits until there is one.
    pub(super) async fn take(&mut self) {
        let Some(rate) = self.rate else { return };
        let now = Instant::now();
        self.tokens =
            (self.tokens + now.duration_since(self.refilled_at).as_secs_f64() * rate).min(self.capacity) - 1.0;
        self.refilled_at = now;
        if self.tokens < 0.0 {
            sleep_until(now + Duration::from_secs_f64(-self.tokens / rate)).await;
        }
    }
}

/// Token buckets of the CloudWatch Logs operations.
#[derive(Debug)]
pub(super) struct RateLimits {
    pub(super) get_events: TokenBucket,
    pub(super) filter_events: TokenBucket,
    pub(super) list_streams: TokenBucket,
}

impl RateLimits {
    /// Returns the limits for a cloud; local files have none.
    pub(super) fn for_cloud(cloud: &Cloud) -> Self {
        let bucket = |rate| TokenBucket::new(Some(rate).filter(|_| cloud.capabilities.has_rate_quotas));
        Self {
            get_events: bucket(GET_EVENTS_PER_SECOND),
            filter_events: bucket(FILTER_EVENTS_PER_SECOND),
            list_streams: bucket(LIST_STREAMS_PER_SECOND),
        }
    }

    /// Ends the large initial bursts: the existing log has been read.
    pub(super) fn end_initial_burst(&mut self) {
        for bucket in [&mut self.get_events, &mut self.filter_events, &mut self.list_streams] {
            bucket.end_initial_burst();
        }
    }
}

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

    #[tokio::test(start_paused = true)]
    async fn a_bucket_keeps_to_its_rate_after_a_burst() {
        let mut bucket = TokenBucket::new(Some(2.0));
        let start = Instant::now();
        for _ in 0..200 {
            bucket.take().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..20 {
            bucket.take().await;
        }
        let seconds = start.elapsed().as_secs_f64();
        assert!((9.5..10.5).contains(&seconds), "{seconds}");
        bucket.end_initial_burst();
        tokio::time::advance(Duration::from_mins(10)).await;
        let start = Instant::now();
        for _ in 0..26 {
            bucket.take().await;
        }
        let seconds = start.elapsed().as_secs_f64();
        assert!((9.5..10.5).contains(&seconds), "{seconds}");
    }

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
            let (mut calls, mut seconds) = (0_u32, 0);
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
