//! Following a job's log until the job has ended and every line of it has been shown.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::read_log::{self, Span};
use crate::cloud::{Cloud, LogEvent, LogStream};
use crate::error::{Error, Kind, Result};
use crate::model::JobName;
use crate::model::training_job::{DescribeTrainingJobResponse, SecondaryStatusTransition};

/// CloudWatch gets its lines in batches: after a job's end they are waited for until this many looks found none.
const QUIET_ROUNDS: u32 = 2;

/// What a follower tells.
pub(crate) trait Watcher {
    fn line(&mut self, stream: &LogStream, event: &LogEvent) -> Result<()>;
    /// A round of lines is over: what was held back for speed is to be shown.
    fn flush(&mut self) -> Result<()>;
    /// The job has entered a phase.
    fn phase(&mut self, phase: &str, message: &str) -> Result<()>;
}

/// Where to start in each stream; those that aren't named are read from their first line.
pub(crate) type Positions = HashMap<String, Option<String>>;

/// Follows until the end; returns how the job ended.
pub(crate) async fn follow(
    cloud: &Cloud,
    job: &JobName,
    mut positions: Positions,
    span: Span,
    interrupt: &CancellationToken,
    watcher: &mut impl Watcher,
) -> Result<DescribeTrainingJobResponse> {
    let mut phases = Phases::default();
    let mut quiet = 0;
    loop {
        let round = round(cloud, job, &mut positions, span, &mut phases, watcher);
        let (state, lines) = tokio::select! {
            round = round => round?,
            () = interrupt.cancelled() => return Err(detached(job)),
        };
        quiet = if lines == 0 && state.training_job_status.is_final() { quiet + 1 } else { 0 };
        // On this computer every line is there before the job is said to have ended.
        if state.training_job_status.is_final() && (cloud.is_local || quiet == QUIET_ROUNDS) {
            return Ok(state);
        }
        tokio::select! {
            () = sleep(cloud.pace.log) => {}
            () = interrupt.cancelled() => return Err(detached(job)),
        }
    }
}

/// Shows what there is; returns the state that the job was in before, and how many lines came.
async fn round(
    cloud: &Cloud,
    job: &JobName,
    positions: &mut Positions,
    span: Span,
    phases: &mut Phases,
    watcher: &mut impl Watcher,
) -> Result<(DescribeTrainingJobResponse, usize)> {
    let state = cloud.jobs.describe(job).await?;
    phases.update(&state);
    let mut lines = 0;
    for stream in cloud.logs.streams(job).await? {
        let position = positions.remove(&stream.name).flatten();
        let line = &mut |stream: &LogStream, event: &LogEvent| {
            phases.tell_until(event.timestamp, watcher)?;
            lines += 1;
            watcher.line(stream, event)
        };
        let next = read_log::forwards(cloud, &stream, span, position, line).await?;
        positions.insert(stream.name, next);
    }
    phases.tell_until(Timestamp::MAX, watcher)?;
    watcher.flush()?;
    Ok((state, lines))
}

/// The job's phases, told between the lines where they belong by their times.
#[derive(Default)]
struct Phases {
    known: usize,
    untold: VecDeque<SecondaryStatusTransition>,
}

impl Phases {
    fn update(&mut self, state: &DescribeTrainingJobResponse) {
        let all = state.secondary_status_transitions.as_deref().unwrap_or_default();
        self.untold.extend(all.iter().skip(self.known).cloned());
        self.known = all.len();
    }

    fn tell_until(&mut self, time: Timestamp, watcher: &mut impl Watcher) -> Result<()> {
        while self.untold.front().is_some_and(|phase| phase.start_time <= time) {
            let Some(phase) = self.untold.pop_front() else { break };
            watcher.phase(&phase.status, phase.status_message.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }
}

fn detached(job: &JobName) -> Error {
    Error::new(Kind::Interrupted, format!("detached; job {job} goes on"))
        .hint(format!("follow it again: smtrain logs -f {job}"))
        .hint(format!("stop it: smtrain stop {job}"))
}
