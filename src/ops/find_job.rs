//! From what a user calls a job to the job: its name, and the place that it runs in.

use crate::cloud::{Cloud, CloudError, JobsQuery, ListedJob};
use crate::error::{Error, ErrorKind, Result};
use crate::model::JobName;
use crate::ops::log::{Preflight, preflight};

/// How many names an error lists.
const NAMES_SHOWN: usize = 5;
/// How alike a name must be to be suggested: Jaro-Winkler, from 0 to 1.
const ALIKE: f64 = 0.8;
/// More jobs than this are looked for all at once.
const FEW: usize = 3;

/// A job as a user names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JobRef {
    Newest,
    /// A name, or the beginning of exactly one.
    Named(String),
}

impl JobRef {
    pub(crate) fn parse(text: String) -> Self {
        if text == "-" { Self::Newest } else { Self::Named(text) }
    }
}

/// A job, and where it is.
#[derive(Clone)]
pub(crate) struct Found<'a> {
    pub(crate) cloud: &'a Cloud,
    pub(crate) name: JobName,
    /// What was seen of it, where it was found by its name for its log.
    pub(crate) preflight: Option<Box<Preflight>>,
}

impl<'a> Found<'a> {
    pub(crate) fn new(cloud: &'a Cloud, name: JobName) -> Self {
        Self { cloud, name, preflight: None }
    }
}

/// Where to look for jobs. AWS is asked only for what this computer doesn't have, or has more than one of.
pub(crate) struct Places<'a, Aws> {
    /// None where only AWS is meant.
    pub(crate) local: Option<&'a Cloud>,
    /// None where only this computer is meant.
    pub(crate) aws: Option<Aws>,
    /// What the jobs are looked for.
    pub(crate) purpose: Purpose,
}

/// What is to be done with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Any,
    /// Its log is wanted, too: on AWS, both are asked for at once.
    Log,
    /// It is to be stopped, even if its state can't be read.
    Stop,
}

impl<'a, Aws: AsyncFn() -> Result<&'a Cloud>> Places<'a, Aws> {
    pub(crate) async fn find_all(&self, jobs: &[JobRef]) -> Result<Vec<Found<'a>>> {
        let mut found: Vec<Found<'a>> = Vec::new();
        let on_aws = if jobs.len() > FEW { self.known_on_aws(jobs).await? } else { Vec::new() };
        for job in jobs {
            let known = on_aws.iter().find(|known| matches!(job, JobRef::Named(text) if known.name.as_str() == text));
            let job = match known {
                Some(known) => known.clone(),
                None => self.find(job).await?,
            };
            if !found.iter().any(|known| known.name == job.name) {
                found.push(job);
            }
        }
        Ok(found)
    }

    /// The jobs that AWS knows by exactly these names, in a few calls.
    async fn known_on_aws(&self, jobs: &[JobRef]) -> Result<Vec<Found<'a>>> {
        let names = jobs.iter().filter_map(|job| match job {
            JobRef::Named(text) => JobName::new(text).ok(),
            JobRef::Newest => None,
        });
        let mut absent = Vec::new();
        for name in names {
            if self.local.is_none() || exactly(self.local, name.as_str(), self.purpose).await?.is_none() {
                absent.push(name);
            }
        }
        let Some(cloud) = (if absent.is_empty() { None } else { self.aws().await? }) else { return Ok(Vec::new()) };
        match cloud.jobs.statuses(&absent).await.map_err(Error::from) {
            Ok(known) => Ok(known.into_keys().map(|name| Found::new(cloud, name)).collect()),
            Err(error) if self.local.is_some() && is_not_set_up(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn find(&self, job: &JobRef) -> Result<Found<'a>> {
        match job {
            JobRef::Newest => self.newest().await,
            JobRef::Named(text) => self.named(text).await,
        }
    }

    /// AWS, where it is meant too. Whoever has not set it up works with this computer alone.
    async fn aws(&self) -> Result<Option<&'a Cloud>> {
        let Some(connect) = &self.aws else { return Ok(None) };
        match connect().await {
            Err(error) if self.local.is_some() && is_not_set_up(&error) => Ok(None),
            cloud => cloud.map(Some),
        }
    }

    async fn newest(&self) -> Result<Found<'a>> {
        let here = match self.local {
            Some(cloud) => newest_in(cloud).await?,
            None => None,
        };
        let there = match self.aws().await? {
            Some(cloud) => match newest_in(cloud).await {
                Err(error) if here.is_some() && is_not_set_up(&error) => None,
                newest => newest?,
            },
            None => None,
        };
        let newest = [here, there].into_iter().flatten().max_by_key(|(job, _)| job.created);
        newest
            .map(|(job, cloud)| Found::new(cloud, job.name))
            .ok_or_else(|| Error::failure("there is no job yet").hint("start one: smtrain submit job.toml"))
    }

    async fn named(&self, text: &str) -> Result<Found<'a>> {
        // It is the beginning of every name: an unset variable of a script must not mean the only job there is.
        if text.is_empty() {
            return Err(Error::usage("a job's name can't be empty").hint("`-` is the newest job"));
        }
        if let Some(found) = exactly(self.local, text, self.purpose).await? {
            return Ok(found);
        }
        let aws = match self.aws().await? {
            Some(cloud) => match exactly(Some(cloud), text, self.purpose).await {
                Ok(Some(found)) => return Ok(found),
                Err(error) if is_not_set_up(&error) => return self.beginning_here(text, error).await,
                absent => absent.map(|_| Some(cloud))?,
            },
            None => None,
        };
        let clouds: Vec<&'a Cloud> = self.local.into_iter().chain(aws).collect();
        beginning(&clouds, text).await
    }

    /// Without an account, a name can still be the beginning of a job's of this computer.
    async fn beginning_here(&self, text: &str, error: Error) -> Result<Found<'a>> {
        let Some(local) = self.local else { return Err(error) };
        let is_here = local.jobs.names(text).await?.iter().any(|name| name.as_str().starts_with(text));
        if is_here { beginning(&[local], text).await } else { Err(error.hint("no job on this computer has that name")) }
    }
}

/// Region or credentials are missing.
fn is_not_set_up(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unconfigured)
}

async fn newest_in(cloud: &Cloud) -> Result<Option<(ListedJob, &Cloud)>> {
    let query = JobsQuery { limit: Some(1), ..JobsQuery::default() };
    let page = cloud.jobs.list(&query, None).await?;
    Ok(page.items.into_iter().next().map(|job| (job, cloud)))
}

async fn exactly<'a>(cloud: Option<&'a Cloud>, text: &str, purpose: Purpose) -> Result<Option<Found<'a>>> {
    let (Some(cloud), Ok(name)) = (cloud, JobName::new(text)) else { return Ok(None) };
    let seen = if purpose == Purpose::Log && cloud.capabilities.has_network_latency {
        preflight(cloud, &name).await.map(Some)
    } else {
        cloud.jobs.describe(&name).await.map(|_| None)
    };
    match seen {
        Ok(preflight) => Ok(Some(Found { cloud, name, preflight })),
        Err(CloudError::NotFound(_)) => Ok(None),
        Err(CloudError::Damaged { .. }) if purpose == Purpose::Stop => Ok(Some(Found::new(cloud, name))),
        Err(error) => Err(error.into()),
    }
}

/// The one job whose name begins so.
async fn beginning<'a>(clouds: &[&'a Cloud], text: &str) -> Result<Found<'a>> {
    let mut beginning = Vec::new();
    for cloud in clouds {
        let names = cloud.jobs.names(text).await?.into_iter().filter(|name| name.as_str().starts_with(text));
        beginning.extend(names.map(|name| Found::new(cloud, name)));
    }
    match (beginning.pop(), beginning.len()) {
        (Some(found), 0) => Ok(found),
        (Some(found), _) => Err(ambiguous(text, found.name, beginning)),
        (None, _) => Err(unknown(clouds, text).await?),
    }
}

fn ambiguous(text: &str, one: JobName, others: Vec<Found<'_>>) -> Error {
    let mut names: Vec<JobName> = others.into_iter().map(|found| found.name).chain([one]).collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    Error::failure(format!("{text} is the beginning of {} jobs' names", names.len()))
        .hint(format!("name one: {}", list(&names)))
}

async fn unknown(clouds: &[&Cloud], text: &str) -> Result<Error> {
    let mut alike: Vec<(f64, JobName)> = Vec::new();
    for cloud in clouds {
        let names = cloud.jobs.names("").await?;
        alike.extend(names.into_iter().map(|name| (strsim::jaro_winkler(text, name.as_str()), name)));
    }
    alike.retain(|(likeness, _)| *likeness >= ALIKE);
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
    let shown: Vec<&str> = names.iter().take(NAMES_SHOWN).map(JobName::as_str).collect();
    let more = names.len().saturating_sub(NAMES_SHOWN);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}
