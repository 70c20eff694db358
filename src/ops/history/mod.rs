//! Lists jobs: the first page at once, and the rest of a long list in slices of time, several at a time.

mod shown;
mod slices;

use std::collections::HashSet;

use crate::cloud::{Cloud, JobsQuery, ListedJob, PageTokens, SortBy};
use crate::error::Result;
use shown::{LIST_NAME, Shown};

/// Minimum number of remaining jobs for which slices are used; fewer are read page by page.
const MIN_SLICED_JOBS: usize = 400;

/// Passes the jobs of a query to `show` as they arrive, in order, in non-empty batches. An error of `show` ends the
/// list.
pub(crate) async fn each(
    cloud: &Cloud,
    query: &JobsQuery,
    show: impl FnMut(Vec<ListedJob>) -> Result<()>,
) -> Result<()> {
    let mut shown = Shown { show, left: query.limit.unwrap_or(usize::MAX), last: HashSet::new() };
    let first = cloud.jobs.list(query, None).await?;
    let mut tokens = PageTokens::default();
    let mut token = tokens.next(first.next_token, LIST_NAME)?;
    let density = slices::Density::of(&first.items);
    shown.more(first.items)?;
    let is_long = token.is_some() && shown.left > MIN_SLICED_JOBS && query.sort_by == SortBy::CreationTime;
    if is_long
        && let Some(density) = density
        && slices::each(cloud, query, density, &mut shown).await?
    {
        return Ok(());
    }
    // A page that is short or empty need not be the last.
    while token.is_some() && shown.left > 0 {
        let page = cloud.jobs.list(query, token).await?;
        let is_empty = page.items.is_empty();
        shown.more(page.items)?;
        token = tokens.after(is_empty).next(page.next_token, LIST_NAME)?;
    }
    Ok(())
}

impl<F: FnMut(Vec<ListedJob>) -> Result<()>> Shown<F> {
    fn more(&mut self, mut jobs: Vec<ListedJob>) -> Result<()> {
        jobs.retain(|job| !self.last.contains(&job.name));
        jobs.truncate(self.left);
        if jobs.is_empty() {
            return Ok(());
        }
        self.left -= jobs.len();
        self.last = jobs.iter().map(|job| job.name.clone()).collect();
        (self.show)(jobs)
    }
}
