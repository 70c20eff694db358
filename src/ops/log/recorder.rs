//! What a follower has told of a log.

use super::phases::Phases;
use super::stats::LogStats;
use super::traceback::Tracebacks;
use super::watcher::Watcher;
use crate::cloud::LogStream;
use crate::error::Result;
use crate::model::LogEvent;

/// What has been told, and what is to be told of it at the end.
#[derive(Default)]
pub(super) struct Recorder {
    pub(super) phases: Phases,
    pub(super) tally: LogStats,
    pub(super) tracebacks: Tracebacks,
}

impl Recorder {
    /// A line, after the phases that began before it.
    pub(super) fn line(
        &mut self,
        stream: &LogStream,
        event: &LogEvent,
        late: bool,
        watcher: &mut impl Watcher,
    ) -> Result<()> {
        self.phases.tell_until(event.timestamp, watcher)?;
        self.tally.count(stream, event, late);
        self.tracebacks.see(stream, event);
        watcher.line(stream, event, late)
    }
}
