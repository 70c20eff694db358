//! The cloud on this computer: a store of jobs, and a supervisor for each that keeps SageMaker's container contract.
//!
//! A job is a folder ([`home`]). `jobs` creates it and starts a [`supervisor`]; that one stages the input, starts a
//! [`guard`] which runs the script, reads its output into the [`log`], and stores the artifacts. Whoever reads a job's
//! [`state`] finds out whether the supervisor still lives, by its lock.

mod differences;
mod identity;
mod jobs;
mod listing;
mod logs;
mod metrics;
mod objects;

use std::path::PathBuf;
use std::time::Duration;

use super::{Cloud, Fallbacks, PollIntervals};
use crate::local::store::layout::Home;

pub(crate) use identity::REGION;

/// Looking at a file costs nothing.
const PACE: PollIntervals = PollIntervals {
    first: Duration::from_millis(200),
    most: Duration::from_millis(200),
    log: Duration::from_millis(100),
};

/// The services of this computer. `executable` is smtrain itself, which looks after the jobs.
pub(crate) fn cloud(home: &Home, cache: PathBuf, executable: PathBuf) -> Cloud {
    Cloud {
        region: REGION.to_owned(),
        is_local: true,
        pace: PACE,
        own_folders: vec![home.root().to_owned(), cache],
        fallbacks: Fallbacks::default(),
        jobs: Box::new(jobs::LocalJobs::new(home.clone(), executable)),
        objects: Box::new(objects::LocalObjects::new(home.clone())),
        logs: Box::new(logs::LocalLogs::new(home.clone())),
        metrics: Box::new(metrics::LocalMetrics::new(home.clone())),
        identity: Box::new(identity::LocalIdentity),
    }
}
