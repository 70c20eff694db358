//! How a job is named on the command line, the same for every command.

use clap::Args;
use clap_complete::ArgValueCompleter;

use crate::cloud::Cloud;
use crate::context::Context;
use crate::error::Result;
use crate::ops::find_job::{Found, JobRef, Places};

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
    pub(crate) async fn find(self, context: &Context) -> Result<Found<'_>> {
        let Self { job, last } = self;
        let job = match job {
            Some(job) if !last => JobRef::parse(job),
            _ => JobRef::Newest,
        };
        places(context).find(&job).await
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
    pub(crate) async fn find(self, context: &Context) -> Result<Vec<Found<'_>>> {
        let Self { jobs, last } = self;
        let jobs = if last { vec![JobRef::Newest] } else { jobs.into_iter().map(JobRef::parse).collect() };
        places(context).find_all(&jobs).await
    }
}

/// Both places, unless a flag names one.
#[expect(clippy::elidable_lifetime_names, reason = "a closure's type needs the name")]
fn places<'a>(context: &'a Context) -> Places<'a, impl AsyncFn() -> Result<&'a Cloud>> {
    Places {
        local: (!context.is_for_aws()).then(|| context.local_cloud()),
        aws: (!context.local).then_some(async || context.aws(None).await),
    }
}
