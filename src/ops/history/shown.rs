//! Output of a list of jobs: removes duplicates and applies the limit.

use std::collections::HashSet;

use crate::model::JobName;

/// Name of the list, for errors.
pub(super) const LIST_NAME: &str = "the jobs";

/// Receiver of the jobs, with the number of jobs still wanted.
pub(super) struct Shown<F> {
    pub(super) show: F,
    pub(super) left: usize,
    /// Names in the last batch: a job can be on two consecutive pages.
    pub(super) last: HashSet<JobName>,
}
