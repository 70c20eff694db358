//! Progress of a rescan over all streams.

use jiff::Timestamp;
use tokio::time::Instant;

/// A look back over all streams, one after the other, which rounds share.
#[derive(Debug, Default)]
pub(super) struct RescanProgress {
    pub(super) began: Option<Instant>,
    /// The stream that it has come to.
    pub(super) at: usize,
    /// Where the next one will start, as it was when this one began.
    pub(super) next: Option<Timestamp>,
    /// It was begun to go on over several rounds.
    pub(super) is_shared: bool,
    /// Streams that there is time for, times the rounds that share a look.
    pub(super) credit: usize,
}

impl RescanProgress {
    pub(super) fn begin(&mut self, next: Option<Timestamp>, is_shared: bool) {
        (self.began, self.at, self.next, self.is_shared) = (Some(Instant::now()), 0, next, is_shared);
    }
}
