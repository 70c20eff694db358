//! The jobs that have been shown, and how many are left to show.

use std::collections::HashSet;

use crate::model::JobName;

/// The name of the list.
pub(super) const JOBS: &str = "the jobs";

/// What takes the jobs, as many as are wanted.
pub(super) struct Shown<F> {
    pub(super) show: F,
    pub(super) left: usize,
    /// The jobs that were shown last. Where one page ends and the next begins, a job can be on both.
    pub(super) last: HashSet<JobName>,
}
