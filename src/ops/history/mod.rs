//! Past and running jobs: the first page at once, and of a long list the rest in slices of time, several at a time.

mod shown;
mod slices;

use std::collections::HashSet;

use crate::cloud::{Cloud, JobsQuery, ListedJob, PageTokens, SortBy};
use crate::error::Result;
use shown::{JOBS, Shown};

/// A rest that can't be more is read page by page.
const WORTH_SLICING: usize = 400;

/// Shows the jobs of a query as they come, in order and never none. An error of `show` ends the list.
pub(crate) async fn each(
    cloud: &Cloud,
    query: &JobsQuery,
    show: impl FnMut(Vec<ListedJob>) -> Result<()>,
) -> Result<()> {
    let mut shown = Shown { show, left: query.limit.unwrap_or(usize::MAX), last: HashSet::new() };
    let first = cloud.jobs.list(query, None).await?;
    let mut tokens = PageTokens::default();
    let mut token = tokens.next(first.next_token, JOBS)?;
    let density = slices::Density::of(&first.items);
    shown.more(first.items)?;
    let is_long = token.is_some() && shown.left > WORTH_SLICING && query.sort_by == SortBy::CreationTime;
    if is_long
        && let Some(density) = density
        && slices::each(cloud, query, density, &mut shown).await?
    {
        return Ok(());
    }
    // A page may be short, or empty, and still not be the last.
    while token.is_some() && shown.left > 0 {
        let page = cloud.jobs.list(query, token).await?;
        let is_empty = page.items.is_empty();
        shown.more(page.items)?;
        token = tokens.after(is_empty).next(page.next_token, JOBS)?;
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
