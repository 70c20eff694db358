//! Finds jobs by what a user calls them: a name, a unique prefix, or `-` for the newest that this user submitted from
//! here. Searches this computer, then AWS.

use std::time::Duration;

use tokio::time::timeout;

use crate::cloud::{Cloud, CloudError, JobsQuery, ListedJob};
use crate::error::{Error, ErrorKind, Result};
use crate::model::JobName;
use crate::ops::log::{Preflight, preflight};
use crate::ops::provenance::newest_job_of_caller;
use crate::ops::submitted::SubmittedJob;

/// Maximum number of names in an error.
const MAX_NAMES_SHOWN: usize = 5;
/// Minimum similarity of a suggested name: Jaro-Winkler, from 0 to 1.
const MIN_SIMILARITY: f64 = 0.8;
/// Maximum number of jobs that are looked up one by one; more are looked up in few calls.
const MAX_SINGLE_LOOKUPS: usize = 3;

/// Time limit of the search for the caller's newest job. Without an answer, no job is named, and none may be.
const CALLER_SEARCH_LIMIT: Duration = Duration::from_secs(15);

/// A job as a user names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JobRef {
    /// The newest that this user submitted from this computer, or, where there is none, from any.
    Newest,
    /// A name, or a prefix of exactly one.
    Named(String),
}

impl JobRef {
    /// Parses an argument.
    pub(crate) fn parse(text: String) -> Self {
        if text == "-" { Self::Newest } else { Self::Named(text) }
    }
}

/// A job with the cloud that it was found in.
#[derive(Clone)]
pub(crate) struct FoundJob<'a> {
    pub(crate) cloud: &'a Cloud,
    pub(crate) name: JobName,
    /// Description and log streams, if it was looked up by name for its log.
    pub(crate) preflight: Option<Box<Preflight>>,
}

impl<'a> FoundJob<'a> {
    pub(crate) fn new(cloud: &'a Cloud, name: JobName) -> Self {
        Self { cloud, name, preflight: None }
    }
}

/// The clouds to search. AWS is asked only for jobs that this computer does not know, or whose prefix is ambiguous.
pub(crate) struct JobSearch<'a, Aws> {
    /// `None` if only AWS is to be searched.
    pub(crate) local: Option<&'a Cloud>,
    /// Connects to AWS, in a region unless a flag sets another; `None` if only this computer is to be searched.
    pub(crate) aws: Option<Aws>,
    /// Jobs of this user's on AWS, in the order in which they were submitted from here.
    pub(crate) submitted: Vec<SubmittedJob>,
    /// Purpose of the search.
    pub(crate) purpose: Purpose,
}

/// Purpose of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Any,
    /// Reading the log: on AWS, the job and its log streams are looked up at the same time.
    Log,
    /// Stopping: a job is found even if its state cannot be read.
    Stop,
}

impl<'a, Aws: AsyncFn(Option<&str>) -> Result<&'a Cloud>> JobSearch<'a, Aws> {
    /// Finds several jobs, each once.
    pub(crate) async fn find_all(&self, jobs: &[JobRef]) -> Result<Vec<FoundJob<'a>>> {
        let mut found: Vec<FoundJob<'a>> = Vec::new();
        let on_aws = self.find_many_on_aws(jobs).await?;
        for job in jobs {
            let job = self.find_among(&on_aws, job).await?;
            if !found.iter().any(|known| known.name == job.name) {
                found.push(job);
            }
        }
        Ok(found)
    }

    /// Finds each of several jobs, whatever becomes of the others. The result is in their order.
    pub(crate) async fn find_each(&self, jobs: &[JobRef]) -> Vec<Result<FoundJob<'a>>> {
        // Where they can't be looked up together, each fails for its own reason.
        let on_aws = self.find_many_on_aws(jobs).await.unwrap_or_default();
        let mut found = Vec::new();
        for job in jobs {
            found.push(self.find_among(&on_aws, job).await);
        }
        found
    }

    /// Finds one job: among those that were found together, or by itself.
    async fn find_among(&self, known: &[FoundJob<'a>], job: &JobRef) -> Result<FoundJob<'a>> {
        match known.iter().find(|known| matches!(job, JobRef::Named(text) if known.name.as_str() == text)) {
            Some(known) => Ok(known.clone()),
            None => self.find(job).await,
        }
    }

    /// Finds the jobs that AWS has under exactly these names, in few calls, if they are many. Skips those on this
    /// computer.
    async fn find_many_on_aws(&self, jobs: &[JobRef]) -> Result<Vec<FoundJob<'a>>> {
        if jobs.len() <= MAX_SINGLE_LOOKUPS {
            return Ok(Vec::new());
        }
        let names = jobs.iter().filter_map(|job| match job {
            JobRef::Named(text) => JobName::new(text).ok(),
            JobRef::Newest => None,
        });
        let mut absent = Vec::new();
        for name in names {
            if self.local.is_none() || find_exact(self.local, name.as_str(), self.purpose).await?.is_none() {
                absent.push(name);
            }
        }
        let Some(cloud) = (if absent.is_empty() { None } else { self.aws(None).await? }) else { return Ok(Vec::new()) };
        match cloud.jobs.statuses(&absent).await.map_err(Error::from) {
            Ok(known) => Ok(known.into_keys().map(|name| FoundJob::new(cloud, name)).collect()),
            Err(error) if self.local.is_some() && is_unconfigured(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Finds one job.
    pub(crate) async fn find(&self, job: &JobRef) -> Result<FoundJob<'a>> {
        match job {
            JobRef::Newest => self.newest().await,
            JobRef::Named(text) => self.named(text).await,
        }
    }

    /// Connects to AWS if it is to be searched. Without region or credentials, returns `None` if this computer is
    /// searched too.
    async fn aws(&self, region: Option<&str>) -> Result<Option<&'a Cloud>> {
        let Some(connect) = &self.aws else { return Ok(None) };
        match connect(region).await {
            Err(error) if self.local.is_some() && is_unconfigured(&error) => Ok(None),
            cloud => cloud.map(Some),
        }
    }

    /// Finds the newest job that was submitted from here. AWS is asked only for that job: the newest of the account may
    /// be somebody else's. Where none was submitted from here, finds the newest that bears the caller's tag.
    async fn newest(&self) -> Result<FoundJob<'a>> {
        let local = match self.local {
            Some(cloud) => newest_in(cloud).await?,
            None => None,
        };
        let on_aws =
            self.submitted.last().filter(|job| local.as_ref().is_none_or(|(local, _)| local.created <= job.time));
        match (on_aws, local) {
            (Some(job), _) => self.submitted_job(job).await,
            (None, Some((job, cloud))) => Ok(FoundJob::new(cloud, job.name)),
            (None, None) => self.newest_from_elsewhere().await,
        }
    }

    /// Finds the newest job that the caller submitted from another computer. Where AWS can't be asked, there is none.
    async fn newest_from_elsewhere(&self) -> Result<FoundJob<'a>> {
        let Some(cloud) = self.aws(None).await? else { return Err(self.no_newest()) };
        let Ok(answer) = timeout(CALLER_SEARCH_LIMIT, newest_job_of_caller(cloud)).await else {
            let why = format!("AWS did not answer within {} s", CALLER_SEARCH_LIMIT.as_secs());
            return Err(self.no_newest().caused_by(why));
        };
        match answer.map_err(Error::from) {
            Ok(Some(name)) => {
                let found = find_exact(Some(cloud), name.as_str(), self.purpose).await?;
                found.ok_or_else(|| self.no_newest())
            }
            Ok(None) => Err(self.no_newest()),
            Err(error) if error.is_about_asking() => Err(self.no_newest().caused_by(error)),
            Err(error) => Err(error),
        }
    }

    /// Looks up a job that was submitted from here, in its region.
    async fn submitted_job(&self, job: &SubmittedJob) -> Result<FoundJob<'a>> {
        let Some(connect) = &self.aws else { return Err(self.no_newest()) };
        let cloud = connect(Some(&job.region)).await?;
        match find_exact(Some(cloud), job.name.as_str(), self.purpose).await? {
            Some(found) => Ok(found),
            None => Err(gone(job, cloud)),
        }
    }

    fn no_newest(&self) -> Error {
        let error = Error::failure("no job was submitted from this computer");
        if self.aws.is_some() {
            error.hint("name a job: smtrain history lists them")
        } else {
            error.hint("start one: smtrain submit --local job.toml")
        }
    }

    /// Returns the only job that is known here whose name has a prefix. `None` if there are none or several.
    async fn known_by_prefix(&self, text: &str) -> Result<Option<KnownJob<'a>>> {
        let mut known = Vec::new();
        if let Some(cloud) = self.local {
            let names = cloud.jobs.names(text).await?.into_iter().filter(|name| name.as_str().starts_with(text));
            known.extend(names.map(|name| KnownJob::Local(FoundJob::new(cloud, name))));
        }
        if self.aws.is_some() {
            let submitted = self.submitted.iter().filter(|job| job.name.as_str().starts_with(text));
            known.extend(submitted.cloned().map(KnownJob::Submitted));
        }
        Ok(known.pop().filter(|_| known.is_empty()))
    }

    /// Finds a job by name, else by prefix.
    async fn named(&self, text: &str) -> Result<FoundJob<'a>> {
        // The empty text is a prefix of every name: an unset variable in a script must not select the only job.
        if text.is_empty() {
            return Err(empty_name());
        }
        if let Some(found) = find_exact(self.local, text, self.purpose).await? {
            return Ok(found);
        }
        match self.known_by_prefix(text).await? {
            Some(KnownJob::Local(found)) => return Ok(found),
            Some(KnownJob::Submitted(job)) => return self.submitted_job(&job).await,
            None => {}
        }
        let aws = match self.aws(None).await? {
            Some(cloud) => match find_exact(Some(cloud), text, self.purpose).await {
                Ok(Some(found)) => return Ok(found),
                Err(error) if is_unconfigured(&error) => return self.find_local_by_prefix(text, error).await,
                absent => absent.map(|_| Some(cloud))?,
            },
            None => None,
        };
        let clouds: Vec<&'a Cloud> = self.local.into_iter().chain(aws).collect();
        find_by_prefix(&clouds, text).await
    }

    /// Finds a local job by prefix after AWS could not be asked, or returns that error.
    async fn find_local_by_prefix(&self, text: &str, error: Error) -> Result<FoundJob<'a>> {
        let Some(local) = self.local else { return Err(error) };
        let is_here = local.jobs.names(text).await?.iter().any(|name| name.as_str().starts_with(text));
        if is_here {
            find_by_prefix(&[local], text).await
        } else {
            Err(error.hint("no job on this computer has that name"))
        }
    }
}

/// A job that is known without a call to AWS.
enum KnownJob<'a> {
    Local(FoundJob<'a>),
    Submitted(SubmittedJob),
}

/// Returns the error that an argument is empty.
pub(crate) fn empty_name() -> Error {
    Error::usage("a job's name can't be empty").hint("`-` is the newest job that was submitted from here")
}

/// Returns the error that a job that was submitted from here is not found.
fn gone(job: &SubmittedJob, cloud: &Cloud) -> Error {
    let SubmittedJob { name, region, account, profile, .. } = job;
    let error = Error::failure(format!("the job {name}, which was submitted from here, is not in {}", cloud.region));
    let account = account.as_ref().map(|account| format!(" of the account {account}")).unwrap_or_default();
    let error = match profile {
        Some(profile) => error.hint(format!("it was submitted to {region}{account} with --profile {profile}")),
        None => error.hint(format!("it was submitted to {region}{account}: use that account's credentials")),
    };
    error.hint("or name another job: smtrain history lists them")
}

/// Returns true if region or credentials are missing.
fn is_unconfigured(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unconfigured)
}

/// Returns the newest job of a cloud.
async fn newest_in(cloud: &Cloud) -> Result<Option<(ListedJob, &Cloud)>> {
    let query = JobsQuery { limit: Some(1), ..JobsQuery::default() };
    let page = cloud.jobs.list(&query, None).await?;
    Ok(page.items.into_iter().next().map(|job| (job, cloud)))
}

/// Looks a job up by its exact name.
async fn find_exact<'a>(cloud: Option<&'a Cloud>, text: &str, purpose: Purpose) -> Result<Option<FoundJob<'a>>> {
    let (Some(cloud), Ok(name)) = (cloud, JobName::new(text)) else { return Ok(None) };
    let seen = if purpose == Purpose::Log && cloud.capabilities.has_network_latency {
        preflight(cloud, &name).await.map(Some)
    } else {
        cloud.jobs.describe(&name).await.map(|_| None)
    };
    match seen {
        Ok(preflight) => Ok(Some(FoundJob { cloud, name, preflight })),
        Err(CloudError::NotFound(_)) => Ok(None),
        Err(CloudError::Damaged { .. }) if purpose == Purpose::Stop => Ok(Some(FoundJob::new(cloud, name))),
        Err(error) => Err(error.into()),
    }
}

/// Finds the only job whose name has a prefix. Fails if there are none or several. If the text is the whole base of a
/// name, as the spec has it, longer bases that begin with it don't count.
async fn find_by_prefix<'a>(clouds: &[&'a Cloud], text: &str) -> Result<FoundJob<'a>> {
    let mut beginning = Vec::new();
    for cloud in clouds {
        let names = cloud.jobs.names(text).await?.into_iter().filter(|name| name.as_str().starts_with(text));
        beginning.extend(names.map(|name| FoundJob::new(cloud, name)));
    }
    if beginning.iter().any(|found| found.name.base() == text) {
        beginning.retain(|found| found.name.base() == text);
    }
    match (beginning.pop(), beginning.len()) {
        (Some(found), 0) => Ok(found),
        (Some(found), _) => Err(ambiguous(text, found.name, beginning)),
        (None, _) => Err(unknown(clouds, text).await?),
    }
}

/// Returns the error that a prefix fits several jobs.
fn ambiguous(text: &str, one: JobName, others: Vec<FoundJob<'_>>) -> Error {
    let mut names: Vec<JobName> = others.into_iter().map(|found| found.name).chain([one]).collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    Error::failure(format!("{text} is a prefix of {} jobs' names", names.len()))
        .hint(format!("name one: {}", list(&names)))
}

/// Returns the error that no job has a name, with similar names.
async fn unknown(clouds: &[&Cloud], text: &str) -> Result<Error> {
    let mut alike: Vec<(f64, JobName)> = Vec::new();
    for cloud in clouds {
        let names = cloud.jobs.names("").await?;
        alike.extend(names.into_iter().map(|name| (strsim::jaro_winkler(text, name.as_str()), name)));
    }
    alike.retain(|(likeness, _)| *likeness >= MIN_SIMILARITY);
    alike.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let alike: Vec<JobName> = alike.into_iter().map(|(_, name)| name).collect();
    let places: Vec<String> = clouds.iter().map(|cloud| place(cloud)).collect();
    let error = Error::failure(format!("there is no job {text} {}", places.join(" or ")));
    let is_on_aws = clouds.iter().any(|cloud| !cloud.is_local());
    let error = match (alike.is_empty(), is_on_aws) {
        (false, _) => error.hint(format!("did you mean {}?", list(&alike))),
        (true, true) => error.hint("list the jobs there are: smtrain history"),
        (true, false) => error.hint("list the jobs there are: smtrain history --local"),
    };
    Ok(if is_on_aws {
        error.hint("it may be in another region: --region NAME, or of another --profile")
    } else {
        error
    })
}

fn place(cloud: &Cloud) -> String {
    if cloud.is_local() { "on this computer".to_owned() } else { format!("in {}", cloud.region) }
}

fn list(names: &[JobName]) -> String {
    let shown: Vec<&str> = names.iter().take(MAX_NAMES_SHOWN).map(JobName::as_str).collect();
    let more = names.len().saturating_sub(MAX_NAMES_SHOWN);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}
