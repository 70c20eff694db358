//! A line of a training job's log.

use jiff::Timestamp;

/// One line of a job's output. Bytes, since a script can print anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogEvent {
    pub(crate) timestamp: Timestamp,
    /// Time at which the service ingested it; `None` for a local job.
    pub(crate) ingested: Option<Timestamp>,
    /// The line without its line feed. One that ends in a carriage return was overwritten by the next: a progress bar.
    pub(crate) message: Vec<u8>,
    /// A mark by smtrain that lines may be missing here. The message says why.
    pub(crate) is_gap: bool,
}
