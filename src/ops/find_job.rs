//! From what a user calls a job to the job's name.

use super::history;
use crate::cloud::{Cloud, CloudError, JobsQuery};
use crate::error::{Error, Result};
use crate::model::JobName;

/// How many names an error lists.
const NAMES_SHOWN: usize = 5;
/// How alike a name must be to be suggested: Jaro-Winkler, from 0 to 1.
const ALIKE: f64 = 0.8;

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

pub(crate) async fn find_job(cloud: &Cloud, job: &JobRef) -> Result<JobName> {
    match job {
        JobRef::Newest => newest(cloud).await,
        JobRef::Named(text) => named(cloud, text).await,
    }
}

pub(crate) async fn find_jobs(cloud: &Cloud, jobs: &[JobRef]) -> Result<Vec<JobName>> {
    let mut found = Vec::new();
    for job in jobs {
        let name = find_job(cloud, job).await?;
        if !found.contains(&name) {
            found.push(name);
        }
    }
    Ok(found)
}

async fn newest(cloud: &Cloud) -> Result<JobName> {
    let query = JobsQuery { limit: Some(1), ..JobsQuery::default() };
    let job = history::list(cloud, &query).await?.into_iter().next();
    job.map(|job| job.name)
        .ok_or_else(|| Error::failure("there is no job yet").hint("start one: smtrain submit job.toml --local"))
}

async fn named(cloud: &Cloud, text: &str) -> Result<JobName> {
    // It is the beginning of every name: an unset variable of a script must not mean the only job there is.
    if text.is_empty() {
        return Err(Error::usage("a job's name can't be empty").hint("`-` is the newest job"));
    }
    if let Ok(name) = JobName::new(text) {
        match cloud.jobs.describe(&name).await {
            Ok(_) => return Ok(name),
            Err(CloudError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut names = cloud.jobs.names("").await?;
    let (mut beginning, others): (Vec<_>, Vec<_>) = names.drain(..).partition(|name| name.as_str().starts_with(text));
    match (beginning.pop(), beginning.len()) {
        (Some(name), 0) => Ok(name),
        (Some(name), _) => Err(ambiguous(text, name, beginning)),
        (None, _) => Err(unknown(text, others)),
    }
}

fn ambiguous(text: &str, one: JobName, mut others: Vec<JobName>) -> Error {
    others.push(one);
    others.sort_unstable_by(|a, b| b.cmp(a));
    let count = others.len();
    Error::failure(format!("{text} is the beginning of {count} jobs' names"))
        .hint(format!("name one: {}", list(&others)))
}

fn unknown(text: &str, names: Vec<JobName>) -> Error {
    let mut alike: Vec<(f64, JobName)> =
        names.into_iter().map(|name| (strsim::jaro_winkler(text, name.as_str()), name)).collect();
    alike.retain(|(likeness, _)| *likeness >= ALIKE);
    alike.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let alike: Vec<JobName> = alike.into_iter().map(|(_, name)| name).collect();
    let error = Error::failure(format!("there is no job {text}"));
    if alike.is_empty() {
        error.hint("list the jobs there are: smtrain history --local")
    } else {
        error.hint(format!("did you mean {}?", list(&alike)))
    }
}

fn list(names: &[JobName]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES_SHOWN).map(JobName::as_str).collect();
    let more = names.len().saturating_sub(NAMES_SHOWN);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}
