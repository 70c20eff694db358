//! Properties of a cloud that operations depend on, as data.

use std::time::Duration;

/// Pauses between polls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PollIntervals {
    /// First pause between two polls of a job's status.
    pub(crate) job_initial: Duration,
    /// Longest pause between two polls of a job's status, after backoff.
    pub(crate) job_max: Duration,
    /// Pause between two polls of a log, without backoff.
    pub(crate) log: Duration,
}

/// Abilities of a cloud that decide what an operation does. Each cloud sets them when it is created.
#[expect(clippy::struct_excessive_bools, reason = "each is independent of the others")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capabilities {
    /// Jobs run in container images. Otherwise a script runs in the user's own Python.
    pub(crate) runs_images: bool,
    /// Jobs read their channels from S3. Otherwise channels in S3 must be downloaded before the job.
    pub(crate) reads_s3: bool,
    /// Role of a job whose spec names none. `None` where a role is required.
    pub(crate) default_role: Option<&'static str>,
    /// The settings may replace the default bucket.
    pub(crate) default_bucket_is_configurable: bool,
    /// Number of nodes of each job, whatever its request says. `None` where the request's count holds.
    pub(crate) nodes_per_job: Option<usize>,
    /// Every completed job has a model artifact, even an empty one.
    pub(crate) always_stores_model: bool,
    /// Calls count against rate quotas: polls are limited, and back off while a log is idle.
    pub(crate) has_rate_quotas: bool,
    /// Calls are network round trips: independent ones are worth making at the same time.
    pub(crate) has_network_latency: bool,
    /// Log lines may arrive out of order, and after the job has ended. Otherwise the log is complete at the job's end.
    pub(crate) logs_arrive_late: bool,
    /// [`job_events`](super::Logs::job_events) is supported.
    pub(crate) filters_job_events: bool,
}
