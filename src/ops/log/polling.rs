//! How often the services are asked: soon while lines come, seldom while none do, and never above a share of the quota.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::cloud::Cloud;

/// Calls a second: 30 % of the lowest quota of any region (AWS General Reference, CloudWatch Logs quotas; GetLogEvents 10,
/// FilterLogEvents 5, DescribeLogStreams 5).
const GET: f64 = 3.0;
const FILTER: f64 = 1.5;
const LIST: f64 = 1.5;
/// What may be used at once, in seconds of that rate: at first, when the log that is there is read in one go; and later.
const FIRST_BURST: f64 = 100.0;
const BURST: f64 = 3.0;

/// The pause between two looks at the log grows to so many times the first one while nothing comes; where a look takes
/// many calls, to as many times as keep them to [`QUIET`] calls a second, but never more than so many.
const CALMEST: u32 = 5;
const CALMEST_OF_MANY: u32 = 20;
const QUIET: f64 = 0.25;
/// Looks at the job and for new streams, and looks back for late lines, come every so many pauses.
const JOB: u32 = 2;
const STREAMS: u32 = 7;
const BACK: u32 = 6;

/// Tokens that come at a rate; who takes one waits for it.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Tokens a second; none means that there is no limit.
    rate: Option<f64>,
    tokens: f64,
    most: f64,
    counted: Instant,
}

impl Bucket {
    fn new(rate: Option<f64>) -> Self {
        let most = rate.unwrap_or_default() * FIRST_BURST;
        Self { rate, tokens: most, most, counted: Instant::now() }
    }

    /// From now on there are no more great bursts.
    fn settle(&mut self) {
        self.most = self.rate.unwrap_or_default() * BURST;
    }

    pub(super) async fn take(&mut self) {
        let Some(rate) = self.rate else { return };
        let now = Instant::now();
        self.tokens = (self.tokens + now.duration_since(self.counted).as_secs_f64() * rate).min(self.most) - 1.0;
        self.counted = now;
        if self.tokens < 0.0 {
            sleep_until(now + Duration::from_secs_f64(-self.tokens / rate)).await;
        }
    }
}

/// A bucket for each operation.
#[derive(Debug)]
pub(super) struct Quota {
    pub(super) get: Bucket,
    pub(super) filter: Bucket,
    pub(super) list: Bucket,
}

impl Quota {
    /// This computer's own files have no quota.
    pub(super) fn of(cloud: &Cloud) -> Self {
        let bucket = |rate| Bucket::new(Some(rate).filter(|_| !cloud.is_local));
        Self { get: bucket(GET), filter: bucket(FILTER), list: bucket(LIST) }
    }
}

impl Quota {
    /// The log that was there has been read.
    pub(super) fn settle(&mut self) {
        for bucket in [&mut self.get, &mut self.filter, &mut self.list] {
            bucket.settle();
        }
    }
}

/// When to look again.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    /// Pauses are the first one times this.
    calm: u32,
    calmest: u32,
    /// Rounds until the next look at the job, and for streams.
    job: u32,
    streams: u32,
}

/// What a round is to do beside reading on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) job: bool,
    pub(super) streams: bool,
    /// In so many rounds, each stream is looked back at once.
    pub(super) back: u32,
}

impl Backoff {
    pub(super) fn of(cloud: &Cloud) -> Self {
        let calmest = if cloud.is_local { 1 } else { CALMEST };
        Self { first: cloud.pace.log, calm: 1, calmest, job: 0, streams: 0 }
    }

    /// What the next round does. `is_ending`: all there is to do; `misses_streams`: nodes have no stream yet.
    pub(super) fn next(&mut self, is_ending: bool, misses_streams: bool) -> Round {
        let due = |rounds: &mut u32, every: u32, at_once: bool| {
            let is_due = *rounds == 0 || at_once;
            *rounds = if is_due { every - 1 } else { *rounds - 1 };
            is_due
        };
        // A calm round lasts as long as several, and a local file costs nothing to look at.
        let every = |rounds: u32| if self.calmest == 1 { 1 } else { rounds.div_ceil(self.calm.min(2)) };
        let (job, streams, back) = (every(JOB), every(STREAMS), every(BACK));
        Round {
            job: due(&mut self.job, job, is_ending),
            streams: due(&mut self.streams, streams, is_ending || misses_streams),
            back: if is_ending { 1 } else { back },
        }
    }

    /// The pause after a round of so many calls that brought lines, or none.
    pub(super) fn pause(&mut self, was_quiet: bool, calls: usize) -> Duration {
        self.calm = if was_quiet { (self.calm * 2).min(self.calmest(calls)) } else { 1 };
        self.first * self.calm
    }

    fn calmest(&self, calls: usize) -> u32 {
        // A look at the job comes with each calm round, one for streams with every fourth.
        let calls = u32::try_from(calls).map_or(f64::MAX, f64::from) + 1.25;
        let polite = Duration::try_from_secs_f64(calls / QUIET).unwrap_or(Duration::MAX);
        let pauses = polite.as_millis().div_ceil(self.first.as_millis().max(1));
        u32::try_from(pauses).unwrap_or(u32::MAX).min(CALMEST_OF_MANY).max(self.calmest)
    }

    /// The shortest pause.
    pub(super) fn shortest(&self) -> Duration {
        self.first
    }
}

/// From more nodes than this, one call for all of them brings lines sooner than one for each, at the rate that is polite.
pub(super) const MOST_NODES: usize = 8;

pub(super) fn is_large(cloud: &Cloud, nodes: usize) -> bool {
    !cloud.is_local && nodes > MOST_NODES
}

/// Streams that are asked at the same time.
pub(super) const MOST_STREAMS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_bucket_keeps_to_its_rate_after_a_burst() {
        let mut bucket = Bucket::new(Some(2.0));
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
        bucket.settle();
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
            let mut pace = Backoff { first: Duration::from_secs(2), calm: 1, calmest: CALMEST, job: 0, streams: 0 };
            let (mut calls, mut seconds) = (0_u32, 0);
            for round in 0..400 {
                let Round { job, streams, .. } = pace.next(false, false);
                let pause = pace.pause(true, nodes as usize);
                if round > 10 {
                    calls += nodes + u32::from(job) + u32::from(streams);
                    seconds += u32::try_from(pause.as_secs()).unwrap_or(u32::MAX);
                }
            }
            assert!(f64::from(calls) <= 0.3 * f64::from(seconds), "{nodes} nodes: {calls} calls in {seconds} s");
        }
    }
}
