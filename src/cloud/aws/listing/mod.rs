//! Lists jobs with two operations that complement each other: ListTrainingJobs is consistent but returns few fields,
//! Search returns full descriptions but is eventually consistent. Both are called at the same time, and their results
//! merged.
//!
//! ListTrainingJobs filters by status after it has cut a page, so that finding a few jobs of one status can take many
//! pages. Such queries go to Search, corrected by the jobs that ListTrainingJobs reports as changed lately. A caller
//! without the permission to search gets ListTrainingJobs alone.

mod list;
mod merge;
mod query;
mod search;

use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_sagemaker::Client;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cloud::{CloudError, CloudResult, Cost, Fallbacks, JobsQuery, ListedJob, Page, PageTokens, SortBy};
use crate::model::JobName;
use crate::model::job_name::MAX_NAME;
use crate::model::request::Tag;
use merge::Position;
use query::is_in_time;
use search::SearchPage;

/// Maximum number of pages that are read for names.
const MAX_NAME_PAGES: usize = 3;
/// Age up to which Search is not expected to know a job, so that it isn't asked again.
const SEARCH_DELAY: SignedDuration = SignedDuration::from_secs(60);

const WITHOUT_DETAILS: &str =
    "ListTrainingJobs alone lists the jobs: their names, statuses and times, and nothing else";
const WITHOUT_SEARCH: &str = "ListTrainingJobs alone lists the jobs, with more calls";

/// Lists jobs with both operations.
#[derive(Debug)]
pub(super) struct JobLister {
    client: Client,
    /// Set after a denial: the caller would be denied again.
    is_search_denied: AtomicBool,
    fallbacks: Fallbacks,
}

/// Position of the next page, serialized as the page token.
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
                    // If the other call fails as well, its error is reported.
                    let page = self.later_page(query, None).await?;
                    self.report(query, &error);
                    Ok(page)
                }
            },
        }
    }

    /// Returns the newest names that contain `part`.
    pub(super) async fn names(&self, part: &str) -> CloudResult<Vec<JobName>> {
        let name_contains = (!part.is_empty()).then(|| part.to_owned());
        let query = JobsQuery { name_contains, ..JobsQuery::default() };
        let mut names = Vec::new();
        let mut token = None;
        for _ in 0..MAX_NAME_PAGES {
            let page = self.page(&query, token).await?;
            names.extend(page.items.into_iter().map(|job| job.name));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(names)
    }

    /// Returns the newest job that Search finds by its tag. ListTrainingJobs knows no tags.
    pub(super) async fn newest_tagged(&self, tag: &Tag) -> CloudResult<Option<JobName>> {
        let mut tokens = PageTokens::default();
        let mut token = None;
        loop {
            let page = search::tagged(&self.client, tag, token).await?;
            if page.name.is_some() {
                return Ok(page.name);
            }
            token = tokens.after(true).next(page.next_token, "the caller's jobs")?;
            if token.is_none() {
                return Ok(None);
            }
        }
    }

    /// Returns the first page of ListTrainingJobs with details from Search, called at the same time.
    async fn first_page(&self, query: &JobsQuery) -> CloudResult<Page<ListedJob>> {
        let (listed, found) = tokio::join!(list::page(&self.client, query, None), self.search(query, None));
        let mut listed = listed?;
        match found {
            Ok(found) => {
                merge::add_details(&mut listed.items, found.jobs);
                // Search may order jobs of one status differently, and have them on another page.
                self.complete(query, &mut listed.items).await;
            }
            Err(error) => self.report(query, &error),
        }
        page(listed.items, listed.next_token.map(Next::Listed))
    }

    /// Returns a page of ListTrainingJobs, then with details from Search by the jobs' names.
    async fn later_page(&self, query: &JobsQuery, token: Option<String>) -> CloudResult<Page<ListedJob>> {
        let mut listed = list::page(&self.client, query, token).await?;
        self.complete(query, &mut listed.items).await;
        page(listed.items, listed.next_token.map(Next::Listed))
    }

    /// Returns a page of Search, corrected by the jobs that have changed lately.
    async fn searched(
        &self,
        query: &JobsQuery,
        token: Option<String>,
        after: Option<&Position>,
    ) -> CloudResult<Page<ListedJob>> {
        let (found, recent) = tokio::join!(self.search(query, token), list::recent(&self.client, query));
        let SearchPage { jobs, next_token } = found?;
        let end = jobs.last().filter(|_| next_token.is_some()).map(Position::of_details);
        let mut items = merge::merge_recent(query, jobs, recent?, after, end.as_ref());
        items.retain(|job| is_in_time(query, job.created));
        self.complete(query, &mut items).await;
        page(items, next_token.map(|token| Next::Searched { token, after: end }))
    }

    /// Adds details from Search to the jobs that have none and are old enough for Search to know.
    async fn complete(&self, query: &JobsQuery, jobs: &mut [ListedJob]) {
        let known_before = Timestamp::now() - SEARCH_DELAY;
        let is_missing = |job: &&ListedJob| job.details.is_none() && job.created < known_before;
        let missing: Vec<&JobName> = jobs.iter().filter(is_missing).map(|job| &job.name).collect();
        if missing.is_empty() || !query.details || !self.can_search(query) {
            return;
        }
        match self.note_denial(search::named(&self.client, &missing).await) {
            Ok(found) => merge::add_details(jobs, found.jobs),
            Err(error) => self.report(query, &error),
        }
    }

    /// Reports that Search failed: ListTrainingJobs alone returns names, statuses and times.
    fn report(&self, query: &JobsQuery, error: &CloudError) {
        let cost = if query.details { Cost::Result } else { Cost::Calls };
        self.fallbacks.report(cost, error, if query.details { WITHOUT_DETAILS } else { WITHOUT_SEARCH });
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

    /// Returns whether Search is useful for the query, and not denied.
    fn can_search(&self, query: &JobsQuery) -> bool {
        (query.details || query.status.is_some()) && !self.is_search_denied.load(Ordering::Relaxed)
    }
}

fn page(items: Vec<ListedJob>, next: Option<Next>) -> CloudResult<Page<ListedJob>> {
    let next_token = next.map(|next| serde_json::to_string(&next)).transpose();
    Ok(Page { items, next_token: next_token.map_err(|error| CloudError::Other(error.to_string()))? })
}

/// Returns whether any job can match. The services reject text that no name can contain.
fn can_match(query: &JobsQuery) -> bool {
    let is_of_a_name =
        |part: &str| part.len() <= MAX_NAME && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    query.name_contains.as_deref().is_none_or(is_of_a_name)
}

/// Replaces an order by status if only one status is wanted: the services then sort by time.
fn sortable(query: &JobsQuery) -> JobsQuery {
    match query.sort_by {
        SortBy::Status if query.status.is_some() => JobsQuery { sort_by: SortBy::CreationTime, ..query.clone() },
        _ => query.clone(),
    }
}
