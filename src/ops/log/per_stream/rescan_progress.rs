//! Progress of a rescan over all streams.

use jiff::Timestamp;
use tokio::time::Instant;

/// Position of a rescan, which goes through the streams one by one, over several polls.
#[derive(Debug, Default)]
pub(super) struct RescanProgress {
    /// When the current or last rescan began.
    pub(super) began: Option<Instant>,
    /// Index of the next stream to rescan; 0 if no rescan is in progress.
    pub(super) next_stream: usize,
    /// Start of the next rescan, as of the beginning of this one.
    pub(super) next_start: Option<Timestamp>,
    /// True if the rescan is spread over several polls.
    pub(super) is_spread: bool,
    /// Streams that may be rescanned now, times the number of polls per rescan.
    pub(super) credit: usize,
}

impl RescanProgress {
    /// Begins a rescan at the first stream.
    pub(super) fn begin(&mut self, next_start: Option<Timestamp>, is_spread: bool) {
        self.began = Some(Instant::now());
        self.next_stream = 0;
        self.next_start = next_start;
        self.is_spread = is_spread;
    }
}
