//! Rate limits of the CloudWatch Logs operations.
//!
//! [`RateLimits`] has a token bucket for each operation, which keeps one smtrain below a share of the account's quota,
//! however many streams a job has.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::cloud::Cloud;

// 30 % of the lowest quota of any region (AWS General Reference, CloudWatch Logs quotas: GetLogEvents 10,
// FilterLogEvents 5, DescribeLogStreams 5 calls per second).
const GET_EVENTS_PER_SECOND: f64 = 3.0;
const FILTER_EVENTS_PER_SECOND: f64 = 1.5;
const LIST_STREAMS_PER_SECOND: f64 = 1.5;
/// Burst of a bucket while the existing log is read, in seconds of its rate.
const INITIAL_BURST_SECONDS: f64 = 100.0;
/// Burst of a bucket once the existing log has been read, in seconds of its rate.
const BURST_SECONDS: f64 = 3.0;

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
}
