//! Reader of a followed log.

use crate::cloud::LogStream;
use crate::ops::log::filtered::FilteredReader;
use crate::ops::log::per_stream::PerStreamReader;

/// Reader of a log, by the calls that it uses.
pub(super) enum FollowReader {
    /// GetLogEvents.
    PerStream(PerStreamReader),
    /// FilterLogEvents.
    Filtered(FilteredReader),
    /// No calls: the caller may not read the log.
    Denied,
}

impl FollowReader {
    /// Adds streams to a reader of streams; new ones are read from their start.
    pub(super) fn add_streams(&mut self, streams: Vec<LogStream>) {
        if let Self::PerStream(reader) = self {
            reader.add_all(streams);
        }
    }
}
