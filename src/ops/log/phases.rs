//! The job's phases, told between the lines where they belong by their times.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::watcher::Watcher;
use crate::error::Result;
use crate::model::training_job::{DescribeTrainingJobResponse, SecondaryStatusTransition};

#[derive(Debug, Default)]
pub(super) struct Phases {
    known: usize,
    untold: VecDeque<SecondaryStatusTransition>,
}

impl Phases {
    pub(super) fn update(&mut self, state: &DescribeTrainingJobResponse) {
        let all = state.secondary_status_transitions.as_deref().unwrap_or_default();
        self.untold.extend(all.iter().skip(self.known).cloned());
        self.known = all.len();
    }

    pub(super) fn tell_until(&mut self, time: Timestamp, watcher: &mut impl Watcher) -> Result<()> {
        while self.untold.front().is_some_and(|phase| phase.start_time <= time) {
            let Some(phase) = self.untold.pop_front() else { break };
            watcher.phase(&phase.status, phase.status_message.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }

    pub(super) fn tell_all(&mut self, watcher: &mut impl Watcher) -> Result<()> {
        self.tell_until(Timestamp::MAX, watcher)
    }
}
