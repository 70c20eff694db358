//! Implements the cloud's traits on this computer, over the jobs and objects in smtrain's state folder. How a job runs
//! is in [`crate::local`].

mod differences;
mod identity;
mod jobs;
mod listing;
mod logs;
mod metrics;
mod objects;
mod versions;

use std::path::PathBuf;
use std::time::Duration;

use super::{Capabilities, Cloud, Fallbacks, PollIntervals, Region};
use crate::local::FindProgram;
use crate::local::store::layout::Home;

/// Short and without backoff: a poll reads a file.
const POLL_INTERVALS: PollIntervals = PollIntervals {
    job_initial: Duration::from_millis(200),
    job_max: Duration::from_millis(200),
    log: Duration::from_millis(100),
};

const CAPABILITIES: Capabilities = Capabilities {
    runs_images: false,
    reads_s3: false,
    default_role: Some("local"),
    default_bucket_is_configurable: false,
    nodes_per_job: Some(1),
    always_stores_model: false,
    has_rate_quotas: false,
    has_network_latency: false,
    logs_arrive_late: false,
    filters_job_events: false,
};

/// Returns the services of this computer. `executable` is the path of the smtrain binary, which runs as supervisor and
/// guard of each job; `find_program` finds a program in `PATH`.
pub(crate) fn cloud(home: &Home, cache: PathBuf, executable: PathBuf, find_program: FindProgram) -> Cloud {
    Cloud {
        region: Region::Local,
        capabilities: CAPABILITIES,
        poll_intervals: POLL_INTERVALS,
        own_folders: vec![home.root().to_owned(), cache],
        fallbacks: Fallbacks::default(),
        jobs: Box::new(jobs::LocalJobs::new(home.clone(), executable, find_program)),
        objects: Box::new(objects::LocalObjects::new(home.clone())),
        logs: Box::new(logs::LocalLogs::new(home.clone())),
        metrics: Box::new(metrics::LocalMetrics::new(home.clone())),
        identity: Box::new(identity::LocalIdentity),
    }
}
