//! Past and running jobs, over all pages.

use crate::cloud::{Cloud, JobsQuery, ListedJob};
use crate::error::Result;

/// The jobs of a query. A page may be short, or empty, and still not be the last.
pub(crate) async fn list(cloud: &Cloud, query: &JobsQuery) -> Result<Vec<ListedJob>> {
    let (mut jobs, mut token) = (Vec::new(), None);
    let limit = query.limit.unwrap_or(usize::MAX);
    loop {
        let page = cloud.jobs.list(query, token).await?;
        jobs.extend(page.items);
        token = page.next_token;
        if token.is_none() || jobs.len() >= limit {
            jobs.truncate(limit);
            return Ok(jobs);
        }
    }
}
