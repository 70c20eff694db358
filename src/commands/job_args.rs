//! Arguments that name jobs, the same for every command.

use clap::Args;
use clap_complete::engine::{ArgValueCompleter, ValueCompleter};

use crate::cloud::{Cloud, CloudError};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::S3Uri;
use crate::ops::download::DownloadSource;
use crate::ops::find_job::{FoundJob, JobRef, JobSearch, Purpose};

/// IDs of the arguments below that name jobs.
const JOB_ARGS: [&str; 2] = ["job", "jobs"];

/// Adds a completer to every argument that names jobs.
pub(crate) fn complete_jobs(command: clap::Command, completer: impl ValueCompleter + Clone + 'static) -> clap::Command {
    command.mut_subcommands(|command| {
        command.mut_args(|arg| {
            let names_jobs = JOB_ARGS.contains(&arg.get_id().as_str());
            if names_jobs { arg.add(ArgValueCompleter::new(completer.clone())) } else { arg }
        })
    })
}

/// One job.
#[derive(Debug, Args)]
pub(crate) struct JobArg {
    /// The job's name, a unique beginning of it, or `-` for the newest
    #[arg(value_name = "JOB", required_unless_present = "last")]
    job: Option<String>,
    /// The newest job
    #[arg(long, conflicts_with = "job")]
    last: bool,
}

impl JobArg {
    pub(crate) async fn find(self, context: &Context) -> Result<FoundJob<'_>> {
        self.find_in(search(context)).await
    }

    /// Finds a job whose log is to be read.
    pub(crate) async fn find_for_log(self, context: &Context) -> Result<FoundJob<'_>> {
        self.find_in(JobSearch { purpose: Purpose::Log, ..search(context) }).await
    }

    async fn find_in<'a>(self, search: JobSearch<'a, impl AsyncFn() -> Result<&'a Cloud>>) -> Result<FoundJob<'a>> {
        let Self { job, last } = self;
        let job = match job {
            Some(job) if !last => JobRef::parse(job),
            _ => JobRef::Newest,
        };
        search.find(&job).await
    }
}

/// One job, or something in S3.
#[derive(Debug, Args)]
pub(crate) struct SourceArg {
    /// The job's name, a unique beginning of it, `-` for the newest; or an s3:// URI of an archive, a file or a prefix
    #[arg(value_name = "JOB", required_unless_present = "last")]
    job: Option<String>,
    /// The newest job
    #[arg(long, conflicts_with = "job")]
    last: bool,
}

impl SourceArg {
    /// Finds the source and its cloud. An S3 URI is looked up in the local store first, unless a flag selects AWS.
    pub(crate) async fn find(self, context: &Context) -> Result<(&Cloud, DownloadSource)> {
        let Self { job, last } = self;
        let Some(text) = job.as_deref().filter(|text| text.starts_with("s3://")) else {
            let FoundJob { cloud, name, .. } = JobArg { job, last }.find(context).await?;
            return Ok((cloud, DownloadSource::Job(name)));
        };
        let uri = S3Uri::parse(text).map_err(|error| Error::usage(format!("{text}: {error}")))?;
        let local = context.local_cloud();
        context.warn_of_local_state();
        // Not every key of S3 can be one in the local store.
        let is_stored_locally = async || match local.objects.list(&uri).await {
            Err(error @ CloudError::Io { .. }) => Err(error),
            found => Ok(found.is_ok_and(|found| !found.is_empty())),
        };
        let is_local = context.local || (!context.is_for_aws() && is_stored_locally().await?);
        let cloud = if is_local { local } else { context.aws(None).await? };
        Ok((cloud, DownloadSource::Uri(uri)))
    }
}

/// One or more jobs.
#[derive(Debug, Args)]
pub(crate) struct JobsArg {
    /// Names of jobs, unique beginnings of them, or `-` for the newest
    #[arg(value_name = "JOB", required_unless_present = "last")]
    jobs: Vec<String>,
    /// The newest job
    #[arg(long, conflicts_with = "jobs")]
    last: bool,
}

impl JobsArg {
    pub(crate) async fn find(self, context: &Context) -> Result<Vec<FoundJob<'_>>> {
        self.find_in(search(context)).await
    }

    /// Finds jobs that are to be stopped.
    pub(crate) async fn find_to_stop(self, context: &Context) -> Result<Vec<FoundJob<'_>>> {
        self.find_in(JobSearch { purpose: Purpose::Stop, ..search(context) }).await
    }

    async fn find_in<'a>(
        self,
        search: JobSearch<'a, impl AsyncFn() -> Result<&'a Cloud>>,
    ) -> Result<Vec<FoundJob<'a>>> {
        let Self { jobs, last } = self;
        let jobs = if last { vec![JobRef::Newest] } else { jobs.into_iter().map(JobRef::parse).collect() };
        search.find_all(&jobs).await
    }
}

/// Searches this computer and AWS, unless a flag selects one.
#[expect(clippy::elidable_lifetime_names, reason = "a closure's type needs the name")]
fn search<'a>(context: &'a Context) -> JobSearch<'a, impl AsyncFn() -> Result<&'a Cloud>> {
    let local = (!context.is_for_aws()).then(|| context.local_cloud());
    if local.is_some() {
        context.warn_of_local_state();
    }
    JobSearch { local, aws: (!context.local).then_some(async || context.aws(None).await), purpose: Purpose::Any }
}
