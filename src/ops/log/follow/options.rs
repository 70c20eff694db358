//! Options and result of following a job.

use std::time::Duration;

use crate::model::training_job::DescribeTrainingJobResponse;
use crate::ops::log::preflight::Preflight;
use crate::ops::log::selection::LogSelection;
use crate::ops::log::stats::LogStats;
use crate::ops::log::traceback::Traceback;

/// Options of following a job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Following {
    pub(crate) wanted: LogSelection,
    /// Silence after which a node is reported as stalled; `None` means never.
    pub(crate) stall: Option<Duration>,
    /// Result of an earlier preflight, which saves the calls.
    pub(crate) preflight: Option<Box<Preflight>>,
}

/// Result of following a job to its end.
#[derive(Debug)]
pub(crate) struct Followed {
    pub(crate) state: DescribeTrainingJobResponse,
    pub(crate) stats: LogStats,
    /// First traceback that is no consequence of another.
    pub(crate) traceback: Option<Traceback>,
    /// True if the log, or the rest of it, could not be read because the caller lacks the permission.
    pub(crate) is_log_denied: bool,
}
