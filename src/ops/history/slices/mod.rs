//! A long list by time: its span is cut into slices, several of which are read at a time, and shown in order.
//!
//! How many jobs a slice holds can only be guessed from those of its first page. One that seems to hold many is cut again, so
//! that busy days don't hold up the rest. When many jobs wait in memory for earlier ones, only those are read.

use std::collections::VecDeque;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;

use super::shown::{JOBS as LISTED, Shown};
use crate::cloud::{Cloud, CloudResult, JobsQuery, ListedJob, Page, PageTokens};
use crate::error::Result;

/// Calls at a time.
const CALLS: usize = 4;
/// Jobs that wait for earlier ones.
const WAITING: usize = 2000;
/// The most parts that a slice is cut into, and the fewest jobs that a part should hold.
const PARTS: i128 = 4;
const JOBS: i128 = 400;

/// Shows all jobs behind the first page. False, and nothing is shown, if where they end can't be told.
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
        for call in slices.begin(CALLS - calls.len()) {
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

/// How many jobs were in how much time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Density {
    jobs: i128,
    /// Milliseconds since 1970, of the first and the last job: in either order.
    begin: i64,
    end: i64,
}

impl Density {
    /// None where it can't be told: of no jobs, or of jobs of one moment.
    pub(super) fn of(jobs: &[ListedJob]) -> Option<Self> {
        let (first, last) = jobs.first().zip(jobs.last())?;
        let (begin, end) = (first.created.as_millisecond(), last.created.as_millisecond());
        (begin != end).then_some(Self { jobs: i128::try_from(jobs.len()).ok()?, begin, end })
    }

    /// How many parts a span should be cut into, if its jobs lie as these do.
    fn parts(self, span: Span) -> i128 {
        let jobs = self.jobs * i128::from(span.to - span.from) / i128::from(self.begin.abs_diff(self.end).max(1));
        (jobs / JOBS).clamp(1, PARTS)
    }
}

/// A part of the list's time, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    /// Inclusive.
    from: i64,
    /// Exclusive.
    to: i64,
}

impl Span {
    /// What is left when all before `end` has been read. Other jobs may be of the same moment.
    fn behind(self, end: i64, ascending: bool) -> Self {
        if ascending { Self { from: end, ..self } } else { Self { to: end + 1, ..self } }
    }

    /// Equal parts, in the order of the list.
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

/// What is not shown yet, in the order of the list.
#[derive(Debug)]
struct Slices {
    query: JobsQuery,
    slices: VecDeque<Slice>,
    made: usize,
}

#[derive(Debug)]
struct Slice {
    id: usize,
    span: Span,
    state: State,
    tokens: PageTokens,
    /// Read, and not shown yet.
    jobs: Vec<ListedJob>,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Its next page can be read.
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
        let mut slices = Self { query: query.clone(), slices: VecDeque::new(), made: 0 };
        slices.insert(0, rest.cut(density.parts(rest), query.ascending));
        slices
    }

    fn insert(&mut self, at: usize, spans: Vec<Span>) {
        for (offset, span) in spans.into_iter().enumerate() {
            self.made += 1;
            self.slices.insert(at + offset, Slice::new(self.made, span));
        }
    }

    /// Up to `count` calls, those first that hold up the others.
    fn begin(&mut self, count: usize) -> Vec<Call> {
        let waiting: usize = self.slices.iter().map(|slice| slice.jobs.len()).sum();
        let may_begin = if waiting < WAITING { self.slices.len() } else { 1 };
        self.slices.iter_mut().take(may_begin).filter_map(|slice| slice.begin(&self.query)).take(count).collect()
    }

    /// Takes a slice's page. A slice that will be long ends here: what is behind becomes slices of its own.
    fn read(&mut self, id: usize, page: Page<ListedJob>) -> CloudResult<()> {
        let Some(at) = self.slices.iter().position(|slice| slice.id == id) else { return Ok(()) };
        let Some(slice) = self.slices.get_mut(at) else { return Ok(()) };
        let ascending = self.query.ascending;
        let behind = Density::of(&page.items).map(|density| (density, slice.span.behind(density.end, ascending)));
        slice.tokens.after(page.items.is_empty());
        slice.jobs.extend(page.items);
        match (page.next_token, behind) {
            (None, _) => slice.state = State::Read,
            (Some(_), Some((density, behind))) if density.parts(behind) > 1 => {
                slice.state = State::Read;
                self.insert(at + 1, behind.cut(density.parts(behind), ascending));
            }
            (token, _) => slice.state = State::Idle(slice.tokens.next(token, LISTED)?),
        }
        Ok(())
    }

    /// The next jobs to show, if they have been read.
    fn in_order(&mut self) -> Option<Vec<ListedJob>> {
        let first = self.slices.front_mut()?;
        let jobs = std::mem::take(&mut first.jobs);
        let is_read = first.state == State::Read;
        if is_read {
            self.slices.pop_front();
        }
        (is_read || !jobs.is_empty()).then_some(jobs)
    }
}

impl Slice {
    fn new(id: usize, span: Span) -> Self {
        Self { id, span, state: State::Idle(None), tokens: PageTokens::default(), jobs: Vec::new() }
    }

    fn begin(&mut self, query: &JobsQuery) -> Option<Call> {
        let State::Idle(token) = &mut self.state else { return None };
        let token = token.take();
        self.state = State::Called;
        let within = |millis| Timestamp::from_millisecond(millis).ok();
        let (after, before) = (within(self.span.from), within(self.span.to));
        let query = JobsQuery { created_after: after, created_before: before, limit: None, ..query.clone() };
        Some(Call { slice: self.id, query, token })
    }
}

#[cfg(test)]
mod tests;
