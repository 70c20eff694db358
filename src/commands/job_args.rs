//! How a job is named on the command line, the same for every command.

use clap::Args;
use clap_complete::ArgValueCompleter;

use crate::ops::find_job::JobRef;

/// One job.
#[derive(Debug, Args)]
pub(crate) struct JobArg {
    /// The job's name, a unique beginning of it, or `-` for the newest
    #[arg(value_name = "JOB", required_unless_present = "last", add = ArgValueCompleter::new(crate::complete_job))]
    job: Option<String>,
    /// The newest job
    #[arg(long, conflicts_with = "job")]
    last: bool,
}

impl JobArg {
    pub(crate) fn resolve(self) -> JobRef {
        let Self { job, last } = self;
        match job {
            Some(job) if !last => JobRef::parse(job),
            _ => JobRef::Newest,
        }
    }
}

/// One or more jobs.
#[derive(Debug, Args)]
pub(crate) struct JobsArg {
    /// Names of jobs, unique beginnings of them, or `-` for the newest
    #[arg(value_name = "JOB", required_unless_present = "last", add = ArgValueCompleter::new(crate::complete_job))]
    jobs: Vec<String>,
    /// The newest job
    #[arg(long, conflicts_with = "jobs")]
    last: bool,
}

impl JobsArg {
    pub(crate) fn resolve(self) -> Vec<JobRef> {
        let Self { jobs, last } = self;
        if last { vec![JobRef::Newest] } else { jobs.into_iter().map(JobRef::parse).collect() }
    }
}
