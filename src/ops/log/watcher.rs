//! The trait of whatever receives a log's lines.

use crate::cloud::LogStream;
use crate::error::Result;
use crate::model::LogEvent;

/// Receives the lines and phases of a log in order.
pub(crate) trait Watcher {
    /// Receives a line. With `late`, a newer line was emitted before.
    fn line(&mut self, stream: &LogStream, event: LogEvent, late: bool) -> Result<()>;
    /// Returns true if the line would be shown. A tail counts only such lines.
    fn shows(&self, event: &LogEvent) -> bool;
    /// Announces lines of more than one node. `name_width` is the length of the longest node name.
    fn several_nodes(&mut self, name_width: usize);
    /// Shows buffered lines; called at the end of each poll.
    fn flush(&mut self) -> Result<()>;
    /// Receives a phase that the job has entered.
    fn phase(&mut self, phase: &str, message: &str) -> Result<()>;
    /// Receives a warning, such as a lost connection or a stalled node.
    fn note(&mut self, text: &str) -> Result<()>;
}
