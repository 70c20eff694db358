//! Counts and inspects the lines on their way to the watcher.

use super::phases::Phases;
use super::stats::LogStats;
use super::traceback::Tracebacks;
use super::watcher::Watcher;
use crate::cloud::LogStream;
use crate::error::Result;
use crate::model::LogEvent;

/// Collects what the summary at the end needs: statistics, tracebacks, and phases not emitted yet.
#[derive(Default)]
pub(super) struct Recorder {
    pub(super) phases: Phases,
    pub(super) stats: LogStats,
    pub(super) tracebacks: Tracebacks,
}

impl Recorder {
    /// Emits a line to the watcher, after the phases that began before it.
    pub(super) fn line(
        &mut self,
        stream: &LogStream,
        event: LogEvent,
        late: bool,
        watcher: &mut impl Watcher,
    ) -> Result<()> {
        self.phases.emit_until(event.timestamp, watcher)?;
        self.stats.count(stream, &event, late);
        self.tracebacks.scan(stream, &event);
        watcher.line(stream, event, late)
    }
}
