//! A line of a training job's log.

use jiff::Timestamp;

/// One line of a job's output. Bytes, since a script can print anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogEvent {
    pub(crate) timestamp: Timestamp,
    /// When the service got it; none on this computer, where that is the same.
    pub(crate) ingested: Option<Timestamp>,
    /// Without its line feed. A message that ends in a carriage return was overwritten by the next one: a progress bar.
    pub(crate) message: Vec<u8>,
    /// A mark of smtrain's own: lines may be missing here. The message says why.
    pub(crate) is_gap: bool,
}
