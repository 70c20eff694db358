//! The receiver of a log's lines.

use crate::cloud::LogStream;
use crate::error::Result;
use crate::model::LogEvent;

/// What a reader or a follower tells.
pub(crate) trait Watcher {
    /// `late`: newer ones have been told before.
    fn line(&mut self, stream: &LogStream, event: &LogEvent, late: bool) -> Result<()>;
    /// Whether a line would be shown: of a log's tail, only such lines count.
    fn shows(&self, event: &LogEvent) -> bool;
    /// Lines will come from more than one node.
    fn several_nodes(&mut self, widest: usize);
    /// A round of lines is over: what was held back for speed is to be shown.
    fn flush(&mut self) -> Result<()>;
    /// The job has entered a phase.
    fn phase(&mut self, phase: &str, message: &str) -> Result<()>;
    /// Something that is said once: the connection is lost, a node is silent.
    fn note(&mut self, text: &str) -> Result<()>;
}
