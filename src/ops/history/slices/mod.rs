//! Reads a long list in slices of its time span: several at a time, shown in order.
//!
//! The number of jobs in a slice is estimated from its first page. A slice that seems to hold many is cut again, so
//! that a busy day does not delay the rest. While many jobs are buffered, only the slice that the others wait for is
//! read.

use std::collections::VecDeque;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;

use super::shown::{LIST_NAME, Shown};
use crate::cloud::{Cloud, CloudResult, JobsQuery, ListedJob, Page, PageTokens};
use crate::error::Result;

/// Maximum number of concurrent calls.
const MAX_CONCURRENT_CALLS: usize = 4;
/// Maximum number of jobs that are buffered because earlier ones are missing.
const MAX_BUFFERED_JOBS: usize = 2000;
/// Maximum number of parts that a slice is cut into.
const MAX_PARTS: i128 = 4;
/// Minimum number of jobs expected in a part.
const MIN_JOBS_PER_PART: i128 = 400;

/// Shows all jobs after the first page. Returns false, and shows nothing, if the end of the list cannot be found.
pub(super) async fn each<F>(cloud: &Cloud, query: &JobsQuery, first: Density, shown: &mut Shown<F>) -> Result<bool>
where
    F: FnMut(Vec<ListedJob>) -> Result<()>,
{
    let farthest =
        JobsQuery { ascending: !query.ascending, status: None, limit: Some(1), details: false, ..query.clone() };
    let farthest = cloud.jobs.list(&farthest, None).await?.items;
    let Some(farthest) = farthest.first().map(|job| job.created.as_millisecond()) else { return Ok(false) };
    let whole = Span { from: farthest.min(first.begin), to: farthest.max(first.begin) + 1 };
    let mut slices = Slices::new(query, whole.behind(first.end, query.ascending), first);
    let mut calls = FuturesUnordered::new();
    while shown.left > 0 {
        for call in slices.begin(MAX_CONCURRENT_CALLS - calls.len()) {
            calls.push(async move { (call.slice, cloud.jobs.list(&call.query, call.token).await) });
        }
        let Some((slice, page)) = calls.next().await else { break };
        slices.read(slice, page?)?;
        while let Some(jobs) = slices.in_order() {
            shown.more(jobs)?;
        }
    }
    Ok(true)
}

/// Number of jobs in a span of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Density {
    jobs: i128,
    /// Creation times of the first and the last job, in milliseconds since 1970, in either order.
    begin: i64,
    end: i64,
}

impl Density {
    /// Returns `None` for no jobs, or jobs of one moment.
    pub(super) fn of(jobs: &[ListedJob]) -> Option<Self> {
        let (first, last) = jobs.first().zip(jobs.last())?;
        let begin = first.created.as_millisecond();
        let end = last.created.as_millisecond();
        (begin != end).then_some(Self { jobs: i128::try_from(jobs.len()).ok()?, begin, end })
    }

    /// Returns the number of parts to cut a span into, if its jobs are as dense.
    fn parts(self, span: Span) -> i128 {
        let jobs = self.jobs * i128::from(span.to - span.from) / i128::from(self.begin.abs_diff(self.end).max(1));
        (jobs / MIN_JOBS_PER_PART).clamp(1, MAX_PARTS)
    }
}

/// Part of the time span, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    /// Inclusive.
    from: i64,
    /// Exclusive.
    to: i64,
}

impl Span {
    /// Returns the rest after the jobs up to `end`. It includes that moment, which may have more jobs.
    fn behind(self, end: i64, ascending: bool) -> Self {
        if ascending { Self { from: end, ..self } } else { Self { to: end + 1, ..self } }
    }

    /// Cuts into equal parts, in the order of the list.
    fn cut(self, parts: i128, ascending: bool) -> Vec<Self> {
        let width = i128::from(self.to - self.from);
        let at = |part: i128| self.from + i64::try_from(width * part / parts).unwrap_or_default();
        let mut spans: Vec<Self> = (0..parts).map(|part| Self { from: at(part), to: at(part + 1) }).collect();
        if !ascending {
            spans.reverse();
        }
        spans
    }
}

/// Slices that are not shown yet, in the order of the list.
#[derive(Debug)]
struct Slices {
    query: JobsQuery,
    slices: VecDeque<Slice>,
    created: usize,
}

#[derive(Debug)]
struct Slice {
    id: usize,
    span: Span,
    state: SliceState,
    tokens: PageTokens,
    /// Jobs read and not shown yet.
    jobs: Vec<ListedJob>,
}

#[derive(Debug, PartialEq, Eq)]
enum SliceState {
    /// The next page, of this token, can be read.
    Idle(Option<String>),
    Called,
    Read,
}

#[derive(Debug)]
struct Call {
    slice: usize,
    query: JobsQuery,
    token: Option<String>,
}

impl Slices {
    fn new(query: &JobsQuery, rest: Span, density: Density) -> Self {
        let mut slices = Self { query: query.clone(), slices: VecDeque::new(), created: 0 };
        slices.insert(0, rest.cut(density.parts(rest), query.ascending));
        slices
    }

    fn insert(&mut self, at: usize, spans: Vec<Span>) {
        for (offset, span) in spans.into_iter().enumerate() {
            self.created += 1;
            self.slices.insert(at + offset, Slice::new(self.created, span));
        }
    }

    /// Starts up to `count` calls, first those that the others wait for.
    fn begin(&mut self, count: usize) -> Vec<Call> {
        let waiting: usize = self.slices.iter().map(|slice| slice.jobs.len()).sum();
        let may_begin = if waiting < MAX_BUFFERED_JOBS { self.slices.len() } else { 1 };
        self.slices.iter_mut().take(may_begin).filter_map(|slice| slice.begin(&self.query)).take(count).collect()
    }

    /// Adds a page to a slice. If much is left, the slice ends here, and the rest becomes slices of its own.
    fn read(&mut self, id: usize, page: Page<ListedJob>) -> CloudResult<()> {
        let Some(at) = self.slices.iter().position(|slice| slice.id == id) else { return Ok(()) };
        let Some(slice) = self.slices.get_mut(at) else { return Ok(()) };
        let ascending = self.query.ascending;
        let behind = Density::of(&page.items).map(|density| (density, slice.span.behind(density.end, ascending)));
        slice.tokens.after(page.items.is_empty());
        slice.jobs.extend(page.items);
        match (page.next_token, behind) {
            (None, _) => slice.state = SliceState::Read,
            (Some(_), Some((density, behind))) if density.parts(behind) > 1 => {
                slice.state = SliceState::Read;
                self.insert(at + 1, behind.cut(density.parts(behind), ascending));
            }
            (token, _) => slice.state = SliceState::Idle(slice.tokens.next(token, LIST_NAME)?),
        }
        Ok(())
    }

    /// Returns the next jobs to show, if they have been read.
    fn in_order(&mut self) -> Option<Vec<ListedJob>> {
        let first = self.slices.front_mut()?;
        let jobs = std::mem::take(&mut first.jobs);
        let is_read = first.state == SliceState::Read;
        if is_read {
            self.slices.pop_front();
        }
        (is_read || !jobs.is_empty()).then_some(jobs)
    }
}

impl Slice {
    fn new(id: usize, span: Span) -> Self {
        Self { id, span, state: SliceState::Idle(None), tokens: PageTokens::default(), jobs: Vec::new() }
    }

    fn begin(&mut self, query: &JobsQuery) -> Option<Call> {
        let SliceState::Idle(token) = &mut self.state else { return None };
        let token = token.take();
        self.state = SliceState::Called;
        let within = |millis| Timestamp::from_millisecond(millis).ok();
        let query = JobsQuery {
            created_after: within(self.span.from),
            created_before: within(self.span.to),
            limit: None,
            ..query.clone()
        };
        Some(Call { slice: self.id, query, token })
    }
}

#[cfg(test)]
mod tests;
