//! Arguments that name jobs, the same for every command.

use clap::Args;
use clap_complete::engine::{ArgValueCompleter, ValueCompleter};

use crate::cloud::{AwsTarget, Cloud};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::S3Uri;
use crate::ops::download::DownloadSource;
use crate::ops::find_job::{FoundJob, JobRef, JobSearch, Purpose, empty_name};
use crate::ops::submitted::{SubmissionRecord, SubmittedJob};

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
    /// The job's name, a unique beginning of it, or `-` for your newest
    #[arg(value_name = "JOB", required_unless_present = "last")]
    job: Option<String>,
    /// Your newest job
    #[arg(long, conflicts_with = "job")]
    last: bool,
}

impl JobArg {
    pub(crate) async fn find(self, context: &Context) -> Result<FoundJob<'_>> {
        self.find_in(search(context)?).await
    }

    /// Finds a job whose log is to be read.
    pub(crate) async fn find_for_log(self, context: &Context) -> Result<FoundJob<'_>> {
        self.find_in(JobSearch { purpose: Purpose::Log, ..search(context)? }).await
    }

    async fn find_in<'a>(
        self,
        search: JobSearch<'a, impl AsyncFn(Option<&str>) -> Result<&'a Cloud>>,
    ) -> Result<FoundJob<'a>> {
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
    /// The job's name, a unique beginning of it, `-` for your newest; or an s3:// URI of an archive, a file or a prefix
    #[arg(value_name = "JOB", required_unless_present = "last")]
    job: Option<String>,
    /// Your newest job
    #[arg(long, conflicts_with = "job")]
    last: bool,
}

impl SourceArg {
    /// Returns the S3 URI that is named, if it is one.
    pub(crate) fn uri(&self) -> Option<S3Uri> {
        S3Uri::parse(self.job.as_deref()?).ok()
    }

    /// Finds the source and its cloud. An S3 URI means S3, and with `--local` the objects of this computer.
    pub(crate) async fn find(self, context: &Context) -> Result<(&Cloud, DownloadSource)> {
        let Self { job, last } = self;
        let Some(text) = job.as_deref().filter(|text| text.starts_with("s3://")) else {
            let FoundJob { cloud, name, .. } = JobArg { job, last }.find(context).await?;
            return Ok((cloud, DownloadSource::Job(name)));
        };
        let uri = S3Uri::parse(text).map_err(|error| Error::usage(format!("{text}: {error}")))?;
        let cloud = if context.local {
            context.warn_of_local_state();
            context.local_cloud()
        } else {
            context.aws(None).await?
        };
        Ok((cloud, DownloadSource::Uri(uri)))
    }
}

/// One or more jobs.
#[derive(Debug, Args)]
pub(crate) struct JobsArg {
    /// Names of jobs, unique beginnings of them, or `-` for your newest
    #[arg(value_name = "JOB", required_unless_present = "last")]
    jobs: Vec<String>,
    /// Your newest job
    #[arg(long, conflicts_with = "jobs")]
    last: bool,
}

impl JobsArg {
    pub(crate) async fn find(self, context: &Context) -> Result<Vec<FoundJob<'_>>> {
        self.find_in(search(context)?).await
    }

    /// Finds jobs that are to be stopped, each once, and what was given where one is not found. Names those that the
    /// user did not name in full.
    pub(crate) async fn find_to_stop(self, context: &Context) -> Result<Vec<JobToStop<'_>>> {
        // A wrong command line changes nothing.
        if self.jobs.iter().any(String::is_empty) {
            return Err(empty_name());
        }
        let given = if self.last { vec!["-".to_owned()] } else { self.jobs };
        let refs: Vec<JobRef> = given.iter().cloned().map(JobRef::parse).collect();
        let found = JobSearch { purpose: Purpose::Stop, ..search(context)? }.find_each(&refs).await;
        let mut jobs: Vec<JobToStop<'_>> = Vec::new();
        for (given, found) in given.into_iter().zip(found) {
            let is_known = |known: &JobToStop<'_>| match (&known.found, &found) {
                (Ok(known), Ok(found)) => known.name == found.name,
                (Err(_), Err(_)) => known.given == given,
                _ => false,
            };
            if !jobs.iter().any(is_known) {
                jobs.push(JobToStop { given, found });
            }
        }
        for job in &jobs {
            job.say_name(context);
        }
        Ok(jobs)
    }

    async fn find_in<'a>(
        self,
        search: JobSearch<'a, impl AsyncFn(Option<&str>) -> Result<&'a Cloud>>,
    ) -> Result<Vec<FoundJob<'a>>> {
        let Self { jobs, last } = self;
        let jobs = if last { vec![JobRef::Newest] } else { jobs.into_iter().map(JobRef::parse).collect() };
        search.find_all(&jobs).await
    }
}

/// A job that is to be stopped.
pub(crate) struct JobToStop<'a> {
    /// The argument that names it.
    pub(crate) given: String,
    pub(crate) found: Result<FoundJob<'a>>,
}

impl JobToStop<'_> {
    /// Says which job is meant, if the user did not name it in full.
    fn say_name(&self, context: &Context) {
        let Ok(FoundJob { cloud, name, .. }) = &self.found else { return };
        if self.given != name.as_str() {
            let place = if cloud.is_local() { "on this computer".to_owned() } else { format!("in {}", cloud.region) };
            context.ui.note(format_args!("the job is {name}, {place}"));
        }
    }
}

/// Searches this computer and AWS, unless a flag selects one.
#[expect(clippy::elidable_lifetime_names, reason = "a closure's type needs the name")]
fn search<'a>(context: &'a Context) -> Result<JobSearch<'a, impl AsyncFn(Option<&str>) -> Result<&'a Cloud>>> {
    let local = (!context.is_for_aws()).then(|| context.local_cloud());
    if local.is_some() {
        context.warn_of_local_state();
    }
    let aws = (!context.local).then_some(async |region: Option<&str>| context.aws(region).await);
    Ok(JobSearch { local, aws, submitted: submitted(context)?, purpose: Purpose::Any })
}

/// Returns the jobs that were submitted from here to what the flags select.
fn submitted(context: &Context) -> Result<Vec<SubmittedJob>> {
    if context.local {
        return Ok(Vec::new());
    }
    let AwsTarget { region, profile, .. } = &context.target;
    let mut jobs = SubmissionRecord::new(&context.settings.state).jobs()?;
    jobs.retain(|job| region.as_ref().is_none_or(|region| *region == job.region));
    jobs.retain(|job| profile.is_none() || *profile == job.profile);
    Ok(jobs)
}
