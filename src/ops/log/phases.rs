//! Places a job's phases between the log lines, by their start times.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::watcher::Watcher;
use crate::error::Result;
use crate::model::training_job::{DescribeTrainingJobResponse, SecondaryStatusTransition};

/// Phases of a job that have not been emitted yet.
#[derive(Debug, Default)]
pub(super) struct Phases {
    /// Number of transitions taken from the job's description so far.
    seen: usize,
    pending: VecDeque<SecondaryStatusTransition>,
}

impl Phases {
    /// Adds the phases that are new in a job's description.
    pub(super) fn update(&mut self, state: &DescribeTrainingJobResponse) {
        let all = state.secondary_status_transitions.as_deref().unwrap_or_default();
        self.pending.extend(all.iter().skip(self.seen).cloned());
        self.seen = all.len();
    }

    /// Emits the phases that began at `time` or before.
    pub(super) fn emit_until(&mut self, time: Timestamp, watcher: &mut impl Watcher) -> Result<()> {
        while self.pending.front().is_some_and(|phase| phase.start_time <= time) {
            let Some(phase) = self.pending.pop_front() else { break };
            watcher.phase(&phase.status, phase.status_message.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }

    /// Emits all phases.
    pub(super) fn emit_all(&mut self, watcher: &mut impl Watcher) -> Result<()> {
        self.emit_until(Timestamp::MAX, watcher)
    }
}
