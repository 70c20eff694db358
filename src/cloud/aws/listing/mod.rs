//! Lists of jobs, of two services that know different things: ListTrainingJobs is fresh but brief, Search tells everything
//! but lags behind. Both are asked at the same time, and their answers become one list.
//!
//! ListTrainingJobs looks at the status only after it has cut its page: a few jobs of a status can take it many pages. Those
//! are Search's to find, and ListTrainingJobs tells which jobs have changed since. Who may not search has ListTrainingJobs
//! alone.

mod list;
mod merge;
mod query;
mod search;

use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_sagemaker::Client;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cloud::{CloudError, CloudResult, Cost, Fallbacks, JobsQuery, ListedJob, Page, SortBy};
use crate::model::JobName;
use crate::model::job_name::MAX_NAME;
use merge::Position;
use query::is_in_time;
use search::SearchPage;

/// The most pages that are read for names.
const PAGES_OF_NAMES: usize = 3;
/// Younger jobs are not yet known to Search: they aren't asked for a second time.
const TOO_YOUNG: SignedDuration = SignedDuration::from_secs(60);

const WITHOUT_DETAILS: &str =
    "ListTrainingJobs alone lists the jobs: their names, statuses and times, and nothing else";
const LISTED: &str = "ListTrainingJobs alone lists the jobs, with more calls";

/// Lists jobs with both services.
#[derive(Debug)]
pub(super) struct JobLister {
    client: Client,
    /// Who is denied once is denied again.
    is_search_denied: AtomicBool,
    fallbacks: Fallbacks,
}

/// Where the next page begins.
#[derive(Debug, Serialize, Deserialize)]
enum Next {
    Listed(String),
    Searched { token: String, after: Option<Position> },
}

impl Next {
    fn read(token: String) -> CloudResult<Self> {
        serde_json::from_str(&token).map_err(|error| CloudError::Other(format!("no page begins at {token:?}: {error}")))
    }
}

impl JobLister {
    pub(super) fn new(client: Client, fallbacks: Fallbacks) -> Self {
        Self { client, is_search_denied: AtomicBool::new(false), fallbacks }
    }

    pub(super) async fn page(&self, query: &JobsQuery, token: Option<String>) -> CloudResult<Page<ListedJob>> {
        if !can_match(query) {
            return Ok(Page { items: Vec::new(), next_token: None });
        }
        let query = &sortable(query);
        match token.map(Next::read).transpose()? {
            Some(Next::Listed(token)) => self.later_page(query, Some(token)).await,
            Some(Next::Searched { token, after }) => self.searched(query, Some(token), after.as_ref()).await,
            None if !self.can_search(query) => self.later_page(query, None).await,
            None if query.status.is_none() => self.first_page(query).await,
            None => match self.searched(query, None, None).await {
                Ok(page) => Ok(page),
                Err(error) => {
                    // If the same is wrong with the other call, its error tells.
                    let page = self.later_page(query, None).await?;
                    self.report(query, &error);
                    Ok(page)
                }
            },
        }
    }

    /// The newest names that contain `part`.
    pub(super) async fn names(&self, part: &str) -> CloudResult<Vec<JobName>> {
        let name_contains = (!part.is_empty()).then(|| part.to_owned());
        let query = JobsQuery { name_contains, ..JobsQuery::default() };
        let (mut names, mut token) = (Vec::new(), None);
        for _ in 0..PAGES_OF_NAMES {
            let page = self.page(&query, token).await?;
            names.extend(page.items.into_iter().map(|job| job.name));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(names)
    }

    /// What ListTrainingJobs lists, with what Search knows of it.
    async fn first_page(&self, query: &JobsQuery) -> CloudResult<Page<ListedJob>> {
        let (listed, found) = tokio::join!(list::page(&self.client, query, None), self.search(query, None));
        let mut listed = listed?;
        match found {
            Ok(found) => {
                merge::complete(&mut listed.items, found.jobs);
                // Search may sort jobs of one status otherwise, and have them on another page.
                self.complete(query, &mut listed.items).await;
            }
            Err(error) => self.report(query, &error),
        }
        page(listed.items, listed.next_token.map(Next::Listed))
    }

    /// What ListTrainingJobs lists, and then what Search knows of those jobs.
    async fn later_page(&self, query: &JobsQuery, token: Option<String>) -> CloudResult<Page<ListedJob>> {
        let mut listed = list::page(&self.client, query, token).await?;
        self.complete(query, &mut listed.items).await;
        page(listed.items, listed.next_token.map(Next::Listed))
    }

    /// What Search finds, put right by what ListTrainingJobs tells of the jobs that have changed lately.
    async fn searched(
        &self,
        query: &JobsQuery,
        token: Option<String>,
        after: Option<&Position>,
    ) -> CloudResult<Page<ListedJob>> {
        let (found, recent) = tokio::join!(self.search(query, token), list::recent(&self.client, query));
        let SearchPage { jobs, next_token } = found?;
        let end = jobs.last().filter(|_| next_token.is_some()).map(Position::of_details);
        let mut items = merge::correct(query, jobs, recent?, after, end.as_ref());
        items.retain(|job| is_in_time(query, job.created));
        self.complete(query, &mut items).await;
        page(items, next_token.map(|token| Next::Searched { token, after: end }))
    }

    /// Adds what Search knows of those jobs that it was not seen to know, where it can be expected to.
    async fn complete(&self, query: &JobsQuery, jobs: &mut [ListedJob]) {
        let known_before = Timestamp::now() - TOO_YOUNG;
        let is_missing = |job: &&ListedJob| job.details.is_none() && job.created < known_before;
        let missing: Vec<&JobName> = jobs.iter().filter(is_missing).map(|job| &job.name).collect();
        if missing.is_empty() || !query.details || !self.can_search(query) {
            return;
        }
        match self.note_denial(search::named(&self.client, &missing).await) {
            Ok(found) => merge::complete(jobs, found.jobs),
            Err(error) => self.report(query, &error),
        }
    }

    /// Reports that Search gave no answer: ListTrainingJobs alone knows names, statuses and times.
    fn report(&self, query: &JobsQuery, error: &CloudError) {
        let cost = if query.details { Cost::Result } else { Cost::Calls };
        self.fallbacks.report(cost, error, if query.details { WITHOUT_DETAILS } else { LISTED });
    }

    async fn search(&self, query: &JobsQuery, token: Option<String>) -> CloudResult<SearchPage> {
        self.note_denial(search::page(&self.client, query, token).await)
    }

    fn note_denial<T>(&self, answer: CloudResult<T>) -> CloudResult<T> {
        if answer.as_ref().is_err_and(CloudError::is_denied) {
            self.is_search_denied.store(true, Ordering::Relaxed);
        }
        answer
    }

    /// Whether Search is of use, and may be used.
    fn can_search(&self, query: &JobsQuery) -> bool {
        (query.details || query.status.is_some()) && !self.is_search_denied.load(Ordering::Relaxed)
    }
}

fn page(items: Vec<ListedJob>, next: Option<Next>) -> CloudResult<Page<ListedJob>> {
    let next_token = next.map(|next| serde_json::to_string(&next)).transpose();
    Ok(Page { items, next_token: next_token.map_err(|error| CloudError::Other(error.to_string()))? })
}

/// The services refuse to look for what no name can contain.
fn can_match(query: &JobsQuery) -> bool {
    let is_of_a_name =
        |part: &str| part.len() <= MAX_NAME && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    query.name_contains.as_deref().is_none_or(is_of_a_name)
}

/// Jobs of one status can't be sorted by it: they come by time.
fn sortable(query: &JobsQuery) -> JobsQuery {
    match query.sort_by {
        SortBy::Status if query.status.is_some() => JobsQuery { sort_by: SortBy::CreationTime, ..query.clone() },
        _ => query.clone(),
    }
}
